"""The `workspace` command. Parses, wires the demo's sandbox to the shell, and says plainly what went wrong.

Nothing heavy is imported before the window is painted.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.app import Options


PANEL = "panel"


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns its exit code: 0 when it did what was asked, 2 for wrong use, 1 for a problem."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parser(given[0] if given else "").parse_args(given)
    try:
        return int(options.run(options))
    except Problem as problem:
        print(f"{problem.sentence}\n{problem.advice}".rstrip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser(command: str = PANEL) -> argparse.ArgumentParser:
    """The whole command line; what belongs to `workspace panel` only when that is the `command`, since it is heavy to
    import and would stand between the user and the window."""
    top = argparse.ArgumentParser(prog="workspace", description="Klinisk arbeidsflate: én innlogging, én arbeidsflate.")
    commands = top.add_subparsers(required=True, metavar="kommando")
    _demo(commands.add_parser("demo", help="start sandkassen og arbeidsflaten, eller koble til en som går"))
    _run(commands.add_parser("run", help="start arbeidsflaten mot plattformen i innstillingene"))
    _sandbox(commands.add_parser("sandbox", help="bare den innebygde plattformen"))
    panel = commands.add_parser(PANEL, help="for leverandører: lag, prøv og pakk paneler")
    if command == PANEL:
        from workspace import panel_commands

        panel_commands.add(panel, profile_folder, sandbox_folder)
    _wipe(commands.add_parser("wipe", help="slett det som er kopiert til denne maskinen, uten å logge inn"))
    _doctor(commands.add_parser("doctor", help="hva som virker på denne maskinen"))
    return top


def _shell_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--profile", type=Path, help="mappe for innstillinger og kladder")
    command.add_argument("--headless", action="store_true", help="uten skjerm; avslutter når alt er vist")
    command.add_argument("--report", type=Path, metavar="FIL", help="skriv hva som ble vist, som JSON")
    command.add_argument("--screenshot", type=Path, metavar="FIL", help="skriv et bilde av vinduet (PNG)")
    command.add_argument("--theme", choices=("system", "light", "dark", "high-contrast"), help="fargetema")
    command.add_argument("--text-scale", type=int, metavar="PROSENT", help="tekststørrelse, 100–200")
    command.add_argument("--activity", metavar="ID", help="aktiviteten som skal stå fremme, f.eks. beboer")
    command.add_argument("--patient", metavar="ID", help="beboeren som skal åpnes, f.eks. BEB-18")


def _demo(command: argparse.ArgumentParser) -> None:
    _shell_options(command)
    command.add_argument("--as", dest="username", metavar="NAVN", help="logg inn uten nettleser (bare i sandkassen)")
    command.add_argument("--sandbox", type=Path, metavar="MAPPE", help="sandkassens mappe")
    command.add_argument("--history", type=int, default=90, metavar="DAGER", help="dager med historikk (90)")
    command.set_defaults(run=demo)


def _run(command: argparse.ArgumentParser) -> None:
    _shell_options(command)
    command.add_argument("--platform", metavar="ADRESSE", help="plattformens adresse; huskes i profilen")
    command.set_defaults(run=run)


def _sandbox(command: argparse.ArgumentParser) -> None:
    serve = command.add_subparsers(required=True, metavar="handling").add_parser("serve", help="start sandkassen")
    serve.add_argument("--sandbox", type=Path, metavar="MAPPE", help="sandkassens mappe")
    serve.add_argument("--port", type=int, default=8650)
    serve.add_argument("--history", type=int, default=90, metavar="DAGER")
    serve.add_argument("--idle-exit", type=float, metavar="SEKUNDER", help="avslutt etter så lang tid uten bruk")
    serve.add_argument("--reset", action="store_true", help="sett skadede data til side og begynn på nytt")
    serve.set_defaults(run=sandbox)


def _doctor(command: argparse.ArgumentParser) -> None:
    command.add_argument("--profile", type=Path)
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=doctor)


def _wipe(command: argparse.ArgumentParser) -> None:
    command.add_argument("--profile", type=Path, help="mappe for innstillinger og kladder")
    command.add_argument("--all", action="store_true", help="også det lokale lageret og nøkkelen til det")
    command.add_argument("--even-unsent", action="store_true", help="med --all: også arbeid som ikke er sendt")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=wipe)


def sandbox_folder(given: Path | None) -> Path:
    """`--sandbox`, else WORKSPACE_SANDBOX, else the user's data folder."""
    from workspace import settings

    chosen = given or os.environ.get("WORKSPACE_SANDBOX")
    return Path(chosen).expanduser().resolve() if chosen else settings.data_folder("sandbox")


def profile_folder(given: Path | None) -> Path:
    """`--profile`, else WORKSPACE_PROFILE, else the user's data folder."""
    from workspace import settings

    chosen = given or os.environ.get("WORKSPACE_PROFILE")
    return Path(chosen).expanduser().resolve() if chosen else settings.data_folder("profile")


def demo(options: argparse.Namespace) -> int:
    """The sandbox as a process of its own, or the one that runs, and the shell on it."""
    from workspace import app

    async def locate(progress: app.Progress) -> str:
        from workspace.sandbox import attach

        return await attach.ensure(sandbox_folder(options.sandbox), history_days=options.history, progress=progress)

    async def visit(authorize_url: str) -> None:
        from workspace.sandbox import visitor

        await visitor.choose(authorize_url, options.username)

    return app.run(_app_options(options, locate, visit if options.username else None))


def run(options: argparse.Namespace) -> int:
    """The shell on the platform that the profile names."""
    from workspace import app, settings

    profile = profile_folder(options.profile)
    known = settings.load(profile)
    if options.platform:
        import msgspec

        known = msgspec.structs.replace(known, platform=options.platform.rstrip("/"))
        settings.save(profile, known)
    if not known.platform:
        raise Problem(
            "platform-not-set",
            "Arbeidsflaten vet ikke hvilken plattform den skal bruke.",
            "Start den én gang med «workspace run --platform ADRESSE».",
        )

    async def locate(progress: app.Progress) -> str:
        return known.platform

    return app.run(_app_options(options, locate, None))


def _app_options(options: argparse.Namespace, locate: Any, visit: Any) -> Options:
    from workspace import app

    return app.Options(
        profile=profile_folder(options.profile),
        locate=locate,
        visit=visit,
        headless=options.headless,
        report=options.report,
        screenshot=options.screenshot,
        theme=options.theme,
        text_scale=options.text_scale,
        activity=options.activity,
        patient=options.patient,
    )


def sandbox(options: argparse.Namespace) -> int:
    """Only the embedded platform, in this process, until it is stopped."""
    from workspace.sandbox import serve

    return serve.run(
        sandbox_folder(options.sandbox),
        port=options.port,
        history_days=options.history,
        idle_exit=options.idle_exit,
        reset=options.reset,
    )


def wipe(options: argparse.Namespace) -> int:
    """What was copied to this machine goes; with ``--all`` the vault and its key too."""
    from workspace import wipe_command

    return wipe_command.run(
        profile_folder(options.profile), whole=options.all, even_unsent=options.even_unsent, as_json=options.json
    )


def doctor(options: argparse.Namespace) -> int:
    """What works on this machine: Python and Qt, confinement, keyring, platform, clock."""
    from workspace import app

    return app.doctor(profile_folder(options.profile), as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
