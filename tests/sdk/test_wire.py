from __future__ import annotations

import copy
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


@pytest.mark.parametrize(("loads", "dumps"), BOTH)
@pytest.mark.parametrize("text", ["38.60", "7.0", "1.10e-2", "-0.50", "1E+22", "0.00001", "12345678901234567890.10"])
def test_a_number_goes_back_with_the_digits_it_came_with(loads, dumps, text):
    line = f'{{"å \\"":[{{"value":{text},"unit":"38.60 \\n","more":[null,true,2]}}],"empty":[{{}},[]]}}'
    read = loads(line)
    assert dumps(read) == line
    assert dumps(copy.deepcopy(read)) == line
    value = read['å "'][0]["value"]
    assert value == float(text)
    assert value * 2 == float(text) * 2
