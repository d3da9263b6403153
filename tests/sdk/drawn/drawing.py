"""A panel of one view, in a folder of its own: after each run the SDK looks through the modules that stand beside the
panel's, which must not be all the tests."""

from __future__ import annotations

from workspace.sdk import Panel
from workspace.sdk.testing import Bench


def draw(describe):
    """A bench whose view is `describe(state value)`; typing `at` moves it on."""
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return describe(ctx.state.get("at", 0))

    bench = Bench(panel)
    bench.open("main")
    return bench
