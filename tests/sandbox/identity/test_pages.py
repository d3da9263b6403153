"""The pages: safe to show, whole without JavaScript, and closed to everything from outside."""

from __future__ import annotations

import re


def test_every_person_is_a_real_submit_button_with_text_escaped(visit):
    page = visit.authorize().text
    assert "<title>Fjellheim sykehjem</title>" in page
    assert 'lang="nb"' in page
    assert "SANDKASSE" in page
    assert re.findall(r'<button class="card" name="username" value="([a-z]+)"', page) == ["tone", "bo"]
    assert "Bo &lt;Li&gt; &amp; Co" in page
    assert "<Li>" not in page
    assert "Kveldsvakt 14.30–22.00" in page


def test_the_policy_closes_the_page_and_nothing_is_inline_or_from_elsewhere(visit):
    answer = visit.authorize()
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:45123" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<style|style=|\son[a-z]+=|<script(?! src)", answer.text)
    for address in re.findall(r'(?:href|src|action)="([^"]+)"', answer.text):
        assert address.startswith(visit.issuer + "/")
        assert visit.http.get(address).status_code in (200, 405)


def test_a_hint_starts_at_that_person(visit):
    page = visit.authorize(login_hint="bo").text
    assert re.search(r'value="bo" autofocus', page)
    assert page.count("autofocus") == 1


def test_a_hint_cannot_break_out_of_the_page(visit):
    assert "<script>alert" not in visit.authorize(login_hint='"><script>alert(1)</script>').text
