"""03:00, and the platform takes nothing: what the nurse typed stands in list, trend and summary, with *venter*, also after
the program was killed; once the platform takes it, it is there once, and saved."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing

from tests.journeys.test_typed_once import ARNE, is_ten, save_one_set, shown_news2


def pulses(nurse):
    """Ids of the observations of the pulse that was typed, as the trend is bound to them."""
    bound = nurse.did("texts", instance="vitals")["bound"]
    return {name for name, _, codes, value, _ in bound if "8867-4" in codes and value == 112}


def marked(nurse, instance):
    """The words of the marks that stand on rows."""
    return set(nurse.did("texts", instance=instance)["marks"].values())


def test_what_waits_is_seen_where_it_belongs_until_it_is_saved(own_sandbox, sign_on):
    """Over a second: two sign-ons, and the two seconds after which a write is said to wait."""
    nurse = sign_on("tone", own_sandbox)
    nurse.did("open_patient", name=ARNE)
    nurse.until(lambda: shown_news2(nurse), 5, "the summary")
    before = pulses(nurse)
    with closing(sqlite3.connect(own_sandbox.folder / "fhir.sqlite", isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")  # the platform answers, but can store nothing
        save_one_set(nurse)
        nurse.until(lambda: "1 venter på plattformen" in nurse.did("status")["words"], 15, "said to wait")
        nurse.until(lambda: pulses(nurse) - before, 5, "the trend has it")
        (waiting,) = pulses(nurse) - before
        nurse.until(lambda: is_ten(shown_news2(nurse)), 5, "the summary has it")
        nurse.until(lambda: "venter" in marked(nurse, "summary"), 5, "and says that it waits")
        nurse.did("press", text="Tabell", instance="vitals")
        nurse.until(lambda: "venter" in marked(nurse, "vitals"), 5, "the list says that it waits")
        nurse.process.send_signal(signal.SIGKILL)
        nurse.process.wait(20)
        nurse.end()

        nurse = sign_on("tone", own_sandbox)
        nurse.did("open_patient", name=ARNE)
        nurse.until(lambda: waiting in pulses(nurse), 10, "there again after a new start")
        nurse.until(lambda: "venter" in marked(nurse, "summary"), 5, "with its mark")
        store.execute("ROLLBACK")
    nurse.until(lambda: "Alt er lagret" in nurse.did("status")["words"], 30, "it is saved")
    nurse.until(lambda: waiting not in pulses(nurse), 5, "the trend has the platform's")
    (saved,) = pulses(nurse) - before
    nurse.until(lambda: is_ten(shown_news2(nurse)), 5, "the summary has it")
    nurse.until(lambda: not marked(nurse, "summary"), 5, "and no mark")
    assert saved in own_sandbox.held()
    assert nurse.quit() == 0
