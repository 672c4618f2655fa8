"""Draws how many candidates had which score, and how many of these were admitted: small, to stand beside another."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from audit.page.figures import COLOURS, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def histogram(told: Mapping[str, Any], label: str) -> Markup | None:
    """Draw a bar for each bin: all of it hatched, what was admitted filled. None where no candidate has a score.

    `told` has `low`, `high`, and counts of bins of one width in `all` and `admitted`.
    """
    if not sum(told["all"]):
        return None
    width = (told["high"] - told["low"]) / len(told["all"])
    at = [told["low"] + width * number for number in range(len(told["all"]))]

    def figure() -> "Figure":
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        made = Figure(figsize=(3.9, 1.7))
        axes = made.add_axes((0.14, 0.3, 0.8, 0.64))
        axes.bar(
            at, told["all"], width, align="edge", color="none", edgecolor=COLOURS[1], linewidth=0.6, hatch="////"
        )  # fmt: skip
        axes.bar(
            at, told["admitted"], width, align="edge", color=COLOURS[0], edgecolor="#333333", linewidth=0.4
        )
        axes.set_xlim(told["low"], told["high"])
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.set_xlabel(label)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        return made

    return svg(figure, f"{label} of the candidates", wide=False)
