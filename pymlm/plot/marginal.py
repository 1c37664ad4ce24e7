"""Estimated marginal means: interaction plots, trends and contrasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pymlm.errors import NotSupportedError
from pymlm.plot import _style as style
from pymlm.plot._style import figure
from pymlm.results.emm import EmmGrid

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def means(
    emm: EmmGrid,
    connect: bool | None = None,
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **line: Any,
) -> Any:
    """Draw marginal means, trends or contrasts with their intervals.

    The first factor runs along x, the second by colour; a third one and each `by` factor by panel.
    Contrasts stand one below the other, around 0 (1 for ratios).

    Parameters
    ----------
    emm : EmmGrid
        What ``m.emmeans(...)`` or ``m.emtrends(...)`` returns; its intervals have their own level.
    connect : bool, optional
        Join the means of one colour by lines; default where there are two factors (an interaction
        plot).
    ax, axes : Axes
        Where to draw: `ax` for one panel, `axes` for several.
    label : str, optional
        Of the means in the legend, where there is one colour.
    **line
        matplotlib's keywords of means and their lines (Line2D).

    Returns
    -------
    Axes; ndarray of Axes where there are panels

    Raises
    ------
    ArgumentError
        For something else than an EmmGrid.

    Notes
    -----
    Draws ``emm.to_frame()``; emmeans' ``emmip`` and ``plot``. With comparison arrows
    (``m.emmeans(..., comparisons=True)``) means whose arrows do not overlap differ.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)",
    ...              mlm.load_dataset("cake"))
    >>> ax = mlm.plot.means(m.emmeans(["temperature", "recipe"]))
    >>> [t.get_text() for t in ax.get_legend().get_texts()]
    ['A', 'B', 'C']
    """
    style.need(emm, EmmGrid, "what m.emmeans(...) or m.emtrends(...) returns", "means")
    frame = emm.to_frame().rename(columns={emm.kind: _ESTIMATE})
    for column in emm.labels:
        frame[column.name] = pd.Categorical(list(column.text), list(dict.fromkeys(column.text)))
    free = [c.name for c in emm.labels if c.name not in emm.by_names]
    contrast = emm.kind == "estimate"
    x = free[0] if free else emm.labels[0].name
    colour = free[1] if len(free) > 1 and not contrast else None
    split = [c.name for c in emm.labels if c.name not in (x, colour)]
    if frame[_ESTIMATE].isna().all():
        raise NotSupportedError("none of the means is estimable: there is nothing to draw")
    parts: list[tuple[Any, pd.DataFrame]] = [((), frame)]
    if split:
        parts = list(frame.groupby(split, sort=False, observed=True))
        panels = style.panels_for(axes if ax is None else ax, len(parts), 3, (3.4, 3.2),
                                  sharey=True, sharex=True)  # fmt: skip
    else:
        size = (5.4, min(7.0, 1.1 + 0.32 * len(frame))) if contrast else (5.4, 3.6)
        panels = np.array([style.axes_for(ax, size)], dtype=object)
    for panel, (values, part) in zip(panels, parts, strict=True):
        if contrast:
            _contrasts(panel, part, x, emm, label, line)
        else:
            joined = colour is not None if connect is None else connect
            _means(panel, part, x, colour, joined, label, line)
            panel.set(xlabel=x, ylabel=_words(emm))
        if split:
            named = zip(split, values, strict=True)
            panel.set_title(", ".join(f"{n} = {v}" for n, v in named), fontsize="medium")
            panel.label_outer()
        style.plain(panel)
    if colour is not None or label is not None:
        style.legend(panels[-1], title=colour)
    return panels if split and ax is None else panels[0]


_ESTIMATE = "\0estimate"


def _words(emm: EmmGrid) -> str:
    return {"emmean": "marginal mean"}.get(emm.estimate_name, emm.estimate_name)


def _intervals(part: pd.DataFrame) -> tuple[Any, Any]:
    """Limits where the result has them; else there is nothing to draw beside the estimates."""
    nothing = part[_ESTIMATE]
    return part.get("conf_low", nothing), part.get("conf_high", nothing)


def _means(
    ax: Axes, part: pd.DataFrame, x: str, colour: str | None, joined: bool, label: str | None,
    line: dict[str, Any],
) -> None:  # fmt: skip
    groups: list[tuple[Any, pd.DataFrame]] = [(label, part)]
    if colour is not None:
        groups = list(part.groupby(colour, sort=False, observed=True))
    levels = list(part[x].cat.categories)
    for i, (value, own) in enumerate(groups):
        at = own[x].cat.codes.to_numpy(dtype=float) + 0.08 * (i - (len(groups) - 1) / 2)
        low, high = _intervals(own)
        paint = style.PALETTE[i % 7]
        ax.vlines(at, low, high, color=paint, linewidth=1.4, alpha=0.8)
        _arrows(ax, at, own, style.VERMILION if colour is None else paint)
        looks = {"color": paint, "marker": style.MARKERS[i % 8], "markersize": 5, "linewidth": 1.2,
                 "linestyle": style.STYLES[i % 7] if joined else "none"}  # fmt: skip
        ax.plot(at, own[_ESTIMATE], **{**looks, "label": value, **line})
    ax.set_xticks(range(len(levels)), levels, rotation=30 if len("".join(levels)) > 50 else 0)
    ax.set_xlim(-0.5, len(levels) - 0.5)


def _arrows(ax: Axes, at: Any, own: pd.DataFrame, paint: str) -> None:
    """Comparison arrows, where the result has them."""
    for end in ("arrow_low", "arrow_high"):
        for x, start, stop in zip(at, own[_ESTIMATE], own.get(end, own[_ESTIMATE]), strict=True):
            if np.isfinite(stop) and stop != start:
                arrow = {"arrowstyle": "-|>", "color": paint, "linewidth": 2.4, "shrinkA": 0,
                         "shrinkB": 0}  # fmt: skip
                ax.annotate("", (x, stop), (x, start), arrowprops=arrow)


def _contrasts(
    ax: Axes, part: pd.DataFrame, x: str, emm: EmmGrid, label: str | None, line: dict[str, Any]
) -> None:
    at = np.arange(len(part))[::-1]
    low, high = _intervals(part)
    ratio = emm.estimate_name in ("ratio", "odds.ratio")
    style.zero_line(ax, 1.0 if ratio else 0.0, upright=True)
    ax.hlines(at, low, high, color=style.SKY, linewidth=2.0)
    looks = {"color": style.BLUE, "marker": "o", "markersize": 5, "linestyle": "none"}
    ax.plot(part[_ESTIMATE], at, **{**looks, "label": label, **line})
    ax.set_yticks(at, [str(v) for v in part[x]], fontsize="small")
    ax.set_ylim(-0.7, len(part) - 0.3)
    ax.set_xlabel(_words(emm))
