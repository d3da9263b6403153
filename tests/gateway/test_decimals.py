"""A decimal keeps its digits from the request to every place it is read again, over real HTTP."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from tests.gateway.conftest import bundle, pulse

LITERALS = ["38.60", "7.0", "1.10e-2", "-0.50", "12345678901234567890.10", "0.000000010", "123456789012345678901234"]
EXTENSION = "urn:nobody:knows"


def body_of(resource, text):
    """`resource` as JSON with `text` for each "@"."""
    return json.dumps(resource).replace('"@"', text)


def unknown(value="@"):
    return [{"url": EXTENSION, "extension": [{"url": "part", "valueDecimal": value}]}]


def send(person, text, *, key="", body=None):
    body = body or body_of(bundle(pulse("BEB-18", value="@", extension=unknown())), text)
    headers = person.headers(**({"Idempotency-Key": key} if key else {}))
    return person.http.post("/fhir", content=body, headers=headers)


def counted(answer, text, times):
    assert answer.status_code < 300, answer.text
    found = answer.text.count(f'"value":{text},'), answer.text.count(f'"valueDecimal":{text}}}')
    assert found == (times, times), answer.text


@pytest.mark.parametrize("text", LITERALS)
def test_create_read_search_history_and_the_repeated_answer_have_the_same_digits(tone, text):
    key, body = str(uuid4()), body_of(bundle(pulse("BEB-18", value="@", extension=unknown())), text)
    first = send(tone, text, key=key, body=body)
    counted(first, text, 1)
    own = first.json()["entry"][0]["resource"]["id"]
    assert send(tone, text, key=key, body=body).content == first.content
    for path in (f"Observation/{own}", f"Observation/{own}/_history", f"Observation/{own}/_history/1"):
        counted(tone.get(path), text, 1)
    counted(tone.get("Observation?patient=BEB-18&_sort=-date&_count=5"), text, 1)
    counted(tone.get(f"/transactions/{key}"), text, 1)


def test_an_update_of_what_was_read_keeps_the_digits_and_its_history(tone):
    own = send(tone, "38.60").json()["entry"][0]["resource"]["id"]
    read = tone.get(f"Observation/{own}").text
    changed = read.replace('"final"', '"amended"')
    headers = tone.headers(**{"If-Match": 'W/"1"'})
    counted(tone.http.put(f"/fhir/Observation/{own}", content=changed, headers=headers), "38.60", 1)
    counted(tone.get(f"Observation/{own}/_history"), "38.60", 2)
    assert own in tone.ids("Observation?patient=BEB-18&value-quantity=38.6")


def test_the_feed_tells_the_digits(tone):
    since = tone.get("/changes/poll").json()["seq"]
    send(tone, "38.60")
    told = tone.get(f"/changes/poll?since={since}").text
    assert '"value":38.60,' in told
    assert '"valueDecimal":38.60}' in told


def test_a_number_too_large_to_compute_with_is_refused_in_words(tone):
    answer = send(tone, "1e999")
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["details"]["text"] == "Innholdet kan ikke leses."
    assert send(tone, "9" * 400).status_code in (200, 400)
