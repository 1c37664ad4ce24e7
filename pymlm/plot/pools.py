"""Complete, no and partial pooling by the size of the groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Level
from pymlm.multilevel.pooling import Pooling
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def pooling(
    p: Pooling,
    terms: str | Sequence[str] | None = None,
    level: Level = 0.95,
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **points: Any,
) -> Any:
    """Draw every group's estimate by its size: on its own, pooled in part, and pooled completely.

    Parameters
    ----------
    p : Pooling
        What ``mlm.pooling(formula, data, by)`` returns.
    terms : str or list of str, optional
        Coefficients to draw; default all that differ between groups.
    level : float
        Of the intervals of the groups' own estimates (normal).
    ax, axes : Axes
        Where to draw: `ax` for one panel, `axes` for one a coefficient.
    label : str, optional
        Of partial pooling in the legend.
    **points
        matplotlib's keywords of the dots of partial pooling (Line2D).

    Returns
    -------
    ndarray of Axes, one a coefficient; the Axes when `ax` was given

    Raises
    ------
    ArgumentError
        For something else than a Pooling, or an unknown coefficient.

    Notes
    -----
    Draws ``p.to_frame()``. Rosche's figure 14 after Gelman & Hill 2007, figure 12.1: the smaller a
    group, the farther is its estimate drawn to the mean.

    Examples
    --------
    >>> import pymlm as mlm
    >>> exam = mlm.load_dataset("mlmRev::Exam")
    >>> p = mlm.pooling("normexam ~ standLRT", exam, "school", vary="intercept")
    >>> axes = mlm.plot.pooling(p)
    >>> axes[0].get_xlabel(), axes[0].get_ylabel()
    ('rows of the school', '(Intercept)')
    """
    style.need(p, Pooling, "what mlm.pooling(formula, data, by) returns", "pooling")
    frame = p.to_frame()
    have = list(dict.fromkeys(p.term))
    if terms is None:
        differ = frame.groupby("term", sort=False)["partial"].agg(np.ptp)
        chosen = [t for t in have if differ[t] > 1e-9 * abs(frame["partial"]).max()] or have
    else:
        chosen = style.several_of(terms, have, "coefficient")
    panels = style.panels_for(
        ax if axes is None else axes, len(chosen), 2, (5.0 if len(chosen) > 1 else 6.0, 3.6)
    )
    for i, (panel, term) in enumerate(zip(panels, chosen, strict=True)):
        own = frame[frame["term"] == term]
        _one(panel, own, level, label if label is not None else "partial pooling", points)
        panel.set(xlabel=f"rows of the {p.by}", ylabel=term)
        style.plain(panel)
        if i == len(panels) - 1:
            style.legend(panel)
    return panels if ax is None else panels[0]


def _one(ax: Axes, own: pd.DataFrame, level: float, label: str, points: dict[str, Any]) -> None:
    from matplotlib.ticker import LogLocator

    order = own.sort_values(["n", "grp"], kind="stable")
    keep = style.thinned(len(order), 2 * style.MOST_LINES)
    some = order.iloc[keep]
    x = _apart(some["n"].to_numpy(dtype=float))
    half = style.normal_quantile(level) * some["no_pooling_se"]
    alone, partial = some["no_pooling"].to_numpy(), some["partial"].to_numpy()
    ax.vlines(x, alone - half, alone + half, color=style.FAINT, linewidth=0.7, alpha=0.7, zorder=1)
    ax.vlines(x, np.minimum(alone, partial), np.maximum(alone, partial), color=style.VERMILION,
              linewidth=0.8, zorder=2)  # fmt: skip
    ax.plot(
        x, alone, linestyle="none", marker="o", markersize=4, markerfacecolor="white",
        color=style.VERMILION, label=f"no pooling, {100 * level:g} %", zorder=3,
    )  # fmt: skip
    looks = {"linestyle": "none", "marker": "s", "markersize": 3.5, "color": style.BLUE}
    ax.plot(x, partial, **{**looks, "zorder": 4, **points, "label": label})
    ax.axhline(float(some["complete"].iloc[0]), color=style.BLACK, linewidth=1.2, linestyle="--",
               zorder=2, label="complete pooling")  # fmt: skip
    if some["n"].min() > 0 and some["n"].max() > 8 * some["n"].min():
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter("")
    elif some["n"].min() == some["n"].max():
        ax.set_xticks([x.mean()], [f"{some['n'].iloc[0]:g}"])
    # Intervals of tiny groups must not press the estimates flat.
    both = np.concatenate([alone[np.isfinite(alone)], partial])
    room = 0.25 * np.ptp(both)
    ax.set_ylim(both.min() - room, both.max() + room)
    style.say_thinned(ax, len(keep), len(order), "groups")


def _apart(n: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Groups of one size side by side: spread by up to 12 % around it."""
    out = n.copy()
    for size in np.unique(n):
        same = np.flatnonzero(n == size)
        if len(same) > 1:
            out[same] = size * (1 + np.linspace(-0.06, 0.06, len(same)))
    return out
