"""A panel on the SDK that misuses it: writes in a view, and keeps what it knows of the patient at module level."""

from workspace.sdk import Panel, ui

panel = Panel()
kept = []


@panel.view("main")
def main(ctx):
    kept.append(ctx)
    try:
        ctx.create("Observation", code="8867-4", value=1)
        found = "ja"
    except Exception as error:  # noqa: BLE001 - whatever stops it is a success
        found = type(error).__name__
    return ui.column(ui.text(f"skrev: {found}", key="t"), ui.text_field("Felt", bind="felt"))


panel.run()
