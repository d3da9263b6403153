"""A panel on the SDK that misuses it: writes in a view, and keeps a `ctx` after its run."""

from workspace.sdk import Panel, ui

panel = Panel()
kept = []


def tried(use):
    try:
        return f"ja: {use()}"
    except Exception as error:  # noqa: BLE001 - whatever stops it is a success
        return type(error).__name__


@panel.view("main")
def main(ctx):
    kept.append(ctx)
    typed = ctx.state.felt
    found = [
        tried(lambda: ctx.create("Observation", code="8867-4", value=1)),
        tried(lambda: kept[0].search("Patient", _id="BEB-19")) if typed else "",
        tried(lambda: kept[0].state.felt) if typed else "",
    ]
    return ui.column(ui.text(" ".join(found), key="t"), ui.text_field("Felt", bind="felt"))


panel.run()
