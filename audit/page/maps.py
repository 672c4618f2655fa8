"""Draws where two axes cross: the impact ratio in each cell that can be judged, hatching and the rows where it cannot."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from audit.findings import Finding
from audit.page.figures import svg
from audit.page.spelt import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAPS = 3
"""Maps that a page shows: those of most cells that could be judged."""

_SIDE = 14
"""Groups of an axis that a map shows, the largest first."""

_WORST, _BEST = 0.5, 1.25
"""Ratios at the two ends of the colours."""


def maps(counts: Sequence[Mapping[str, Any]], found: Sequence[Finding], *, least: int) -> list[Markup]:
    """Return a map for each of some pairs of axes. `counts` are those of `audit.crossings`, `least` is `min_group`."""
    ratios = {
        tuple(map(tuple, finding["sides"])): finding
        for finding in found
        if "sides" in finding and finding["ratio"] is not None
    }
    pairs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in counts:
        first, second = one["axes"]
        pairs.setdefault((first, second), []).append(one)

    def told(cells: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
        return sum(_key(cell) in ratios for cell in cells), sum(cell["n"] for cell in cells)

    best = sorted(pairs.items(), key=lambda item: (*(-count for count in told(item[1])), item[0]))
    shown = [item for item in best if told(item[1])[0]] or best[:1]
    return [_map(axes, cells, ratios, least) for axes, cells in shown[:MAPS]]


def _key(cell: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(zip(cell["axes"], cell["groups"], strict=True))


def _map(
    axes: tuple[str, str],
    cells: Sequence[Mapping[str, Any]],
    ratios: Mapping[tuple[tuple[str, str], ...], Finding],
    least: int,
) -> Markup:
    rows, columns = _largest(cells, 0), _largest(cells, 1)
    held = {tuple(cell["groups"]): cell for cell in cells}

    def draw(drawn: "Axes") -> None:
        import matplotlib as mpl
        from matplotlib.patches import Rectangle

        colours = mpl.colormaps["cividis"]
        for y, row in enumerate(rows):
            for x, column in enumerate(columns):
                cell = held.get((row, column))
                finding = None if cell is None else ratios.get(_key(cell))
                if finding is not None:
                    shade = (min(max(finding["ratio"], _WORST), _BEST) - _WORST) / (_BEST - _WORST)
                    drawn.add_patch(
                        Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colours(shade), edgecolor="#777777")
                    )
                    ink = "#ffffff" if shade < 0.5 else "#000000"
                    mark = f"{finding['ratio']:.2f}" + ("!" if finding["verdict"] == "FAIL" else "")
                    drawn.text(
                        x, y, f"{mark}\n{finding['n']:,}", ha="center", va="center", color=ink, fontsize=8
                    )
                elif cell is not None:
                    hatch = "////" if cell["n"] < least else "...."
                    drawn.add_patch(
                        Rectangle(
                            (x - 0.5, y - 0.5), 1, 1, facecolor="none", edgecolor="#999999", hatch=hatch
                        )
                    )
                    drawn.text(x, y, f"{cell['n']:,}", ha="center", va="center", fontsize=8,
                               bbox={"boxstyle": "round,pad=0.15", "facecolor": "#ffffff", "edgecolor": "none"},
                               color="#000000")  # fmt: skip
        drawn.set_xlim(-0.5, len(columns) - 0.5)
        drawn.set_ylim(len(rows) - 0.5, -0.5)
        drawn.set_xticks(
            range(len(columns)), [named(name.replace("_", " ")) for name in columns], rotation=30, ha="right"
        )
        drawn.set_yticks(range(len(rows)), [named(name.replace("_", " ")) for name in rows])
        drawn.set_ylabel(named(axes[0]))
        drawn.set_xlabel(named(axes[1]))
        drawn.tick_params(length=0)
        for side in drawn.spines.values():
            side.set_visible(False)

    def figure() -> "Figure":
        from matplotlib.figure import Figure

        across, down = 0.62 * len(columns), 0.42 * len(rows)
        width, height = across + 1.9, down + 1.2
        made = Figure(figsize=(width, height))
        draw(made.add_axes((1.7 / width, 1.1 / height, across / width, down / height)))
        return made

    return svg(figure, f"impact ratios where {named(axes[0])} and {named(axes[1])} cross", wide=False)


def _largest(cells: Sequence[Mapping[str, Any]], side: int) -> list[str]:
    """Return the groups of one of the axes, those of most rows first."""
    sizes: dict[str, int] = {}
    for cell in cells:
        sizes[cell["groups"][side]] = sizes.get(cell["groups"][side], 0) + cell["n"]
    return sorted(sizes, key=lambda name: (-sizes[name], name))[:_SIDE]
