"""Draws what the report shows as inline SVG: intervals against a limit, and how much of a stage's rows stayed.

Positions are percentages, so a plot fills its table cell at any width and its marks keep their shape. A verdict is
told by shape as well as by colour: a filled diamond fails, a ring cannot be judged, a filled dot passes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_HEIGHT = 22
_BEYOND = 12
"""How far behind the mark of a value outside of the scale its arrow ends."""
_MARKS = {
    "FAIL": Markup('<path class="fail" d="M0 4.5L6.5 11L0 17.5L-6.5 11Z"/>'),
    "INSUFFICIENT_DATA": Markup('<circle class="unsure" cy="11" r="4.5"/>'),
    "PASS": Markup('<circle class="pass" cy="11" r="4.5"/>'),
    "NOT_APPLICABLE": Markup('<circle class="none" cy="11" r="3"/>'),
}


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on a line, by their logarithm where `log`; what lies outside is clamped."""

    low: float
    high: float
    log: bool = False

    def percent(self, value: float) -> float:
        """Return where `value` stands, from 0 to 100."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return 100 * (at - low) / (high - low)


def ratio_scale(intervals: Sequence[tuple[float, float]]) -> Scale:
    """Return the scale of impact ratios that holds the intervals, one half to five fourths at least."""
    lows, highs = [low for low, _ in intervals], [high for _, high in intervals]
    return Scale(max(0.1, min([0.5, *lows])), min(4.0, max([1.25, *highs])), log=True)


def interval(
    value: float, low: float, high: float, *, scale: Scale, verdict: str, limits: Sequence[float] = ()
) -> Markup:
    """Draw a value with its interval; `limits` are drawn as upright lines, the first of them dashed."""
    start, end = scale.percent(low), scale.percent(high)
    return _svg(
        f"{value:.2f}, interval {low:.2f} to {high:.2f}",
        _uprights(scale, limits),
        Markup('<line class="whisker" x1="{:.2f}%" x2="{:.2f}%" y1="11" y2="11"/>').format(start, end),
        _arrow(low < scale.low, 0, -_BEYOND if value < scale.low else 0, -1),
        _arrow(high > scale.high, 100, _BEYOND if value > scale.high else 0, 1),
        Markup('<svg x="{:.2f}%" overflow="visible">{}</svg>').format(scale.percent(value), _MARKS[verdict]),
    )


def axis(scale: Scale, ticks: Sequence[float]) -> Markup:
    """Draw the ticks of `scale` that lie on it."""
    return _svg(
        "scale",
        *(
            Markup('<text x="{:.2f}%" y="15">{:g}</text>').format(scale.percent(tick), tick)
            for tick in ticks
            if scale.low <= tick <= scale.high
        ),
    )


def flow(stayed: int, dropped: int, grown: int, most: int) -> Markup:
    """Draw the rows that stayed, were dropped and came new in a stage, as shares of `most`."""
    parts, at = [], 0.0
    for name, rows in (("stayed", stayed), ("dropped", dropped), ("grown", grown)):
        width = 100 * rows / most if most else 0
        if rows:
            parts.append(
                Markup('<rect class="{}" x="{:.3f}%" y="4" width="{:.3f}%" height="14"/>').format(
                    name, at, width
                )
            )
        at += width
    return _svg(f"{stayed:,} stayed, {dropped:,} dropped, {grown:,} new", *parts)


def _uprights(scale: Scale, limits: Sequence[float]) -> Markup:
    return Markup("").join(
        Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="0" y2="{}"/>').format(
            "even" if position else "limit", scale.percent(limit), scale.percent(limit), _HEIGHT
        )
        for position, limit in enumerate(limits)
    )


def _arrow(shown: bool, at: float, off: int, way: int) -> Markup:
    """Say that an interval goes on beyond the scale: at its end, or `off` beside the mark of a value that lies there itself."""
    if not shown:
        return Markup("")
    return Markup('<svg x="{}%" overflow="visible"><path class="more" d="M{} 7L{} 11L{} 15"/></svg>').format(
        at, off - 5 * way, off, off - 5 * way
    )


def _svg(label: str, *marks: Markup) -> Markup:
    return Markup('<svg class="plot" width="100%" height="{}" role="img" aria-label="{}">{}</svg>').format(
        _HEIGHT, label, Markup("").join(marks)
    )
