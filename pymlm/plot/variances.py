"""Variance over a predictor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pymlm.errors import ArgumentError
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.implied import VarianceFunction, variance_function
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def variance(
    m: Any = None,
    x: str | None = None,
    at: Sequence[float] | None = None,
    tau: Any = None,
    sigma: float | None = None,
    ax: Axes | None = None,
    label: str | None = None,
    **line: Any,
) -> Axes:
    """Draw the variance that a random slope implies over its predictor, and where it is smallest.

    Parameters
    ----------
    m : mixed model or VarianceFunction, optional
    x : str, optional
        Of a model: the predictor with the random slope; default the first.
    at : sequence of float, optional
        Values of x; default its observed range.
    tau, sigma : array-like of shape (2, 2), float, optional
        Without a model: the covariance matrix of intercept and slope, and the residual standard
        deviation; `at` is then needed.
    ax : Axes, optional
    label : str, optional
        Of the total variance in the legend.
    **line
        matplotlib's keywords of the line of the total (Line2D).

    Returns
    -------
    Axes

    Raises
    ------
    ArgumentError
        As ``mlm.variance_function``, and for something else than a model or its result.

    Notes
    -----
    Draws ``mlm.variance_function(m, x).to_frame()``: Rosche's modelled heteroscedasticity (figure
    11).

    Examples
    --------
    >>> import pymlm as mlm
    >>> ax = mlm.plot.variance(at=[-2, -1, 0, 1, 2], tau=[[0.2, -0.03], [-0.03, 0.02]], sigma=0.8)
    >>> [t.get_text() for t in ax.get_legend().get_texts()]
    ['total', 'between groups', 'residual', 'smallest at 1.5']
    """
    found = m
    if not isinstance(m, VarianceFunction):
        if m is not None:
            kinds = "mlm.variance_function(m, x), a mixed model, or tau= and sigma="
            style.need(m, MixedModel, kinds, "variance")
            x = x or _first_slope(m)
        found = variance_function(m, x or "x", at=at, tau=tau, sigma=sigma)
    frame = found.to_frame().sort_values("x")
    where = style.axes_for(ax, (5.6, 3.4))
    looks = {"color": style.BLUE, "linewidth": 2.4}
    where.plot(frame["x"], frame["total"], **{**looks, **line, "label": label or "total"})
    where.plot(frame["x"], frame["between"], color=style.VERMILION, linewidth=1.8, linestyle="--",
               label="between groups")  # fmt: skip
    where.axhline(found.residual, color=style.GREY, linewidth=1.2, linestyle=":", label="residual")
    low = found.minimum_at
    if math.isfinite(low) and frame["x"].min() <= low <= frame["x"].max():
        height = float(np.interp(low, frame["x"], frame["total"]))
        where.plot([low], [height], linestyle="none", marker="v", color=style.BLACK,
                   label=f"smallest at {low:.3g}")  # fmt: skip
    where.set_ylim(0, None)
    where.set(xlabel=style.worded(found.predictor, style.data_of(m)), ylabel="variance")
    style.plain(where)
    style.legend(where)
    return where


def _first_slope(m: MixedModel) -> str:
    slopes = [t for g in m.ranef(cond_var=False).groups for t in g.term if t != "(Intercept)"]
    if not slopes:
        raise ArgumentError("the model has no random slope: its variance is the same everywhere")
    return slopes[0]
