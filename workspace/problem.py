"""The one way an expected failure reaches a person: a plain sentence and what to do about it.

Every room raises `Problem` (or a subclass of its own) for what can go wrong in ordinary life: the platform is
not there, a token has run out, a file is damaged. The sentence is Norwegian bokmål and stands alone; `advice`
says what to do. Programming errors are not problems: they stay exceptions and reach the crash log.
"""

from __future__ import annotations


class Problem(Exception):
    """An expected failure.

    Attributes:
        code: stable name in kebab case, e.g. ``platform-unreachable``; survives the wire and the log.
        sentence: what happened, one plain Norwegian sentence without patient data.
        advice: what the user can do, one Norwegian sentence; empty when there is nothing to do.
        detail: for the log and the support desk, English, never shown first.
    """

    def __init__(self, code: str, sentence: str, advice: str = "", detail: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.advice = advice
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".strip()
