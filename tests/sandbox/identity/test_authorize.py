"""What the authorization endpoint lets in, what it tells the client, and what it never redirects."""

from __future__ import annotations

import pytest


def test_the_answer_carries_code_state_and_issuer(visit):
    told = visit.told(visit.press(visit.authorize(), username="tone"))
    assert told["state"] == "a-state"
    assert told["iss"] == visit.issuer
    assert len(told["code"]) > 30


@pytest.mark.parametrize(
    ("changed", "without", "error"),
    [
        ({"code_challenge_method": "plain"}, (), "invalid_request"),
        ({}, ("code_challenge_method",), "invalid_request"),
        ({}, ("code_challenge", "code_challenge_method"), "invalid_request"),
        ({"code_challenge": "short"}, (), "invalid_request"),
        ({}, ("nonce",), "invalid_request"),
        ({"scope": "profile"}, (), "invalid_scope"),
        ({"response_type": "token"}, (), "unsupported_response_type"),
        ({"request": "eyJ"}, (), "request_not_supported"),
        ({"prompt": "none"}, (), "login_required"),
    ],
)
def test_a_bad_request_is_told_to_the_client_with_its_state(visit, changed, without, error):
    told = visit.told(visit.authorize(without=without, **changed))
    assert told["error"] == error
    assert told["state"] == "a-state"
    assert told["iss"] == visit.issuer
    assert "code" not in told


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://localhost:4000/callback",
        "https://127.0.0.1:4000/callback",
        "http://127.0.0.1:4000/callback/more",
        "http://127.0.0.1:4000/callback?x=1",
        "http://127.0.0.1:4000/callback#x",
        "http://127.0.0.1:4000/signed-out",
        "http://127.0.0.1:70000/callback",
        "http://127.0.0.1:4000/callback\n",
        "",
    ],
)
def test_a_foreign_redirect_gets_a_page_and_never_a_redirect(visit, uri):
    answer = visit.authorize(redirect_uri=uri)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "Innloggingen stoppet" in answer.text


def test_a_foreign_redirect_is_not_followed_even_when_all_else_is_wrong(visit):
    answer = visit.authorize(redirect_uri="https://evil.example/", response_type="token")
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_an_unknown_client_gets_a_page(visit):
    answer = visit.authorize(client_id="someone-else")
    assert answer.status_code == 400
    assert "ikke kjent" in answer.text


def test_a_parameter_given_twice_is_refused(visit):
    pairs = [*visit.asked.items(), ("nonce", "another")]
    assert visit.told(visit.http.get(f"{visit.issuer}/authorize", params=pairs))["error"] == "invalid_request"
    twice = [*visit.asked.items(), ("redirect_uri", "https://evil.example/")]
    assert visit.http.get(f"{visit.issuer}/authorize", params=twice).status_code == 400


def test_any_port_of_the_loopback_is_the_same_client(visit):
    for uri in ("http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"):
        assert visit.authorize(redirect_uri=uri).status_code == 200


def test_the_request_may_be_posted(visit):
    answer = visit.http.post(f"{visit.issuer}/authorize", data=visit.asked)
    assert answer.status_code == 200
    assert "Tone Åsheim" in answer.text


def test_cancelling_is_told_as_access_denied(visit):
    assert visit.told(visit.press(visit.authorize(), cancel="1"))["error"] == "access_denied"


def test_a_login_page_is_good_once_and_for_ten_minutes(visit, place):
    page = visit.authorize()
    visit.told(visit.press(page, username="tone"))
    again = visit.press(page, username="tone")
    assert again.status_code == 400
    assert "allerede brukt" in again.text
    page = visit.authorize()
    place.clock.ahead += 601
    assert visit.press(page, username="tone").status_code == 400


def test_nobody_signs_in_as_a_person_who_is_not_there(visit):
    answer = visit.press(visit.authorize(), username="nobody")
    assert answer.status_code == 400
    assert "location" not in answer.headers
