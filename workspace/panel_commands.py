"""`workspace panel …`: what vendors and administrators do with panel packages at the command line.

Parses and tells; the work is in `panels.conformance` and `shell.inspector`. What heavy things need is imported where used.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.panels.conformance.install import Store
    from workspace.panels.conformance.run import Evidence


def add(command: argparse.ArgumentParser, profile: Any, sandbox: Any) -> None:
    """The commands under `panel`. `profile` and `sandbox` turn what was given into folders."""
    actions = command.add_subparsers(required=True, metavar="handling")
    _new(actions.add_parser("new", help="et lite, godt panel å begynne med"))
    _dev(actions.add_parser("dev", help="kjør panelet mot sandkassen, og se hver melding"), sandbox)
    _verify(actions.add_parser("verify", help="prøv panelet mot alle regler"))
    _keygen(actions.add_parser("keygen", help="lag leverandørens nøkkel"))
    _pack(actions.add_parser("pack", help="lag pakken som kan installeres"))
    _gallery(actions.add_parser("gallery", help="alt som kan vises, i alle temaer"))
    for name, run, words in (
        ("trust", trust, "stol på en leverandørs nøkkel"),
        ("install", install, "installer eller oppdater en pakke"),
        ("list", list_, "pakkene som finnes"),
        ("revert", revert, "gå tilbake til utgaven før"),
    ):
        one = actions.add_parser(name, help=words)
        one.add_argument("--profile", type=Path, help="mappe for innstillinger og kladder")
        if name in ("trust", "install"):
            one.add_argument("file", type=Path, metavar="FIL")
        if name == "install":
            one.add_argument("--approve", action="store_true", help="godkjenn det pakken ber om å se og skrive")
        if name == "list":
            one.add_argument("--json", action="store_true")
        if name == "revert":
            one.add_argument("id", metavar="ID")
        one.set_defaults(run=run, profile_folder=profile)


def _new(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAVN", help="f.eks. vekt-og-ernaering")
    command.add_argument("--language", choices=("python", "node"), default="python")
    command.add_argument("--context", choices=("patient", "unit", "none"), default="patient")
    command.add_argument("--vendor", default="Eksempel", metavar="LEVERANDØR")
    command.add_argument("--into", type=Path, default=Path(), metavar="MAPPE")
    command.set_defaults(run=new)


def _dev(command: argparse.ArgumentParser, sandbox: Any) -> None:
    command.add_argument("folder", type=Path, metavar="MAPPE")
    command.add_argument("--view", default="", metavar="ID", help="visningen som skal åpnes")
    command.add_argument("--patient", default="BEB-18", metavar="ID")
    command.add_argument("--as", dest="username", default="tone", metavar="NAVN")
    command.add_argument("--sandbox", type=Path, metavar="MAPPE")
    command.add_argument("--synthetic", action="store_true", help="oppdiktede data i stedet for sandkassen")
    command.add_argument("--theme", choices=("system", "light", "dark", "high-contrast"), default="system")
    command.add_argument("--headless", action="store_true", help="uten skjerm")
    command.add_argument("--seconds", type=float, metavar="N", help="avslutt etter så lang tid")
    command.add_argument("--json", action="store_true", help="skriv til slutt hva som skjedde, som JSON")
    command.add_argument("--screenshot", type=Path, metavar="FIL", help="skriv et bilde av vinduet til slutt (PNG)")
    command.set_defaults(run=dev, sandbox_folder=sandbox)


def _verify(command: argparse.ArgumentParser) -> None:
    command.add_argument("package", type=Path, metavar="MAPPE|FIL")
    command.add_argument("--json", action="store_true", help="bare resultatet, som JSON")
    command.add_argument("--junit", type=Path, metavar="FIL", help="skriv resultatet som JUnit også")
    command.set_defaults(run=verify)


def _keygen(command: argparse.ArgumentParser) -> None:
    command.add_argument("--vendor", required=True, metavar="ID", help="første del av panelenes id, f.eks. nordlys")
    command.add_argument("--out", type=Path, default=Path(), metavar="MAPPE")
    command.set_defaults(run=keygen)


def _pack(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, metavar="MAPPE")
    command.add_argument("--key", type=Path, metavar="FIL", help="uten nøkkel blir pakken usignert, for sandkassen")
    command.add_argument("--out", type=Path, metavar="FIL")
    command.set_defaults(run=pack)


def _gallery(command: argparse.ArgumentParser) -> None:
    command.add_argument("--page", default="", metavar="KOMPONENT", help="f.eks. table; ellers oversikten")
    command.add_argument("--theme", choices=("light", "dark", "high-contrast"), default="light")
    command.add_argument("--text-scale", type=int, choices=(100, 125, 150, 175, 200), default=100, metavar="PROSENT")
    command.add_argument("--screenshots", type=Path, metavar="MAPPE", help="skriv bilder i stedet for å åpne vinduet")
    command.set_defaults(run=gallery)


# --- for vendors --------------------------------------------------------------------------------------------


def new(options: argparse.Namespace) -> int:
    from workspace.panels.conformance import scaffold

    order = scaffold.Order(options.name, options.language, options.context, options.vendor)
    folder = scaffold.make(order, options.into)
    print(f"Laget {folder} ({order.id}).\nNeste: workspace panel dev {folder}")
    return 0


def verify(options: argparse.Namespace) -> int:
    from workspace.panels.conformance import check, report, rules

    quiet()
    begun = time.monotonic()
    verdicts = check.judged(rules.ALL, _rehearsed(options.package))
    seconds = time.monotonic() - begun
    if options.junit is not None:
        options.junit.write_text(report.as_junit(verdicts, options.package.name, seconds), encoding="utf-8")
    print(report.as_json(verdicts) if options.json else report.as_text(verdicts, seconds))
    return 0 if report.good(verdicts) else 1


def _rehearsed(where: Path) -> Evidence:
    """The evidence of a folder, or of a package file unpacked for the purpose. Raises Problem when there is neither."""
    from workspace.panels.conformance import install, run
    from workspace.panels.conformance import pack as packing

    if where.is_dir():
        return asyncio.run(run.rehearse(where.resolve()))
    if not where.is_file():
        raise Problem("no-package", f"«{where}» finnes ikke.", "Oppgi mappen med panel.toml, eller en pakkefil.")
    with tempfile.TemporaryDirectory(prefix="workspace-verify-") as made:
        folder = Path(made).resolve() / "package"
        folder.mkdir()
        try:
            contents = packing.opened(where)
        except packing.BadPackage as problem:
            return run.unusable(folder, f"{problem.code}: {problem.detail or problem.sentence}")
        install.unpack(contents, folder)
        (folder / packing.SEAL).unlink()
        return asyncio.run(run.rehearse(folder, sealed="" if contents.key else "the package is not signed"))


def keygen(options: argparse.Namespace) -> int:
    from workspace.panels.conformance import scaffold, signing

    scaffold.check(scaffold.Order("navn", vendor=options.vendor))
    secret, public = signing.make(options.vendor, options.out)
    key = signing.load_public(public)
    print(f"Laget {secret} (bare for deg) og {public} (til dem som skal installere).\nNøkkelens id: {key.id}")
    return 0


def pack(options: argparse.Namespace) -> int:
    from workspace.panels import manifest
    from workspace.panels.conformance import files, signing
    from workspace.panels.conformance import pack as packing

    package = manifest.load(options.folder)
    content, odd = files.read(options.folder.resolve())
    bad = [f"{name} er ikke en vanlig fil" for name in odd] + list(packing.bad_names(content))
    if bad:
        raise Problem("package-unsafe", f"Pakken kan ikke lages: {bad[0]}.", "Se kode K-01 i «workspace panel verify».")
    key = signing.load_private(options.key) if options.key is not None else None
    if key is not None and key.vendor != package.id.partition(".")[0]:
        raise Problem(
            "wrong-vendor", f"Nøkkelen hører til «{key.vendor}», ikke til «{package.id}».", "Bruk panelets egen nøkkel."
        )
    out: Path = options.out or Path(f"{package.id}-{package.version}{packing.SUFFIX}")
    out.write_bytes(packing.sealed(content, package.id, package.version, key))
    signed = f"signert med {key.public.id}" if key is not None else "usignert: bare for sandkassen"
    print(f"Laget {out} ({len(content)} filer, {signed}).")
    return 0


def quiet() -> None:
    """What the host logs for an administrator is part of the answer here, or was done by the kit itself."""
    logging.getLogger("workspace").addHandler(logging.NullHandler())


def dev(options: argparse.Namespace) -> int:
    from workspace import development
    from workspace.shell import inspector

    if not (options.folder / "panel.toml").is_file():
        raise Problem(
            "no-package", f"«{options.folder}» har ingen panel.toml.", "Lag et panel med «workspace panel new»."
        )
    quiet()
    wanted = inspector.Options(
        options.folder.resolve(), options.view, options.theme, options.headless, options.seconds, options.screenshot
    )
    patient = f"Patient/{options.patient.removeprefix('Patient/')}"
    if options.synthetic:
        connect = development.generated()
    else:
        connect = development.sandbox(options.sandbox_folder(options.sandbox), options.username, patient)
    code, report = inspector.run(wanted, connect)
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    return code


def gallery(options: argparse.Namespace) -> int:
    if options.screenshots is not None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from workspace.shell import gallery as room

    return room.run(theme=options.theme, scale=options.text_scale, page=options.page, screenshots=options.screenshots)


# --- for administrators -------------------------------------------------------------------------------------


def _store(options: argparse.Namespace) -> Store:
    from workspace import settings
    from workspace.panels.conformance.install import Store, Trust

    profile = options.profile_folder(options.profile)
    known = settings.load(profile)
    return Store(profile / settings.PANELS, Trust(known.trusted_keys, sandbox=not known.platform))


def trust(options: argparse.Namespace) -> int:
    import msgspec

    from workspace import settings
    from workspace.panels.conformance import signing

    key = signing.load_public(options.file)
    profile = options.profile_folder(options.profile)
    known = settings.load(profile)
    keys = {**known.trusted_keys, key.id: key.text}
    settings.save(profile, msgspec.structs.replace(known, trusted_keys=keys))
    print(f"Pakker fra {key.vendor} signert med {key.id} kan nå installeres.")
    return 0


def install(options: argparse.Namespace) -> int:
    package = _store(options).install(options.file, approve=options.approve)
    print(
        f"Installerte «{package.name}» {package.version} fra {package.vendor}: {', '.join(package.scopes) or 'ingen data'}."
    )
    return 0


def list_(options: argparse.Namespace) -> int:
    from workspace import settings
    from workspace.panels import manifest

    store = _store(options)
    own, problems = manifest.discover(settings.ROOT / "plugins")
    installed, more = store.packages()
    records = store.records()
    rows = [
        {
            "id": one.id, "name": one.name, "vendor": one.vendor, "version": one.version, "installed": one.id in installed,
            "key": records[one.id].current.key if one.id in installed else "", "scopes": list(one.scopes),
            "former": former.version if one.id in installed and (former := records[one.id].former) else "",
        }
        for one in sorted((own | installed).values(), key=lambda package: package.id)
    ]  # fmt: skip
    faults = [str(problem) for problem in problems + more]
    if options.json:
        print(json.dumps({"packages": rows, "problems": faults}, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            where = f"installert ({row['key'] or 'usignert'})" if row["installed"] else "følger med"
            print(f"{row['id']:28} {row['version']:10} {row['vendor']:18} {where}")
        print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


def revert(options: argparse.Namespace) -> int:
    version = _store(options).revert(options.id)
    print(f"«{options.id}» er tilbake på {version.version}.")
    return 0
