"""Shrinkage: arrows from every group's own estimate to that of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.shrinkage import Shrinkage
from pymlm.multilevel.shrinkage import shrinkage as shrinkage_of
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def shrinkage(
    m: Any,
    by: str | None = None,
    terms: Sequence[str] | None = None,
    ax: Axes | None = None,
    label: str | None = None,
    **points: Any,
) -> Axes:
    """Draw how the model shrinks every group's own coefficients towards the fixed effects.

    Two coefficients span the plane; with one, groups stand side by side, by their own estimate.

    Parameters
    ----------
    m : linear mixed model, or Shrinkage
    by : str, optional
        The grouping factor; default the first.
    terms : sequence of str, optional
        One or two coefficients; default the first two that vary.
    ax : Axes, optional
    label : str, optional
        Of the model's estimates in the legend.
    **points
        matplotlib's keywords of the model's estimates (Line2D).

    Returns
    -------
    Axes

    Raises
    ------
    ArgumentError
        For an unknown factor or coefficient, or more than two.
    NotSupportedError
        When no group can estimate its own coefficients.

    Notes
    -----
    Draws ``mlm.shrinkage(m).to_frame()``: from `no_pooling` to `estimate`. MixedModelsMakie's
    ``shrinkageplot``. Groups too small for an estimate of their own have no arrow.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> ax = mlm.plot.shrinkage(m)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('(Intercept)', 'Days')
    """
    style.need(m, (MixedModel, Shrinkage), "a mixed model or mlm.shrinkage(m)", "shrinkage")
    found = m if isinstance(m, Shrinkage) else shrinkage_of(m)
    frame = found.to_frame()
    factors = list(dict.fromkeys(found.grpvar))
    factor = style.one_of(factors[0] if by is None else by, factors, "grouping factor")
    frame = frame[frame["grpvar"] == factor]
    have = list(dict.fromkeys(frame["term"]))
    chosen = have[:2] if terms is None else style.several_of(terms, have, "random effect")
    if not 1 <= len(chosen) <= 2:
        raise ArgumentError("plot.shrinkage() draws one or two coefficients; choose by terms=")
    sides = {
        t: frame[frame["term"] == t].set_index("grp")[["no_pooling", "estimate", "overall"]]
        for t in chosen
    }
    whole = np.logical_and.reduce([s["no_pooling"].notna().to_numpy() for s in sides.values()])
    if not whole.any():
        raise NotSupportedError(
            f"no {factor} can estimate its own {' and '.join(chosen)} (linear models only)"
        )
    where = style.axes_for(ax, (5.2, 4.2) if len(chosen) == 2 else (6.0, 3.8))
    names = {"own": "each group's own", "model": label or "mixed model", "all": "fixed effects"}
    if len(chosen) == 2:
        n = _plane(where, sides, chosen, whole, names, points)
    else:
        n = _row(where, sides[chosen[0]][whole], factor, chosen[0], names, points)
    style.plain(where)
    style.legend(where)
    style.say_thinned(where, n, len(whole), f"levels of {factor}")
    return where


def _arrows(ax: Axes, start: Any, end: Any) -> None:
    ax.quiver(
        *start, *(e - s for s, e in zip(start, end, strict=True)), angles="xy", scale_units="xy",
        scale=1, width=0.004, color=style.GREY, headwidth=5, zorder=1,
    )  # fmt: skip


def _dots(ax: Axes, own: Any, model: Any, names: dict[str, str], points: dict[str, Any]) -> None:
    ax.plot(
        *own, linestyle="none", marker="o", markersize=4, markerfacecolor="none",
        color=style.VERMILION, label=names["own"], zorder=2,
    )  # fmt: skip
    looks = {"linestyle": "none", "marker": "o", "markersize": 4, "color": style.BLUE, "zorder": 3}
    ax.plot(*model, **{**looks, **points, "label": names["model"]})


def _plane(
    ax: Axes, sides: dict[str, pd.DataFrame], chosen: list[str], whole: Any,
    names: dict[str, str], points: dict[str, Any],
) -> int:  # fmt: skip
    one, two = (sides[t][whole] for t in chosen)
    order = np.argsort(one["no_pooling"].to_numpy(), kind="stable")
    keep = order[style.thinned(len(order), style.MOST_LINES, keep_ends=10)]
    own = [t["no_pooling"].to_numpy()[keep] for t in (one, two)]
    model = [t["estimate"].to_numpy()[keep] for t in (one, two)]
    _arrows(ax, own, model)
    _dots(ax, own, model, names, points)
    centre = [float(t["overall"].iloc[0]) for t in (one, two)]
    ax.plot(
        *[[c] for c in centre], linestyle="none", marker="P", markersize=9, color=style.BLACK,
        label=names["all"], zorder=4,
    )  # fmt: skip
    ax.set(xlabel=chosen[0], ylabel=chosen[1])
    return len(keep)


def _row(
    ax: Axes, side: pd.DataFrame, factor: str, term: str, names: dict[str, str],
    points: dict[str, Any],
) -> int:  # fmt: skip
    ranked = side.sort_values("no_pooling", kind="stable")
    keep = style.thinned(len(ranked), style.MOST_LINES, keep_ends=10)
    some = ranked.iloc[keep]
    at = np.arange(len(some), dtype=float)
    own, model = (some[c].to_numpy() for c in ("no_pooling", "estimate"))
    _arrows(ax, [at, own], [at, model])
    _dots(ax, [at, own], [at, model], names, points)
    ax.axhline(float(some["overall"].iloc[0]), color=style.BLACK, linewidth=1, linestyle="--",
               label=names["all"], zorder=1)  # fmt: skip
    labels = [str(g) for g in some.index] if len(some) <= style.MOST_LABELS else []
    long = max((len(x) for x in labels), default=0) * len(labels) > 60
    ax.set_xticks(at if labels else [], labels, rotation=90 if long else 0, fontsize="small")
    ax.set(xlabel=factor, ylabel=term)
    return len(keep)
