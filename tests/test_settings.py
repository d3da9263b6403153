"""The profile's settings: a missing file is fine, a broken one is told and left as it is."""

import pytest

from workspace.problem import Problem
from workspace.settings import FILE, Settings, load, save


def test_a_new_profile_has_the_defaults(tmp_path):
    assert load(tmp_path / "new") == Settings()


def test_what_is_saved_is_read_again(tmp_path):
    mine = Settings(platform="https://plattform.example", theme="dark", text_scale=150)
    save(tmp_path / "deep" / "profile", mine)
    assert load(tmp_path / "deep" / "profile") == mine
    assert [p.name for p in (tmp_path / "deep" / "profile").iterdir()] == [FILE]


@pytest.mark.parametrize("text", ["{", '{"text_scale": "stor"}', "[" * 5000, '{"text_scale": 400}'])
def test_a_broken_file_is_told_and_kept(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(Problem) as caught:
        load(tmp_path)
    assert caught.value.code == "settings-broken"
    assert FILE in caught.value.sentence
    assert caught.value.advice
    assert (tmp_path / FILE).read_text() == text
