"""Tokens: what they say, and every way they are refused."""

from __future__ import annotations

from joserfc import jwt
from joserfc.jwk import KeySet


def _read(visit, token):
    keys = KeySet.import_key_set(visit.http.get(f"{visit.issuer}/jwks").json())
    return jwt.decode(token, keys, algorithms=["RS256"])


def _refused(answer, error, status=400):
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"


def test_tokens_say_who_it_is_by_keys_that_anybody_may_read(visit):
    given = visit.sign_on("tone")
    about, access = _read(visit, given["id_token"]), _read(visit, given["access_token"])
    assert access.header["typ"] == "at+jwt"
    for token in (about, access):
        assert token.claims["name"] == "Tone Åsheim"
        assert token.claims["preferred_username"] == "tone"
        assert token.claims["fhirUser"] == "Practitioner/tone"
        assert token.claims["role"] == "sykepleier"
        assert token.claims["helseid://claims/identity/security_level"] == "4"
        assert token.claims["helseid://claims/hpr/hpr_number"] == "9000001"
        assert token.claims["iss"] == visit.issuer
        assert token.claims["auth_time"] <= token.claims["iat"]
    assert about.claims["nonce"] == "a-nonce"
    assert about.claims["aud"] == about.claims["azp"] == "workspace-shell"
    assert access.claims["aud"] == visit.issuer.removesuffix("/identity")
    assert access.claims["exp"] - access.claims["iat"] == 600 == given["expires_in"]
    assert access.claims["sid"] == about.claims["sid"]


def test_a_person_without_number_has_no_hpr_claim(visit):
    claims = _read(visit, visit.sign_on("bo")["id_token"]).claims
    assert "helseid://claims/hpr/hpr_number" not in claims


def test_published_keys_hold_nothing_private(visit):
    (key,) = visit.http.get(f"{visit.issuer}/jwks").json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}


def test_a_missing_or_wrong_verifier_is_refused_and_spends_the_code(visit):
    _refused(visit.token(code=visit.code(), without=("code_verifier",)), "invalid_request")
    code = visit.code()
    _refused(visit.token(code=code, code_verifier="w" * 50), "invalid_grant")
    _refused(visit.token(code=code), "invalid_grant")


def test_a_replayed_code_is_refused_and_ends_the_session_it_made(visit, place):
    code = visit.code()
    given = visit.token(code=code).json()
    sid = _read(visit, given["access_token"]).claims["sid"]
    assert not place.provider.sessions.ended(sid)
    _refused(visit.token(code=code), "invalid_grant")
    assert place.provider.sessions.ended(sid)
    _refused(visit.refresh(given["refresh_token"]), "invalid_grant")


def test_a_code_is_good_for_one_minute(visit, place):
    code = visit.code()
    place.clock.ahead += 61
    _refused(visit.token(code=code), "invalid_grant")


def test_a_code_belongs_to_its_redirect(visit):
    _refused(visit.token(code=visit.code(), redirect_uri="http://127.0.0.1:9/callback"), "invalid_grant")


def test_other_clients_and_grants_are_refused(visit):
    _refused(visit.token(code=visit.code(), client_id="other"), "invalid_client", 401)
    _refused(visit.token(grant_type="password", username="tone"), "unsupported_grant_type")
    _refused(visit.token(without=("grant_type",)), "invalid_request")
    answer = visit.http.post(f"{visit.issuer}/token", json={"grant_type": "authorization_code"})
    assert answer.status_code in (400, 401)


def test_refresh_rotates_and_keeps_the_session(visit):
    first = visit.sign_on()
    second = visit.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    sids = {_read(visit, given["access_token"]).claims["sid"] for given in (first, second)}
    assert len(sids) == 1
    assert "nonce" not in _read(visit, second["id_token"]).claims


def test_a_reused_refresh_token_ends_the_whole_session(visit, place):
    told = []
    place.provider.sessions.on_end(told.append)
    first = visit.sign_on()
    second = visit.refresh(first["refresh_token"]).json()
    sid = _read(visit, second["access_token"]).claims["sid"]
    _refused(visit.refresh(first["refresh_token"]), "invalid_grant")
    _refused(visit.refresh(second["refresh_token"]), "invalid_grant")
    assert place.provider.sessions.ended(sid)
    assert told == [sid]


def test_no_refresh_token_unless_asked_for(visit):
    given = visit.token(code=visit.code(scope="openid")).json()
    assert "refresh_token" not in given


def test_userinfo_answers_the_bearer_until_the_session_ends(visit, place):
    given = visit.sign_on()

    def ask(token):
        return visit.http.get(f"{visit.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"})

    assert ask(given["access_token"]).json()["preferred_username"] == "tone"
    assert ask(given["id_token"]).status_code == 401
    assert ask("nonsense").status_code == 401
    assert visit.http.get(f"{visit.issuer}/userinfo").status_code == 401
    place.clock.ahead += 601
    assert ask(given["access_token"]).status_code == 401
    place.clock.ahead = 0
    place.provider.sessions.end(_read(visit, given["access_token"]).claims["sid"])
    assert ask(given["access_token"]).status_code == 401


def test_revoking_the_refresh_token_ends_the_session(visit, place):
    given = visit.sign_on()
    form = {"client_id": "workspace-shell", "token": given["refresh_token"]}
    assert visit.http.post(f"{visit.issuer}/revoke", data=form).status_code == 200
    assert place.provider.sessions.ended(_read(visit, given["access_token"]).claims["sid"])
    _refused(visit.refresh(given["refresh_token"]), "invalid_grant")
    assert visit.http.post(f"{visit.issuer}/revoke", data=form | {"token": "unknown"}).status_code == 200


def test_end_session_with_a_hint_ends_it_and_goes_back(visit, place):
    given = visit.sign_on()
    asked = {
        "id_token_hint": given["id_token"],
        "post_logout_redirect_uri": "http://127.0.0.1:5000/signed-out",
        "state": "s p",
    }
    answer = visit.http.get(f"{visit.issuer}/end-session", params=asked)
    assert answer.headers["location"] == "http://127.0.0.1:5000/signed-out?state=s+p"
    assert place.provider.sessions.ended(_read(visit, given["access_token"]).claims["sid"])


def test_end_session_never_redirects_abroad_and_needs_to_know_whom(visit, place):
    given = visit.sign_on()
    sid = _read(visit, given["access_token"]).claims["sid"]
    nobody = visit.http.get(f"{visit.issuer}/end-session")
    assert nobody.status_code == 400
    forged = given["id_token"][:-8] + "AAAAAAAA"
    assert visit.http.post(f"{visit.issuer}/end-session", data={"id_token_hint": forged}).status_code == 400
    assert not place.provider.sessions.ended(sid)
    asked = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": "https://evil.example/"}
    answer = visit.http.get(f"{visit.issuer}/end-session", params=asked)
    assert answer.status_code == 200
    assert "Du er logget ut" in answer.text


def test_a_session_ends_by_itself_after_a_shift(visit, place):
    given = visit.sign_on()
    sid = _read(visit, given["access_token"]).claims["sid"]
    place.clock.ahead += 12 * 3600 + 1
    assert place.provider.sessions.ended(sid)
    _refused(visit.refresh(given["refresh_token"]), "invalid_grant")


def test_a_restart_keeps_sessions_and_the_file_is_private_and_without_tokens(place):
    visit = place.serve()
    given = visit.sign_on()
    place.stop()
    file = place.folder / "identity.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert given["refresh_token"] not in file.read_text()
    again = place.serve()
    fresh = again.refresh(given["refresh_token"])
    assert fresh.status_code == 200
    # The token from before the restart is still good by the published key.
    assert _read(again, given["access_token"]).claims["preferred_username"] == "tone"
    assert [entry.name for entry in place.folder.iterdir()] == ["identity.json"]


def test_discovery_names_what_is_there(visit):
    body = visit.http.get(f"{visit.issuer}/.well-known/openid-configuration").json()
    assert body["issuer"] == visit.issuer
    assert body["code_challenge_methods_supported"] == ["S256"]
    assert body["authorization_response_iss_parameter_supported"] is True
    for name in ("jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint"):
        assert visit.http.get(body[name]).status_code != 404
