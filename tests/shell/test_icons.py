from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor

from workspace.shell import icons

ROOT = Path(__file__).resolve().parents[2]
CALL = re.compile(r"icons\.(?:paint\(\s*painter,\s*|pixmap\(\s*|icon\(\s*)\"([a-z-]+)\"")
ICON_FIELD = re.compile(r"\bicon\s*=\s*\"([a-z-]+)\"")


def used() -> set[str]:
    found = {"help"}
    for path in (ROOT / "workspace").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(CALL.findall(text)) | set(ICON_FIELD.findall(text))
    for path in (ROOT / "resources" / "layouts").glob("*.json"):
        found |= {text for text in named(json.loads(path.read_text(encoding="utf-8"))) if text}
    return found


def named(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["icon"]] if isinstance(value.get("icon"), str) else []
        return own + [name for inner in value.values() for name in named(inner)]
    return [name for inner in value for name in named(inner)] if isinstance(value, list) else []


def test_every_icon_that_is_asked_for_by_name_is_drawn():
    names = used()
    assert len(names) > 5
    assert names - set(icons.names()) == set()


@pytest.mark.parametrize("name", [*icons.names()])
def test_every_drawing_takes_the_colour_it_is_given(qapp, name: str):
    image = icons.pixmap(name, "#ff0000", 24, 2.0).toImage()
    seen = {image.pixelColor(x, y).getRgb() for x in range(image.width()) for y in range(image.height())}
    inked = [color for color in seen if color[3] > 128]
    assert inked, "nothing is drawn"
    assert all(red > 200 and green < 40 and blue < 40 for red, green, blue, _ in inked)


def test_an_unknown_name_is_drawn_as_a_question(qapp):
    missing, known = icons.pixmap("no-such", "#000000"), icons.pixmap("help", QColor("#000000"))
    assert missing.toImage() == known.toImage()
    assert icons.pixmap("../../themes/light", "#000000").toImage() == known.toImage()


def test_an_icon_is_crisp_on_a_dense_screen(qapp):
    made = icons.pixmap("bed", "#000000", 20, 2.0)
    assert (made.width(), made.deviceIndependentSize().width()) == (40, 20)
