"""Decimals keep the digits they were written with, whoever reads and writes them in between."""

from __future__ import annotations

import copy
import json as plain
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace.fhir import json

NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)


@given(NUMBERS, NUMBERS)
def test_any_decimal_of_r4_is_written_as_it_was_read(one, other):
    raw = f'{{"value":{one},"extension":[{{"url":"u","valueDecimal":{other}}}]}}'.encode()
    read = json.loads(raw)
    assert json.dumps(read) == raw
    assert json.dumps(json.loads(json.dumps(copy.deepcopy(read)))) == raw
    assert json.dumps(pickle.loads(pickle.dumps(read))) == raw
    assert float(read["value"]) == float(one)


@pytest.mark.parametrize("text", ["-0", "-0.0", "12345678901234567890123", "38.60", "1E+2", "0.00001", "1e-400"])
@pytest.mark.parametrize("shape", ['{"a":%s}', '{"a": %s}', '{\n "a": %s,\n "b": 1\n}', '{"a":[{"b":%s}]}'])
def test_the_odd_ones_survive_with_any_white_space(text, shape):
    assert json.dumps(json.loads(shape % text)) == "".join((shape % text).split()).encode()


def test_what_is_nested_deeper_than_any_resource_survives_too():
    raw = b'{"a":' * 400 + b"38.60" + b"}" * 400
    assert json.dumps(json.loads(raw)) == raw


def test_a_literal_is_a_number_like_any():
    body = json.loads('{"a":38.60,"b":38.6,"c":2.50,"d":38.0}')
    assert body["a"] == body["b"]
    assert hash(body["a"]) == hash(38.6)
    assert sorted([body["a"], body["c"]]) == [2.5, 38.6]
    assert body["a"] + body["c"] == pytest.approx(41.1)
    assert isinstance(body["a"], float)
    assert type(body["b"]) is float
    assert isinstance(body["d"], json.Literal), "a measured 38.0 is shown with its tenth"


@pytest.mark.parametrize("raw", [b"", b"{", b"[NaN]", b"[1e999]", b'["\xff"]', b"[01]", b"[" * 100_000, b'{"a":-0,}'])
def test_what_cannot_be_read_is_one_kind_of_error(raw):
    with pytest.raises(json.NotJson):
        json.loads(raw)


@pytest.mark.parametrize("text", ["", "38,6", " 1", "1e999", "NaN", "+1", "1."])
def test_a_literal_is_made_of_a_json_number_only(text):
    with pytest.raises(ValueError, match="number"):
        json.Literal(text)


def test_what_is_not_json_is_refused_and_the_python_module_still_reads_what_we_write():
    with pytest.raises(TypeError):
        json.dumps({"a": {1, 2}})
    assert plain.loads(json.dumps({"å": json.Literal("7.0e1")})) == {"å": 70.0}
