"""Draws the report's figures by matplotlib, as SVG to stand in a page: told apart by shape and hatching as well as colour.

Text stays text and takes the page's colour, so a figure can be searched, printed in grey and read on a dark page.
"""

import io
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from audit.page.spelt import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#0a0b0c"
"""Stands for the page's own colour of text."""

# Okabe and Ito 2008 ("Color Universal Design"), of which neighbours differ in lightness too.
COLOURS = ("#0072b2", "#e69f00", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#f0e442", "#999999")
_HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo", "----")

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a group may be named $x$
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 10,
    "font.family": "sans-serif",
    "hatch.linewidth": 0.6,
}

_ROW = 0.32  # inches
_LETTER = 0.085  # inches of a letter, whatever sans-serif a browser takes
_MOST_LETTERS = 48


def fate(cells: Sequence[Mapping[str, Any]], names: Sequence[str], limit: float) -> Markup:
    """Draw how each stage moved a group's impact ratio from 1 to what the whole pipeline made of it, a row a group.

    `cells` are findings of the stage `total`; `names` label them; `limit` is drawn upright. Of a group of which nothing is
    left, whose ratio has no logarithm, a bar to the edge says which stage took the last.
    """
    steps = [_by_stage(cell["parts"]) for cell in cells]
    edge = math.log(max(0.02, min([cell["low"] for cell in cells] + [limit])) / 1.05)
    stages = list(dict.fromkeys(stage for step in steps for stage in step))

    def draw(axes: "Axes") -> None:
        import numpy as np

        for row, (cell, step) in enumerate(zip(cells, steps, strict=True)):
            at = 0.0
            for stage, part in step.items():
                log = edge - at if part == -math.inf else part
                number = stages.index(stage)
                left, right = np.exp(sorted((at, at + log)))
                axes.barh(
                    row - 0.12, right - left, left=left, height=0.46, color=COLOURS[number % 8], edgecolor="#333333",
                    linewidth=0.4, hatch=_HATCHES[number % 8], label=visible(stage) if row == _first(steps, stage) else None,
                )  # fmt: skip
                at += log
            if -math.inf in step.values():
                axes.text(
                    0.006, row - 0.12, "0: nothing is left", transform=axes.get_yaxis_transform(), fontsize=7.5, va="center",
                    color="#111111", bbox={"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.2},
                )  # fmt: skip
            axes.plot([cell["low"], cell["high"]], [row + 0.24] * 2, color=INK, linewidth=1.2)
            axes.plot([cell["ratio"]], [row + 0.24], "D", color=INK, markersize=4)
        axes.axvline(1, color=INK, linewidth=0.8)
        axes.axvline(limit, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        _ratios(axes, [cell["low"] for cell in cells] + [limit], [cell["high"] for cell in cells] + [1.0])
        axes.set_xlabel("impact ratio: from 1, stage by stage, to the diamond (with its 95% interval)")
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.55 / (len(cells) * _ROW + 0.1)), ncols=4, frameon=False, fontsize=9
        )  # fmt: skip

    return _drawn(draw, names, "how each stage moved the impact ratio of each group", below=0.75)


def shares(groups: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Markup:
    """Draw each group's share as the rows came in (ring) and as they are published (dot), with the reference (bar)."""

    def draw(axes: "Axes") -> None:
        for row, group in enumerate(groups):
            came, published = group["came"], group["published"]
            for share, offset, mark, face in (
                (came, 0.16, "o", "none"),
                (published, -0.16, "o", COLOURS[0]),
            ):
                if share["rows"]:
                    axes.plot(
                        [share["low"], share["high"]], [row - offset] * 2, color=COLOURS[0], linewidth=1.2
                    )
                    axes.plot(
                        [share["share"]], [row - offset], mark, markeredgecolor=COLOURS[0], markerfacecolor=face, markersize=5
                    )  # fmt: skip
            if group["reference"] is not None:
                axes.plot([group["reference"]] * 2, [row - 0.36, row + 0.36], color=COLOURS[3], linewidth=2)
        axes.set_xscale("log")
        axes.set_xlabel(
            "share of the rows: as they came in (ring), as published (dot)"
            + ", in the reference (bar)" * any(group["reference"] is not None for group in groups)
        )
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")

    return _drawn(draw, names, "each group's share before and after")


def odds(found: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Markup:
    """Draw log odds ratios with their intervals, a row each; 0 is by chance."""

    def draw(axes: "Axes") -> None:
        for row, one in enumerate(found):
            axes.plot(
                [one["log_odds_low"], one["log_odds_high"]], [row, row], color=COLOURS[0], linewidth=1.4
            )
            axes.plot([one["log_odds"]], [row], "s", color=COLOURS[0], markersize=5)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_xlabel("log odds ratio, with its 95% interval; 0 is by chance")

    return _drawn(draw, names, "what goes with each group")


def alone(svg: Markup) -> str:
    """Return a figure as an SVG file of its own, dark on white, for where no page gives it colours."""
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    white = '<rect width="100%" height="100%" fill="#ffffff"/>'
    file = str(svg).replace("<svg", f"<svg {spaces}", 1).replace("currentColor", "#1c2126")
    at = file.index(">") + 1
    return file[:at] + white + file[at:]


def _by_stage(parts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Add up the parts of each stage's rules; those that set a group back come first."""
    sums: dict[str, float] = {}
    for part in parts:
        log = -math.inf if part["log_ratio"] is None else part["log_ratio"]
        sums[part["stage"]] = sums.get(part["stage"], 0.0) + log
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _first(steps: Sequence[Mapping[str, float]], stage: str) -> int:
    return next(row for row, step in enumerate(steps) if stage in step)


def _ratios(axes: "Axes", lows: Sequence[float], highs: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = max(0.02, min(lows)) / 1.05, min(10.0, max(highs)) * 1.05
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = [tick for tick in (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 2, 4, 8) if low <= tick <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _letters(name: str) -> float:
    """Return how many small letters wide a name is in most fonts; letters of East Asia, emoji and the widest are two."""
    return sum(
        2
        if letter in "MWmw@%" or unicodedata.east_asian_width(letter) in "WF"
        else 1 + 0.3 * letter.isupper()
        for letter in name
    )


def _fitting(name: str) -> str:
    """Return a name, cut where it is wider than a figure's margin may be."""
    if _letters(name) <= _MOST_LETTERS:
        return name
    while _letters(name) >= _MOST_LETTERS:
        name = name[:-1]
    return f"{name}\u2026"


def _drawn(draw: Any, names: Sequence[str], label: str, below: float = 0.0) -> Markup:
    """Draw rows under one another, the first on top."""
    shown = [_fitting(name) for name in names]
    left = max(1.5, 0.2 + _LETTER * max(map(_letters, shown)))

    def figure() -> "Figure":
        from matplotlib.figure import Figure

        rows, wide = len(names) * _ROW + 0.1, left + 6.1
        made = Figure(figsize=(wide, rows + 0.6 + below))
        axes = made.add_axes(
            (left / wide, (0.5 + below) / (rows + 0.6 + below), 5.95 / wide, rows / (rows + 0.6 + below))
        )
        draw(axes)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), shown)
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        return made

    return svg(figure, label)


def svg(figure: Callable[[], "Figure"], label: str, *, wide: bool = True) -> Markup:
    """Return a figure as SVG without what a page does not need; one that is not `wide` keeps its own width at most."""
    import matplotlib as mpl

    held = io.StringIO()
    with mpl.rc_context({**_SETTINGS, "svg.hashsalt": label}):
        made = figure()
        made.savefig(held, format="svg", transparent=True, metadata={"Date": None})
    drawn = held.getvalue()
    drawn = re.sub(
        r"<metadata>.*?</metadata>|<style type=\"text/css\">.*?</style>",
        "",
        drawn[drawn.index("<svg") :],
        flags=re.DOTALL,
    )
    drawn = re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawn, count=2)
    drawn = re.sub(rf"((?:fill|stroke): ){INK}", r"\1currentColor", drawn)
    own = "" if wide else f' style="max-width: {round(100 * made.get_figwidth())}px"'
    drawn = re.sub(r'width="[^"]*pt" height="[^"]*pt" ', f'class="figure" role="img"{own} ', drawn, count=1)
    return Markup(drawn.replace("<svg", f'<svg aria-label="{escape(label)}"', 1))  # noqa: S704  # matplotlib escapes what it is given
