"""What a panel wants printed: checked as a render is, and handed to the shell, which asks the user. Never prints."""

from __future__ import annotations

from collections.abc import Callable

from workspace.panels.face import PanelListener, Paper
from workspace.panels.protocol import Document, InvalidParams, PrintResult, TooMany
from workspace.panels.tree import Tree, check_strings

UNASKED = "Utskrift må komme av noe brukeren gjør i panelet."


class Papers:
    """One panel's. `wished()` says whether the user has just done something in it: no sheet opens out of nowhere."""

    def __init__(self, listener: PanelListener, title: str, wished: Callable[[], bool]) -> None:
        self._listener, self._title, self._wished = listener, title, wished
        self._asking = False

    async def print(self, document: Document) -> PrintResult:
        """Raises InvalidParams, TooLarge, and TooMany while the user is asked about another."""
        if self._asking:
            raise TooMany("the user has not decided about the former document yet")
        tree = Tree()
        if document.tree is not None:
            check_strings(document.tree)
            tree.whole(document.tree)
        elif not document.text.strip():
            raise InvalidParams("a document needs a text or a tree")
        if not self._wished():
            return PrintResult(printed=False, reason=UNASKED)
        self._asking = True
        try:
            paper = Paper(document.title or self._title, document.text, tree.root, tree.nodes)
            printed, reason = await self._listener.printing(paper)
        finally:
            self._asking = False
        return PrintResult(printed=printed, reason=reason)
