"""Two questions a panel may have the shell ask: which panel is meant, and whether to print. Asked in a sheet over the
panel's window; the event loop runs on meanwhile. Decides nothing itself."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Sequence

from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from workspace.panels.components import Component
from workspace.panels.face import Paper, TreeNode

NO = "Avbryt"


async def ask_choice(parent: QWidget, question: str, choices: Sequence[str]) -> int | None:
    """The index of what the user chose; None for «Avbryt», Esc, or a window that closes."""
    dialog = QDialog(parent.window())
    dialog.setWindowTitle("Velg panel")
    box = QVBoxLayout(dialog)
    said = QLabel(question)
    said.setWordWrap(True)
    box.addWidget(said)
    for index, choice in enumerate(choices):
        button = QPushButton(choice)
        button.setAutoDefault(index == 0)
        button.clicked.connect(lambda _=False, code=index + 1: dialog.done(code))
        box.addWidget(button)
    box.addWidget(_cancel(dialog))
    code = await _answered(dialog)
    return code - 1 if code > 0 else None


async def print_paper(parent: QWidget, paper: Paper, about: Sequence[str]) -> tuple[bool, str]:
    """Show the paper as it will be, with `about` (whom, from which panel, when) above it, and print it if the user says
    so."""
    document = QTextDocument()
    document.setHtml(page(paper, about))
    dialog = QDialog(parent.window())
    dialog.setWindowTitle(f"Skriv ut: {paper.title}")
    dialog.resize(640, 720)
    view = QTextBrowser()
    view.setOpenLinks(False)
    view.setDocument(document)
    view.setAccessibleName("Forhåndsvisning")
    print_it = QPushButton("Skriv ut …")
    print_it.setDefault(True)
    print_it.clicked.connect(lambda: dialog.done(1))
    box = QVBoxLayout(dialog)
    box.addWidget(view, 1)
    box.addWidget(print_it)
    box.addWidget(_cancel(dialog))
    if await _answered(dialog) != 1:
        return False, "Brukeren skrev det ikke ut."
    # Loaded when it is needed: it costs a start nothing.
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo

    if not QPrinterInfo.availablePrinterNames():
        return False, "Denne maskinen har ingen skriver."
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    if await _answered(QPrintDialog(printer, parent.window())) != QDialog.DialogCode.Accepted.value:
        return False, "Brukeren skrev det ikke ut."
    document.print_(printer)
    return True, ""


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


def _cancel(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox()
    no = buttons.addButton(NO, QDialogButtonBox.ButtonRole.RejectRole)
    no.setAutoDefault(False)
    buttons.rejected.connect(dialog.reject)
    return buttons


async def _answered(dialog: QDialog) -> int:
    """Open it and wait, without a loop of its own."""
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    dialog.finished.connect(lambda code: None if answer.done() else answer.set_result(code))
    dialog.open()
    try:
        return await answer
    finally:
        dialog.close()
        dialog.deleteLater()
