from __future__ import annotations

import json

import pytest

from workspace.sdk import wire

BOTH = [wire._fast(), wire._plain()]
VALUES = [None, True, -1.5, 'Blåbær "x" \\ \n\u2028', [], {"a": [1, {"b": None}]}, "\U0001f6cf"]


@pytest.mark.parametrize(("loads", "dumps"), BOTH)
def test_values_survive_both_ways_on_one_line(loads, dumps):
    for value in VALUES:
        line = dumps(value)
        assert "\n" not in line
        assert loads(line) == value
        assert json.loads(line) == value


@pytest.mark.parametrize(("loads", "dumps"), BOTH)
@pytest.mark.parametrize("line", ["", "{", "{} {}", "NaN", "[1,]", "'a'", "{1:2}"])
def test_what_is_not_json_is_a_value_error(loads, dumps, line):
    with pytest.raises(ValueError):  # noqa: PT011 - any text of it
        loads(line)


@pytest.mark.parametrize(("loads", "dumps"), BOTH)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {"a": {1, 2}}])
def test_what_cannot_be_sent_is_refused(loads, dumps, value):
    with pytest.raises((ValueError, TypeError)):
        dumps(value)
