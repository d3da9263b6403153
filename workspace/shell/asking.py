"""Two questions a panel may have the shell ask: which panel is meant, and whether to print. Asked in a sheet; the work
behind stays live, and the sheet goes with the patient it is about. Decides nothing itself.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Sequence

from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QDialog, QTextBrowser, QWidget

from workspace.panels.components import Component
from workspace.panels.face import Paper, TreeNode
from workspace.shell.chips import PlainButton
from workspace.shell.sheet import Sheet
from workspace.shell.theme import Theme


async def ask_choice(theme: Theme, window: QWidget, question: str, choices: Sequence[str]) -> int | None:
    """The index of what the user chose; None when the sheet was closed without a choice."""
    sheet = Sheet(theme, window, "Velg panel", question)
    answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    for index, choice in enumerate(choices):
        button = PlainButton(theme, choice)
        button.clicked.connect(lambda _=False, at=index: _answer(answer, at))
        sheet.inside.addWidget(button)
    sheet.inside.addStretch(1)
    return await _answered(sheet, answer)


async def print_paper(theme: Theme, window: QWidget, paper: Paper, about: Sequence[str]) -> tuple[bool, str]:
    """Show the paper as it will be, with `about` (whom, from which panel, when) above it, and print it if the user says
    so. Whether it was printed, and why not."""
    document = QTextDocument()
    document.setDefaultFont(theme.font("body"))
    document.setHtml(page(paper, about))
    sheet = Sheet(theme, window, "Skriv ut", "Slik blir utskriften. Den forlater denne maskinen først når du sier det.")
    answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    button = PlainButton(theme, "Velg skriver …", primary=True)
    button.clicked.connect(lambda: _answer(answer, 1))
    view = QTextBrowser()
    view.setOpenLinks(False)
    view.setDocument(document)
    view.setAccessibleName(f"Forhåndsvisning av {paper.title}")
    sheet.inside.addWidget(button)
    sheet.inside.addWidget(view, 1)
    if await _answered(sheet, answer) is None:
        return False, "Brukeren skrev det ikke ut."
    # Loaded when it is needed: it costs a start nothing.
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo

    if not QPrinterInfo.availablePrinterNames():
        return False, "Denne maskinen har ingen skriver."
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    dialog = QPrintDialog(printer, window)
    chosen: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    dialog.finished.connect(lambda code: _answer(chosen, code))
    QDialog.open(dialog)  # never exec(): the loop must run on
    try:
        if await chosen != QDialog.DialogCode.Accepted.value:
            return False, "Brukeren skrev det ikke ut."
        document.print_(printer)
        return True, ""
    finally:
        dialog.close()
        dialog.deleteLater()


def page(paper: Paper, about: Sequence[str]) -> str:
    """Rich text of our own making: everything that came from a panel is escaped."""
    head = "<br>".join(html.escape(line) for line in about if line)
    lines = paper.text.splitlines() if paper.root is None else written(paper)
    body = "".join(f"<p>{html.escape(line) or '&nbsp;'}</p>" for line in lines)
    return f"<p>{head}</p><hr><h2>{html.escape(paper.title)}</h2>{body}"


def written(paper: Paper) -> list[str]:
    """A tree of components as lines, in reading order."""
    lines: list[str] = []

    def walk(node: TreeNode) -> None:
        lines.extend(_words(node.component))
        for child in node.children:
            walk(paper.nodes[child])

    if paper.root is not None:
        walk(paper.nodes[paper.root])
    return lines


def _words(component: Component) -> list[str]:
    rows = getattr(component, "rows", None)
    if component.kind == "table" and isinstance(rows, list):
        columns = getattr(component, "columns", [])
        found = ["  ·  ".join(column.title for column in columns)]
        for row in rows:
            cells = (row.cells.get(column.key) for column in columns)
            texts = (getattr(cell, "text", cell) for cell in cells)
            found.append("  ·  ".join("" if text is None else str(text) for text in texts))
        return found
    texts = (getattr(component, name, "") for name in ("title", "text"))
    return [text for text in texts if isinstance(text, str) and text]


def _answer(future: asyncio.Future[int | None], value: int | None) -> None:
    if not future.done():
        future.set_result(value)


async def _answered(sheet: Sheet, answer: asyncio.Future[int | None]) -> int | None:
    """Open it and wait. It goes from view with the answer, and when nobody waits any more."""
    sheet.closed.connect(lambda: _answer(answer, None))
    sheet.open()
    try:
        return await answer
    finally:
        sheet.close_()
        sheet.deleteLater()
