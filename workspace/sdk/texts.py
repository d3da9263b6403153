"""A panel's translations: ``texts/<language>.toml`` in its package, read when the first text is asked for.

saved = "Lagret" [rows] one = "{n} rad" other = "{n} rader"

``ctx.t("saved")``, ``ctx.t("rows", n=3)``. What a language lacks is taken from bokmål. A plain file is read without
`tomllib`, whose import costs more than a panel's whole start; anything unusual in it is left to `tomllib`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FALLBACK = "nb"
_FORMS = {0: "zero", 1: "one", 2: "two"}
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class Texts:
    """`folder` is the package's. Languages are read once each."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._read: dict[str, dict[str, str]] = {}
        self._missed: set[tuple[str, str]] = set()

    def get(self, key: str, locale: str, args: dict[str, Any]) -> str:
        """The text with its ``{names}`` filled in; the key itself where no language has it, and a word on stderr."""
        for language in dict.fromkeys((locale, locale.partition("-")[0], FALLBACK)):
            found = self._found(self._language(language), key, args.get("n"))
            if found is not None:
                return _filled(found, args, locale)
        if (key, locale) not in self._missed:
            self._missed.add((key, locale))
            sys.stderr.write(f"texts/{locale}.toml: no text for {key!r}, and none in texts/{FALLBACK}.toml\n")
        return key

    def _found(self, texts: dict[str, str], key: str, number: Any) -> str | None:
        """Some languages have a form for two, as Northern Sámi has; a form that is missing is `other`."""
        if isinstance(number, int | float):
            form = _FORMS.get(number) if isinstance(number, int) else None
            for name in (form, "other"):
                if name is not None and f"{key}.{name}" in texts:
                    return texts[f"{key}.{name}"]
        return texts.get(key)

    def _language(self, language: str) -> dict[str, str]:
        if language not in self._read:
            self._read[language] = self._load(language)
        return self._read[language]

    def _load(self, language: str) -> dict[str, str]:
        if not language.replace("-", "").isalnum():
            return {}
        try:
            with open(f"{self.folder}/texts/{language}.toml", encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError):
            return {}
        return parse(text)


def parse(text: str) -> dict[str, str]:
    """Texts by dotted key. Raises ValueError for what is no TOML."""
    found = _plain(text)
    if found is not None:
        return found
    import tomllib

    flat: dict[str, str] = {}
    _flatten(tomllib.loads(text), "", flat)
    return flat


def _plain(text: str) -> dict[str, str] | None:
    """``key = "text"`` lines under ``[section]`` lines; None when there is anything else."""
    found: dict[str, str] = {}
    section = ""
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or line[0] == "#":
            continue
        if line[0] == "[":
            name = line[1:-1].strip()
            if line[-1] != "]" or not _bare(name):
                return None
            section = name + "."
            continue
        name, equals, rest = line.partition("=")
        name, value = name.strip(), _string(rest.strip())
        if not equals or not _bare(name) or value is None or section + name in found:
            return None
        found[section + name] = value
    return found


def _bare(name: str) -> bool:
    plain = name.replace("_", "").replace("-", "").replace(".", "")
    return bool(plain) and plain.isascii() and plain.isalnum() and ".." not in name and name.strip(".") == name


def _string(text: str) -> str | None:
    """A basic string on one line, without comment behind it."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"' or text.startswith('"""'):
        return None
    inner = text[1:-1]
    if "\\" not in inner:
        return None if '"' in inner else inner
    made, at = [], 0
    while at < len(inner):
        char = inner[at]
        if char == '"':
            return None
        if char == "\\":
            at += 1
            escaped = _ESCAPES.get(inner[at] if at < len(inner) else "")
            if escaped is None:
                return None
            char = escaped
        made.append(char)
        at += 1
    return "".join(made)


def _flatten(table: dict[str, Any], before: str, found: dict[str, str]) -> None:
    for name, value in table.items():
        if isinstance(value, dict):
            _flatten(value, f"{before}{name}.", found)
        else:
            found[before + name] = str(value)


def _filled(text: str, args: dict[str, Any], locale: str) -> str:
    for name, value in args.items():
        said = str(value)
        if isinstance(value, float) and not locale.startswith("en"):
            said = said.replace(".", ",")
        text = text.replace("{" + name + "}", said)
    return text
