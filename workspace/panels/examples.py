"""An example of every message, for the reference page and for those who write a panel without our SDK.

They tell one small story: a nurse opens vital signs for a resident, types a pulse, saves it, and another panel hears of it.
Synthetic throughout. Never imported by the running shell.
"""

from __future__ import annotations

from typing import Any

from workspace.panels import protocol as p
from workspace.panels.components import Action

_AT: dict[str, Any] = {"instance": "maal", "context": "q7Zk"}
_QUERY = "Observation?code=8867-4&_sort=-date&_count=20"
_PULSE: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "puls-1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/BEB-18"},
    "effectiveDateTime": "2026-01-14T12:00:00+01:00",
    "valueQuantity": {"value": 72, "unit": "/min"},
}
_NEW = {name: value for name, value in _PULSE.items() if name != "id"} | {
    "valueQuantity": {"value": 88, "unit": "/min"}
}
_RESULT = p.Result(query=_QUERY, watch=1, resources=[_PULSE], total=1, fetched="2026-01-14T14:45:02+01:00")
_TREE = p.Node(
    id="0",
    type="column",
    children=[
        p.Node(id="0.0", type="text", props={"text": "Siste puls 72"}),
        p.Node(id="#pulse", type="number-field", props={"label": "Puls", "bind": "pulse", "unit": "/min"}),
        p.Node(id="0.2", type="button", props={"text": "Lagre", "action": {"name": "save"}}),
    ],
)

HOST: tuple[p.Message, ...] = (
    p.Initialize(protocol=1, oldest=1, locale="nb", scopes=["patient/Observation.crs"]),
    p.Open(
        instance="maal",
        view="vitals",
        context=p.ContextInfo(
            token="q7Zk",
            kind="patient",
            now="2026-01-14T14:45:02+01:00",
            user={"reference": "Practitioner/tone", "display": "Tone Nilsen", "role": "sykepleier"},
            patient="Patient/BEB-18",
        ),
        settings={"days": 5},
        results=[_RESULT],
    ),
    p.Close(**_AT),
    p.Data(**_AT, watch=1, gone=["Observation/puls-0"], put=[(0, _PULSE)]),
    p.Event(**_AT, action=Action("save"), state=p.State(values={"pulse": 88}, revision=3)),
    p.StateChanged(**_AT, values={"pulse": 88}, revision=3),
    p.SettingsChanged(**_AT, settings={"days": 14}, locale="nn"),
    p.Ask(**_AT),
    p.Intent(**_AT, id="maal/1", name="record vital-signs", source="Journalnotat (Polarvakt)"),
    p.Answer(
        **_AT,
        id="mine",
        name="record vital-signs",
        result=p.IntentResult(handled=True, result={"observations": ["Observation/puls-2"]}),
    ),
    p.Part(id=9, resources=[_PULSE]),
    p.Resync(**_AT),
    p.Visible(**_AT),
    p.Hidden(**_AT),
    p.Cancel(id=4),
    p.Ping(),
    p.Shutdown(),
)
"""From the host, in the order of `protocol.HOST_TO_PANEL`."""

PANEL: tuple[p.Message, ...] = (
    p.Render(**_AT, revision=1, tree=_TREE),
    p.Search(**_AT, query="Condition?clinical-status=active"),
    p.Read(**_AT, reference="Observation/puls-1"),
    p.WatchQuery(**_AT, query=_QUERY),
    p.Unwatch(**_AT, watch=1),
    p.Raise(**_AT, name="record vital-signs"),
    p.Notify(**_AT, text="Måler …"),
    p.Print(**_AT, document=p.Document(title="Puls siste døgn", text="12:00  72 /min")),
    p.Blob(**_AT, handle="kurve", mime="image/png", total=8, data=b"\x89PNG\r\n\x1a\n"),
    p.Log(level="warning", text="no reading for six hours"),
    p.Acknowledge(id=4),
    p.Cancel(id=9),
)
"""From the panel, in the order of `protocol.PANEL_TO_HOST`."""

PATCH = p.Render(**_AT, revision=2, base=1, patch=[p.SetProps(id="0.0", props={"text": "Siste puls 88"})])

RESULTS: tuple[p.Message, ...] = (
    p.InitializeResult(name="nordlys.vitals", version="1.0.0", views=["vitals"], protocol=1),
    p.Effects(
        writes=[p.WriteEntry(action="create", resource=_NEW, full_url="urn:uuid:0b5c2f1e-6d0a-4c57-9a34-5f1f0e0c7a11")],
        clear=["pulse"],
        revision=3,
        message="Puls er registrert",
    ),
    p.AskResult(hold=True, reason="Blodoverføring pågår"),
    p.IntentResult(handled=True, later=True),
    p.Result(query="Condition?clinical-status=active", total=0, fetched="2026-01-14T14:45:03+01:00"),
    p.WatchResult(watch=2),
    p.PrintResult(printed=False, reason="Brukeren skrev det ikke ut."),
    p.BlobResult(received=8),
)
