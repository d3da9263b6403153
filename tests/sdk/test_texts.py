"""A panel's words in the user's language."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workspace.sdk import Panel, ui
from workspace.sdk.testing import Bench
from workspace.sdk.texts import Texts, parse

NB = """# bokmål
saved = "Lagret"
only = "Bare på \\"bokmål\\"\\nog videre"

[rows]
one = "{n} rad"
two = "{n} rader (to)"
other = "{n} rader"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "nb.toml").write_text(NB, encoding="utf-8")
    (tmp_path / "texts" / "nn.toml").write_text('saved = "Lagra"\n', encoding="utf-8")
    (tmp_path / "texts" / "en.toml").write_text('saved = "Saved"\ndose = "{mg} mg"', encoding="utf-8")
    return tmp_path


def test_what_a_language_lacks_is_bokmål(folder, capsys):
    texts = Texts(str(folder))
    assert [texts.get("saved", one, {}) for one in ("nb", "nn-NO", "en", "se")] == [
        "Lagret",
        "Lagra",
        "Saved",
        "Lagret",
    ]
    assert texts.get("only", "nn", {}) == 'Bare på "bokmål"\nog videre'
    assert capsys.readouterr().err == ""
    assert texts.get("gone", "nn", {}) == "gone"
    assert "no text for 'gone'" in capsys.readouterr().err


def test_numbers_choose_the_form_and_are_written_as_the_language_does(folder):
    texts = Texts(str(folder))
    assert [texts.get("rows", "nb", {"n": n}) for n in (0, 1, 2, 3)] == ["0 rader", "1 rad", "2 rader (to)", "3 rader"]
    assert texts.get("dose", "en", {"mg": 2.5}) == "2.5 mg"
    (folder / "texts" / "nb.toml").write_text('dose = "{mg} mg"', encoding="utf-8")
    assert Texts(str(folder)).get("dose", "nb", {"mg": 2.5}) == "2,5 mg"


@pytest.mark.parametrize(
    "text",
    [
        NB,
        'a.b = "x"\n["c"]\nd = "y"',
        "a = 'literal'  # why",
        'a = """\nlong"""',
        '[x.y]\nz = "1"\n\n# end',
        'a = "\\u00e5"',
        'quoted."key" = "x"',
    ],
)
def test_the_quick_reading_says_what_the_whole_one_says(text):
    import tomllib

    def flat(table, before=""):
        for name, value in table.items():
            yield from flat(value, f"{before}{name}.") if isinstance(value, dict) else [(before + name, value)]

    assert parse(text) == dict(flat(tomllib.loads(text)))


def test_what_is_no_toml_says_so():
    with pytest.raises(ValueError, match="line 1"):
        parse("saved = Lagret")


def test_the_language_is_switched_while_the_panel_runs(folder):
    panel = Panel()
    panel.texts = Texts(str(folder))

    @panel.view("main")
    def main(ctx):
        return ui.column(ui.text(ctx.t("saved")), ui.text(ctx.locale))

    bench = Bench(panel)
    bench.open("main")
    assert bench.texts() == "Lagret\nnb"
    bench.language("en")
    assert bench.texts() == "Saved\nen"


def test_the_first_text_does_not_cost_an_import(folder):
    code = (
        "import sys\nfrom workspace.sdk.texts import Texts\n"
        f"assert Texts({str(folder)!r}).get('rows', 'nb', {{'n': 1}}) == '1 rad'\n"
        "assert not {'tomllib', 're', 'typing'} & set(sys.modules), 'slow'"
    )
    subprocess.run(
        [sys.executable, "-S", "-c", code], check=True, cwd=str(__import__("pathlib").Path(__file__).parents[2])
    )
