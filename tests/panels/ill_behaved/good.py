"""A well-behaved panel without any SDK: the raw protocol, nothing but the standard library."""

import json
import sys


def send(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def number(bind):
    return {"id": "#" + bind, "type": "number-field", "props": {"bind": bind, "label": bind}}


def tree(rows):
    columns = [{"key": "verdi", "title": "Verdi"}]
    cells = [{"key": row["id"], "cells": {"verdi": row["valueQuantity"]["value"]}} for row in rows]
    table = {"id": "tabell", "type": "table", "props": {"columns": columns, "rows": cells}}
    save = {"id": "lagre", "type": "button", "props": {"text": "Lagre", "action": {"name": "save"}}}
    heading = {"id": "hva", "type": "heading", "props": {"text": f"{len(rows)} målinger"}}
    return {"id": "rot", "type": "column", "children": [heading, number("puls"), number("spo2"), save, table]}


def effects(params):
    name, args, state = params["action"]["name"], params["action"].get("args", {}), params["state"]
    values = state.get("values", {})
    about = args.get("patient", "Patient/BEB-18")
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    write = {"resourceType": "Observation", "status": "final", "code": code, "subject": {"reference": about}}
    write["valueQuantity"] = {"value": values.get("puls", 0), "unit": "/min"}
    if name == "save":
        return {
            "writes": [{"action": "create", "resource": write, "full_url": "urn:uuid:1"}],
            "clear": ["puls"],
            "state": {"spo2": 97},
            "revision": state.get("revision", 0),
            "message": "Puls er registrert",
        }
    if name == "open":
        return {"raise": [{"name": "open Patient", "args": {"patient": about}}, {"name": "print Everything"}]}
    return {"message": json.dumps(values)}


rows, waiting, at, revision = {}, {}, {}, 0

for line in sys.stdin:
    message = json.loads(line)
    method, params, id = message.get("method"), message.get("params", {}), message.get("id")
    if method == "initialize":
        send(id=id, result={"name": "god", "version": "1.0.0", "views": ["main"]})
    elif method == "open":
        at = {"instance": params["instance"], "context": params["context"]["token"]}
        for result in params.get("results", []):
            rows = {row["id"]: row for row in result.get("resources", [])}
        send(id=id, result=None)
        revision = 1
        send(method="render", params={**at, "revision": 1, "tree": tree(list(rows.values()))})
    elif method == "data":
        if "whole" in params:
            rows = {row["id"]: row for row in params["whole"].get("resources", [])}
        for _, row in params.get("put", []):
            rows[row["id"]] = row
        revision += 1
        send(method="render", params={**at, "revision": revision, "tree": tree(list(rows.values()))})
    elif method == "event":
        name = params["action"]["name"]
        if name == "ask":
            waiting[9000 + id] = id
            send(
                id=9000 + id,
                method=params["action"]["args"]["method"],
                params={**at, **params["action"]["args"]["params"]},
            )
        elif name == "mistake":
            send(id=id, error={"code": -32602, "message": "Puls mangler"})
        elif name != "slow":
            send(id=id, result=effects(params))
        else:
            waiting["slow"] = id
    elif method is None and id in waiting:
        send(id=waiting.pop(id), result={"message": json.dumps(message.get("result") or message.get("error"))})
    elif method == "ask":
        send(id=id, result={"hold": bool(waiting.get("slow")), "reason": "Blodoverføring pågår"})
    elif method == "resync":
        revision += 1
        send(method="render", params={**at, "revision": revision, "tree": tree(list(rows.values()))})
    elif method == "shutdown":
        send(id=id, result=None)
        break
    elif id is not None and method is not None:
        send(id=id, result=None)
