"""The provider's file when it is not as it should be."""

from __future__ import annotations

import pytest

from workspace.problem import Problem
from workspace.sandbox.identity.store import Store


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_damaged_file_is_named_and_left_alone(tmp_path, content):
    file = tmp_path / "identity.json"
    file.write_text(content)
    with pytest.raises(Problem) as caught:
        Store(tmp_path)
    assert caught.value.code == "identity-file-damaged"
    assert str(file) in caught.value.sentence
    assert file.read_text() == content


def test_a_failed_write_keeps_the_former_file(tmp_path):
    store = Store(tmp_path)
    store.put("a", 1)
    with pytest.raises(TypeError):
        store.put("b", object())
    assert Store(tmp_path).get("a") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["identity.json"]
