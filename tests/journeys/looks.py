"""What a person at the workstation can see: the screen as words, values and pictures, and what a test must know of the
programs behind it. Only looks."""

from __future__ import annotations

import os
import time

import msgspec
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget
from told import strings

from workspace.shell.sheet import Sheet


class Fault(Exception):
    """What was asked cannot be done by a person now. The text says why."""


class Tops(QObject):
    """Notes every window that is shown from now on."""

    def __init__(self):
        super().__init__()
        self.shown = []
        QApplication.instance().installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.shown.append(type(watched).__name__)
        return False


class Painted(QObject):
    """Notes when the words of a label were painted that stand there now."""

    def __init__(self, label):
        super().__init__()
        self.words, self.at = "", 0.0
        label.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Hide:
            self.words = ""
        elif event.type() == QEvent.Type.Paint and watched.text() != self.words:
            self.words, self.at = watched.text(), time.monotonic()
        return False


class Looks:
    """`desk` is the real one; `wire` what goes between it and the panels."""

    def __init__(self, desk, window, wire):
        self.desk, self.window, self.wire = desk, window, wire
        self.typed = {}
        self.tops = Tops()
        self.notice = Painted(window.status._words)

    @property
    def work(self):
        if self.desk.shift is None or self.desk.shift.workplace is None:
            raise Fault("nobody is signed in")
        return self.desk.shift.workplace

    def seat(self, instance):
        seats = self.work.seats()
        if instance not in seats:
            raise Fault(f"no panel {instance!r}; there are {sorted(seats)}")
        return seats[instance]

    def by_bind(self, bind, instance=""):
        """The component's widget and the editor that `bind` is typed into."""
        for name, seat in self.work.seats().items():
            if (instance and name != instance) or seat.instance is None:
                continue
            for node_id, node in seat.instance.nodes.items():
                one, widget = node.component, seat.body.widget(node_id)
                if widget is None:
                    continue
                if getattr(one, "bind", None) == bind:
                    return seat, widget, getattr(widget, "editor", None)
                for part in ("first", "second"):
                    if getattr(getattr(one, part, None), "bind", None) == bind:
                        return seat, widget, getattr(widget, part)
        raise Fault(f"no field is bound to {bind!r}")

    @staticmethod
    def stands(seat):
        """Drawn, and what its place in the layout shows."""
        frame = seat.frame
        return seat.rendered_first.is_set() and frame.body is seat.body and frame._stack.currentWidget() is seat.body

    def spoken(self):
        banner = self.work.pages.banner()
        return banner.spoken() if banner is not None and banner.isVisible() else ""

    async def do_windows(self):
        """Every window that has stood on the screen, by kind; there is to be one, and lists that are opened."""
        return {"shown": self.tops.shown, "active": self.window.isActiveWindow()}

    async def do_signed_in(self):
        """Who is; "" when nobody is and the sign-in stands on screen."""
        gone = self.desk.shift is None and self.desk._platform is not None and self.window.sign_in.isVisible()
        return {"user": "" if gone else "somebody"}

    async def do_page(self):
        """The page before the work: its words and buttons, and who may come in without the platform."""
        page = self.window.sign_in
        if not page.isVisible() or self.desk.signing is None or not self.desk.signing.done():
            return {"words": "", "buttons": [], "people": [], "focus": ""}
        words = " ".join(one.text() for one in page.findChildren(QLabel) if one.isVisible())
        buttons = [one for one in page.findChildren(QAbstractButton) if one.isVisible()]
        people = [one.accessibleName() for one in buttons if one.isCheckable()]
        focus = self.window.focusWidget()
        return {
            "words": words, "buttons": [one.text() for one in buttons if not one.isCheckable()], "people": people,
            "focus": focus.accessibleName() if focus is not None else "",
        }  # fmt: skip

    async def do_top(self):
        """Who is at work, as the bar above says."""
        return {"user": self.window.top.user.text(), "unit": self.window.top.unit.text()}

    async def do_courier(self):
        """Only looks: whether what others left is being delivered."""
        return {"works": self.desk.unattended._working is not None}

    async def do_copied(self):
        """Only looks: when the whole unit had been copied for reading without the platform; "" before."""
        return {"at": self.desk.shift.broker.offline.copied}

    async def do_residents(self):
        """Whom Ctrl+K would find, and whom the list on screen has."""
        names = [one.name for one in self.desk.shift.residents]
        return {"known": names, "listed": [one for one in names if self._row(self.seat("residents"), one) is not None]}

    def mixed(self):
        """What stands on screen now and belongs to somebody else than the banner names."""
        group, faults = self.work.patient, []
        if group is None:
            return faults
        banner = self.work.pages.banners()[0]
        if group.name not in banner.spoken():
            faults.append(f"the banner says {banner.spoken()!r}, open is {group.name}")
        if "llergi" not in banner.spoken():
            faults.append(f"the banner says nothing of allergies: {banner.spoken()!r}")
        bodies = {id(seat.body): seat for seat in group.seats.values()}
        for name, frame in self.work._frames.items():
            if name not in group.seats or frame.body is None or frame._stack.currentWidget() is not frame.body:
                continue
            seat = bodies.get(id(frame.body))
            if seat is None or seat.instance.context.patient != group.context.patient:
                faults.append(f"{name} shows another context's body under {group.name}")
            elif frame.body._instance is not seat.instance:
                faults.append(f"{name} draws an instance that is not its own")
        return faults

    @staticmethod
    def words(button):
        """What stands on a button: painted from its component, or its own text."""
        return getattr(getattr(button, "component", None), "text", "") or button.text() or button.accessibleName()

    async def do_focus(self):
        """The field that the keys go to, and the panel it stands in."""
        focus = self.window.focusWidget()
        for name, seat in self.work.seats().items():
            for node_id, node in (seat.instance.nodes if seat.instance is not None else {}).items():
                widget = seat.body.widget(node_id)
                here = focus is not None and widget is not None and (widget is focus or widget.isAncestorOf(focus))
                if here and getattr(node.component, "bind", ""):
                    return {"instance": name, "bind": node.component.bind}
        return {"instance": "", "bind": ""}

    async def do_texts(self, instance):
        return self.texts(self.seat(instance))

    def texts(self, seat):
        """All that a panel shows: words of its tree, rows of its tables, bound rows, and what its frame says."""
        tree, rows, bound, shown, marks = [], [], [], [], {}
        for node_id, node in seat.instance.nodes.items():
            words = msgspec.to_builtins(node.component)
            tree += [text for text in strings(words) if text]
            widget = seat.body.widget(node_id)
            if widget is not None and hasattr(widget, "view"):
                model = widget.model
                rows += [
                    [str(model.index(row, column).data() or "") for column in range(model.columnCount())]
                    for row in range(model.rowCount())
                ]
                for row in range(model.rowCount()):
                    mark = model.mark(model.row(row))
                    marks |= {model.row(row).about: mark.words} if mark is not None else {}
            watch = getattr(node.component, "watch", None)
            if watch:
                bound += list(seat.instance.bound(watch).resources)
        shown += [label.text() for label in seat.body.findChildren(QLabel) if label.isVisible()]
        return {
            "tree": tree,
            "rows": rows,
            "marks": marks,
            "bound": [
                [
                    f"{one.get('resourceType')}/{one.get('id')}",
                    (one.get("subject") or {}).get("reference", ""),
                    [c.get("code") for c in (one.get("code") or {}).get("coding", [])],
                    (one.get("valueQuantity") or {}).get("value"),
                    one.get("effectiveDateTime", ""),
                ]
                for one in bound
            ],
            "labels": shown,
            "state": seat.frame._state.text(),
            "notice": seat.frame._notice.accessibleName()
            if seat.frame._stack.currentWidget() is seat.frame._notice
            else "",
            "banner": self.spoken(),
        }

    async def do_sample(self):
        """Everything on screen: the banner, and for each panel of the patient whose it is and all its words."""
        group = self.work.patient
        found = {}
        for name, seat in group.seats.items():
            told = self.texts(seat)
            found[name] = {
                "patient": seat.instance.context.patient,
                "token": seat.instance.context.token,
                "subjects": sorted({one[1] for one in told["bound"]}),
                "words": "\n".join([*told["tree"], *(" ".join(row) for row in told["rows"]), *told["labels"]]),
                "pid": seat.instance.pid,
                "state": seat.instance.state,
            }
        return {
            "banner": self.spoken(),
            "patient": group.context.patient,
            "token": group.context.token,
            "mixed": self.mixed(),
            "panels": found,
        }

    async def do_values(self, instance):
        seat = self.seat(instance)
        shown = {}
        for node_id, node in seat.instance.nodes.items():
            widget, bind = seat.body.widget(node_id), getattr(node.component, "bind", "")
            editor = getattr(widget, "editor", None)
            if bind and editor is not None:
                shown[bind] = editor.text() if isinstance(editor, QLineEdit) else editor.toPlainText()
        return {"values": dict(seat.instance.values), "shown": shown}

    async def do_pids(self):
        return {
            name: {
                "pid": seat.instance.pid,
                "package": seat.instance.info.package,
                "vendor": seat.instance.info.vendor,
                "confinement": seat.instance.info.confinement,
            }
            for name, seat in self.work.seats().items()
        } | {"shell": {"pid": os.getpid()}}

    async def do_panel_state(self, instance):
        seat = self.seat(instance)
        told = self.texts(seat)
        return {
            "state": seat.instance.state,
            "problem": seat.instance.problem,
            "pid": seat.instance.pid,
            "token": seat.instance.context.token,
            "patient": seat.instance.context.patient,
            "title": f"{seat.frame._title_text} {seat.frame._vendor_text}",
            "said": told["state"],
            "notice": told["notice"],
            "restarted": seat.instance.restarted,
        }

    async def do_wire(self, since=0):
        found = self.wire.summary(since)
        plain = {
            str(pid): {name: sorted(value) if isinstance(value, set) else value for name, value in one.items()}
            for pid, one in found.items()
        }
        return {"count": len(self.wire.messages), "processes": plain, "resources": self.wire.resources(since)}

    async def do_stop_listening(self):
        """Keep no messages and notice no windows from now on: for who measures the shell, not this driver. `tops` takes
        every event of the program through Python, which is 15 ms of a switch of patient."""
        QApplication.instance().removeEventFilter(self.tops)
        self.wire.deaf = True
        self.wire.messages.clear()
        return {}

    async def do_status(self):
        """All that the status line says, and how much waits in the outbox: the line hears of it when the commit returns."""
        waits = self.desk.shift.outbox.unsent() if self.desk.shift is not None else 0
        return {"words": self.window.status.text(), "spoken": self.window.status.accessibleName(), "waits": waits}

    async def do_notice(self):
        """What stands first on the status line, as it was painted: its words ("" for none), when (``time.monotonic()``), and
        whether all of it has room."""
        label, painted = self.window.status._words, self.notice
        there = label.isVisible() and not label.visibleRegion().isEmpty() and label.text() == painted.words
        whole = label.width() >= label.sizeHint().width() and label.geometry().right() < self.window.status.width()
        return {"words": painted.words if there else "", "at": painted.at, "whole": whole}

    async def do_sheet(self):
        """All the words of the sheet over the work, and of its buttons."""
        for sheet in self.window.findChildren(Sheet):
            if sheet.isVisible():
                labels = [one.text() for one in sheet.findChildren(QLabel) if one.isVisible()]
                return {"words": labels, "buttons": [b.text() for b in sheet.findChildren(QAbstractButton)]}
        return {"words": [], "buttons": []}

    async def do_longest_block(self, anew=False):
        watchdog = self.desk.watchdog
        longest, watchdog.longest_ms = watchdog.longest_ms, 0.0 if anew else watchdog.longest_ms
        return {"ms": longest}

    async def do_screenshot(self, path):
        self.window.grab().save(path)
        return {"path": path}
