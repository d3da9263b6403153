"""Packing, signing and installing: what is refused, what is needed to approve, and the way back."""

from __future__ import annotations

import json
import re
import stat
import zipfile
from pathlib import Path

import pytest

from workspace.panels.conformance import files, install, pack, signing
from workspace.panels.conformance.install import Store, Trust


@pytest.fixture
def key(tmp_path):
    return signing.load_private(signing.make("eksempel", tmp_path / "keys")[0])


@pytest.fixture
def archive(made, tmp_path, key):
    """``archive(version="1.2.0", scopes=…, change={path: bytes})``: a signed package file."""
    folder = made()
    original = files.read(folder)[0]

    def make(version="1.0.0", *, scopes="", change=None, signed=key):
        content = dict(original)
        manifest = content["panel.toml"].decode().replace('version = "0.1.0"', f'version = "{version}"')
        content["panel.toml"] = re.sub(
            r"scopes = .*", f"scopes = [{scopes}]" if scopes else r"\g<0>", manifest
        ).encode()
        content |= change or {}
        file = tmp_path / f"{version}-{len(list(tmp_path.glob('*.panel')))}.panel"
        file.write_bytes(pack.sealed(content, "eksempel.demo-panel", version, signed))
        return file

    return make


@pytest.fixture
def store(tmp_path, key):
    return Store(tmp_path / "panels", Trust({key.public.id: key.public.text}))


def refused(store, file, **more):
    before = sorted((path, path.read_bytes()) for path in store._folder.rglob("*") if path.is_file())
    with pytest.raises(install.Problem) as caught:
        store.install(file, **more)
    assert sorted((path, path.read_bytes()) for path in store._folder.rglob("*") if path.is_file()) == before
    assert caught.value.advice
    return caught.value.code


# --- packing ------------------------------------------------------------------------------------------------


def test_the_same_files_give_the_same_bytes_wherever_they_lie(made, key, tmp_path):
    first, second = made(), tmp_path / "elsewhere"
    (first / "__pycache__").mkdir()
    (first / "__pycache__" / "panel.pyc").write_bytes(b"1")
    for path in sorted(
        (path for path in first.rglob("*") if path.is_file() and "__pycache__" not in path.parts), reverse=True
    ):
        target = second / path.relative_to(first)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        target.chmod(0o777)
    made_of = [pack.sealed(files.read(folder)[0], "eksempel.demo-panel", "0.1.0", key) for folder in (first, second)]
    assert made_of[0] == made_of[1]


def test_tests_are_left_out_and_all_else_is_listed_with_its_hash(archive):
    with zipfile.ZipFile(archive()) as held:
        names = set(held.namelist())
        seal = json.loads(held.read(pack.SEAL))
    assert not any(name.startswith("tests/") for name in names)
    assert {entry["path"] for entry in seal["files"]} == names - {pack.SEAL}
    assert all(len(entry["sha256"]) == 64 for entry in seal["files"])


def test_a_key_is_for_its_vendor_alone_and_never_overwritten(command, tmp_path):
    assert command("panel", "keygen", "--vendor", "eksempel")[0] == 0
    secret = Path("eksempel.key")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    held = secret.read_bytes()
    code, _, err = command("panel", "keygen", "--vendor", "eksempel")
    assert (code, "finnes fra før" in err, secret.read_bytes()) == (1, True, held)


def test_packing_with_anothers_key_is_refused(command, made):
    command("panel", "keygen", "--vendor", "nordlys")
    code, _, err = command("panel", "pack", made(), "--key", "nordlys.key")
    assert (code, "hører til «nordlys»" in err) == (1, True)
    assert not list(Path().glob("*.panel"))


# --- installing ---------------------------------------------------------------------------------------------


def test_a_signed_package_is_installed_once_it_is_approved(store, archive):
    assert refused(store, archive()) == "not-approved"
    package = store.install(archive(), approve=True)
    assert (package.id, package.version) == ("eksempel.demo-panel", "1.0.0")
    known, problems = store.packages()
    assert (list(known), problems) == (["eksempel.demo-panel"], [])
    assert known[package.id].folder.is_relative_to(store._folder)


def test_unsigned_ones_are_for_the_sandbox_only(store, archive, tmp_path):
    file = archive(signed=None)
    assert refused(store, file, approve=True) == "package-unsigned"
    sandbox = Store(tmp_path / "other", Trust({}, sandbox=True))
    assert sandbox.install(file, approve=True).version == "1.0.0"
    strict = Store(tmp_path / "other", Trust({}))  # the same folder, on a platform with patients
    assert strict.packages()[0] == {}
    assert strict.packages()[1][0].code == "package-unsigned"


def test_a_vendor_that_nobody_knows_is_refused(archive, tmp_path):
    assert refused(Store(tmp_path / "panels", Trust({}, sandbox=True)), archive(), approve=True) == "vendor-unknown"


def test_a_known_vendor_cannot_sign_for_another(archive, tmp_path):
    other = signing.load_private(signing.make("nordlys", tmp_path / "keys")[0])
    store = Store(tmp_path / "panels", Trust({other.public.id: other.public.text}))
    assert refused(store, archive(signed=other), approve=True) == "wrong-vendor"


def test_an_update_that_asks_for_more_shows_what_and_waits_for_approval(store, archive):
    store.install(archive(), approve=True)
    more = archive("1.1.0", scopes='"patient/Observation.crs", "patient/Condition.rs"')
    with pytest.raises(install.Refusal, match=r"patient/Condition\.rs"):
        store.install(more)
    assert refused(store, more) == "not-approved"
    assert store.install(more, approve=True).scopes == ("patient/Observation.crs", "patient/Condition.rs")
    less = archive("1.2.0", scopes='"patient/Observation.rs"')
    assert store.install(less).version == "1.2.0"
    assert refused(store, archive("1.3.0", scopes='"patient/Observation.crus"')) == "not-approved"


def test_older_versions_and_a_second_content_under_one_number_are_refused(store, archive):
    store.install(archive("1.10.0"), approve=True)
    assert refused(store, archive("1.9.0"), approve=True) == "downgrade"
    assert refused(store, archive("1.10.0-beta.2"), approve=True) == "downgrade"
    assert refused(store, archive("1.10.0", change={"extra.txt": b"x"}), approve=True) == "same-version"
    assert store.install(archive("1.10.0")).version == "1.10.0"  # the very same changes nothing


def test_revert_goes_back_one_version_and_forward_again(store, archive):
    store.install(archive("1.0.0"), approve=True)
    store.install(archive("1.1.0"))
    assert store.revert("eksempel.demo-panel").version == "1.0.0"
    assert store.packages()[0]["eksempel.demo-panel"].version == "1.0.0"
    assert store.revert("eksempel.demo-panel").version == "1.1.0"
    with pytest.raises(install.Refusal, match="ingen tidligere utgave"):
        store.revert("eksempel.annet")


def test_what_is_changed_on_disk_is_not_started(store, archive):
    package = store.install(archive(), approve=True)
    (package.folder / "panel.py").write_bytes(b"import socket\n")
    known, problems = store.packages()
    assert known == {}
    assert problems[0].code == "package-tampered"


@pytest.mark.parametrize("name", [".hidden.py", "tests/test_x.py", "more.py"])
def test_what_is_added_on_disk_is_not_started_either(store, archive, name):
    package = store.install(archive(), approve=True)
    added = package.folder / name
    added.parent.mkdir(exist_ok=True)
    added.write_bytes(b"import os\n")
    assert store.packages()[0] == {}


def test_code_compiled_by_somebody_else_is_not_used(store, archive):
    package = store.install(archive(), approve=True)
    cache = package.folder / "__pycache__"
    cache.mkdir()
    (cache / "panel.cpython-311.pyc").write_bytes(b"not ours")
    assert list(store.packages()[0]) == [package.id]
    assert not cache.exists()


def test_a_half_made_installation_leaves_the_former_one(store, archive, monkeypatch):
    store.install(archive("1.0.0"), approve=True)

    def cut(*_):
        raise OSError("no space left")

    monkeypatch.setattr(install, "_write", cut)
    with pytest.raises(OSError, match="no space"):
        store.install(archive("1.1.0"))
    monkeypatch.undo()
    assert store.packages()[0]["eksempel.demo-panel"].version == "1.0.0"
    assert store.install(archive("1.1.0")).version == "1.1.0"


# --- tampering ----------------------------------------------------------------------------------------------


def remade(file, change):
    """The archive with its entries changed: ``change(entries)`` gets a list of [name, bytes] or [ZipInfo, bytes]."""
    with zipfile.ZipFile(file) as held:
        entries = [[name, held.read(name)] for name in held.namelist()]
    change(entries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # zipfile's own, of names that stand twice
        with zipfile.ZipFile(file, "w") as made:
            for name, data in entries:
                made.writestr(name, data)
    return file


def entry(name, mode):
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr = 3, mode << 16
    return made


def edited_seal(entries, **change):
    seal = json.loads(entries[0][1]) | change
    entries[0][1] = json.dumps(seal).encode()


def swapped(entries, path, data):
    next(one for one in entries if one[0] == path)[1] = data


TRICKS = {
    "a changed file": (lambda e: swapped(e, "panel.py", b"import os\n"), "package-tampered"),
    "a file more": (lambda e: e.append(["extra.py", b""]), "package-tampered"),
    "a file less": (lambda e: e.pop(), "package-tampered"),
    "no seal": (lambda e: e.pop(0), "package-tampered"),
    "another id": (lambda e: edited_seal(e, id="nordlys.vitals"), "package-tampered"),
    "another version": (lambda e: edited_seal(e, version="9.0.0"), "package-tampered"),
    "another key's name": (lambda e: edited_seal(e, key="eksempel:0000000000000000"), "package-tampered"),
    "a signature of nothing": (lambda e: edited_seal(e, signature="AAAA"), "package-tampered"),
    "a seal of another format": (lambda e: edited_seal(e, format=2), "package-tampered"),
    "a seal that is no JSON": (lambda e: swapped(e, pack.SEAL, b"{"), "package-tampered"),
    "a step upwards": (lambda e: e.append(["../outside.py", b""]), "package-unsafe"),
    "an absolute name": (lambda e: e.append(["/etc/cron.d/x", b""]), "package-unsafe"),
    "a drive": (lambda e: e.append(["C:/x", b""]), "package-unsafe"),
    "backslashes": (lambda e: e.append(["..\\x", b""]), "package-unsafe"),
    "a name kept by Windows": (lambda e: e.append(["aux.py", b""]), "package-unsafe"),
    "a name twice": (lambda e: e.append(["panel.py", b"import os\n"]), "package-unsafe"),
    "a case clash": (lambda e: e.append(["PANEL.py", b""]), "package-unsafe"),
    "a file that is a folder too": (lambda e: e.append(["panel.py/x", b""]), "package-unsafe"),
    "a symbolic link": (lambda e: e.append([entry("link", stat.S_IFLNK | 0o777), b"/etc/passwd"]), "package-unsafe"),
    "a folder entry": (lambda e: e.append([entry("empty/", stat.S_IFDIR | 0o755), b""]), "package-unsafe"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_that_was_tampered_with_is_installed(store, archive, tmp_path, trick):
    change, code = TRICKS[trick]
    assert refused(store, remade(archive(), change), approve=True) == code
    assert not (tmp_path / "outside.py").exists()


def test_a_bomb_is_refused_before_it_is_unpacked(store, archive, tmp_path):
    file = archive()
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as held:
        held.writestr("film.bin", bytes(200 << 20))
    assert file.stat().st_size < 1 << 20
    assert refused(store, file, approve=True) == "package-too-large"
    many = archive("1.0.1", change={f"f{number}.txt": b"" for number in range(700)})
    assert refused(store, many, approve=True) == "package-too-large"


def test_a_bomb_that_lies_about_its_size_is_refused(store, archive):
    file = archive()
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as held:
        held.writestr("film.bin", bytes(1 << 20))
    raw = file.read_bytes()
    file.write_bytes(raw.replace((1 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert refused(store, file, approve=True) in ("package-unsafe", "package-unreadable")


def test_what_is_no_package_at_all_is_told_in_words(store, tmp_path, command):
    for name, content in {"text.panel": b"hello", "empty.panel": b"", "cut.panel": b"PK\x03\x04" + bytes(40)}.items():
        (tmp_path / name).write_bytes(content)
        assert refused(store, tmp_path / name, approve=True) == "package-unreadable"
    code, _, err = command("panel", "install", tmp_path / "none.panel")
    assert (code, "er ikke en panelpakke" in err) == (1, True)


def test_verify_of_a_tampered_archive_fails_for_just_that(archive, failed):
    file = remade(archive(), lambda e: swapped(e, "panel.py", b"import os\n"))
    bad, checks = failed(file)
    assert bad == {"K-06"}
    assert checks["P-01"]["status"] == "skipped"


# --- the command line ---------------------------------------------------------------------------------------


def test_from_key_to_list_and_back_at_the_command_line(command, made):
    folder = made()
    command("panel", "keygen", "--vendor", "eksempel")
    command("panel", "pack", folder, "--key", "eksempel.key")
    file = "eksempel.demo-panel-0.1.0.panel"
    assert command("panel", "install", file, "--approve")[0] == 1
    assert command("panel", "trust", "eksempel.pub")[0] == 0
    assert command("panel", "install", file, "--approve")[0] == 0
    code, out, _ = command("panel", "list", "--json")
    rows = {row["id"]: row for row in json.loads(out)["packages"]}
    assert code == 0
    assert rows["eksempel.demo-panel"]["installed"]
    assert rows["eksempel.demo-panel"]["key"].startswith("eksempel:")
    assert not rows["nordlys.vitals"]["installed"]
    assert command("panel", "revert", "eksempel.demo-panel")[0] == 1
