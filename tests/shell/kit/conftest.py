"""A panel's instance without a panel: the tree is the real one, what is typed and run is noted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.shell.kit.fakes import FakeInstance, Spawner
from workspace.clock import OSLO
from workspace.shell import theme as themes
from workspace.shell.kit import access
from workspace.shell.kit.body import PanelBody
from workspace.shell.kit.env import Env

NOW = datetime(2026, 1, 14, 15, 4, tzinfo=OSLO)


@pytest.fixture
def light(qapp) -> themes.Theme:
    access.install()
    return themes.apply(qapp, themes.load("light"))


@pytest.fixture
def instance() -> FakeInstance:
    return FakeInstance()


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    made = Spawner()
    yield made
    made.loop.run_until_complete(asyncio.sleep(0))
    made.close()


@pytest.fixture
def body(qtbot, light, instance, spawner) -> PanelBody:
    made = PanelBody(light, lambda: NOW, spawner)
    made.resize(520, 420)
    made.show()
    qtbot.addWidget(made)
    instance.listener = made
    made.attach(instance)
    return made


class Notes:
    """An Env's ways back, noted."""

    def __init__(self, theme: themes.Theme, rows: Any = None) -> None:
        self.values: dict[str, Any] = {}
        self.typed: list[tuple[str, Any]] = []
        self.ran: list[Any] = []
        self.rows = rows
        self.env = Env(theme, lambda: NOW, self.ran.append, lambda watch: self.rows, self.values.get, self._typed)

    def _typed(self, bind: str, value: Any) -> None:
        self.typed.append((bind, value))
        self.values[bind] = value


@pytest.fixture
def notes(light) -> Notes:
    return Notes(light)
