"""Normal quantiles of residuals and of conditional modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from pymlm.argument_types import Level
from pymlm.models.diagnostics import QuantileBlock, Quantiles
from pymlm.models.lm import LinearModel
from pymlm.models.mixed import MixedModel
from pymlm.models.nlme import NlmeModel
from pymlm.plot import _style as style
from pymlm.plot._style import figure
from pymlm.plot.modes import random_effects

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RESIDUALS = "residuals"
#: Points in the figure; both tails are kept whole.
MOST, TAILS = 2000, 300


@figure("Line2D")
def qq(
    m: Any,
    what: str = RESIDUALS,
    level: Level = 0.95,
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **points: Any,
) -> Any:
    """Draw residuals or conditional modes against normal quantiles, with a band.

    Parameters
    ----------
    m : model, or Quantiles
    what : str
        "residuals", or a grouping factor: its conditional modes, a panel a coefficient.
    level : float
        Of the band of the residuals (pointwise), or of the modes' own intervals.
    ax, axes : Axes
        Where to draw: `ax` for one panel, `axes` for one a coefficient.
    label : str, optional
        Of the points in the legend.
    **points
        matplotlib's keywords of the points (Line2D).

    Returns
    -------
    Axes for residuals, ndarray of Axes for modes

    Raises
    ------
    ArgumentError
        When `what` is neither "residuals" nor a grouping factor.

    Notes
    -----
    Draws ``m.qq_data().to_frame()``, or its like of ``m.ranef()``. The line goes through both
    quartiles, as R's ``qqline``. The i-th of n independent normal residuals lies within the band
    with probability `level`: the quantiles of the Beta(i, n + 1 − i) distribution of its rank, on
    the line's scale (David & Nagaraja 2003, Order Statistics, section 2.1).

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> ax = mlm.plot.qq(m)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('normal quantile', 'Pearson residual')
    >>> [ax.get_title() for ax in mlm.plot.qq(m, "Subject")]
    ['(Intercept)', 'Days']
    """
    kinds = (MixedModel, NlmeModel, LinearModel, Quantiles)
    style.need(m, kinds, "a model or its m.qq_data()", "qq")
    blocks = _blocks(m, what)
    if what == RESIDUALS:
        where = style.axes_for(ax, (4.4, 3.8))
        _residuals(where, blocks[0], level, label, points)
        return where
    panels = style.panels_for(ax if axes is None else axes, len(blocks), 3, (3.4, 3.2))
    for panel, block in zip(panels, blocks, strict=True):
        _modes(panel, block, level, label, points)
    return panels if ax is None else panels[0]


def _blocks(m: Any, what: str) -> list[QuantileBlock]:
    if isinstance(m, Quantiles):
        names = [RESIDUALS if b.grpvar == "Residual" else b.grpvar for b in m.blocks]
        if what == RESIDUALS and RESIDUALS not in names:
            what = names[0]
        style.one_of(what, list(dict.fromkeys(names)), "set of quantiles")
        return [b for b, name in zip(m.blocks, names, strict=True) if name == what]
    style.one_of(what, [RESIDUALS, *m.ngroups], "residuals or grouping factor")
    if what == RESIDUALS:
        return [residual_quantiles(m.residuals("pearson").dropna())]
    return [b for b in mode_quantiles(m) if b.grpvar == what]


def residual_quantiles(residuals: pd.Series) -> QuantileBlock:
    """What ``m.qq_data()`` answers, of every class of model."""
    values = residuals.to_numpy()
    return QuantileBlock(
        grpvar="Residual", term="", label=tuple(map(str, residuals.index)), sample=values,
        theoretical=normal_quantiles(values),
    )  # fmt: skip


def mode_quantiles(m: Any) -> list[QuantileBlock]:
    """What ``m.qq_data("random")`` answers, from the conditional modes that the model has kept."""
    return [
        QuantileBlock(
            grpvar=g.grpvar,
            term=term,
            label=g.level,
            sample=g.condval[:, t],
            theoretical=normal_quantiles(g.condval[:, t]),
            std_error=None if g.condsd is None else g.condsd[:, t],
        )
        for g in random_effects(m).groups
        for t, term in enumerate(g.term)
    ]


def normal_quantiles(sample: Any) -> Any:
    """The normal quantile at the rank of each value, by the plotting positions of R's ppoints."""
    n = len(sample)
    a = 3 / 8 if n <= 10 else 0.5
    ranks = np.empty(n)
    ranks[np.argsort(sample, kind="stable")] = np.arange(1, n + 1)
    return stats.norm.ppf((ranks - a) / (n + 1 - 2 * a))


def _line(sample: Any) -> tuple[float, float]:
    """Intercept and slope of the line through both quartiles."""
    low, high = np.quantile(sample, [0.25, 0.75])
    slope = float((high - low) / (2 * stats.norm.ppf(0.75)))
    return float((low + high) / 2), slope


def _sorted(block: QuantileBlock) -> tuple[Any, Any, Any]:
    order = np.argsort(block.theoretical, kind="stable")
    return order, np.asarray(block.theoretical)[order], np.asarray(block.sample)[order]


def _residuals(
    ax: Axes, block: QuantileBlock, level: float, label: str | None, points: dict[str, Any]
) -> None:
    _, theory, sample = _sorted(block)
    n = len(sample)
    keep = style.thinned(n, MOST, keep_ends=TAILS)
    at, (a, b) = theory[keep], _line(sample)
    ranks = keep + 1.0
    tail = (1 - level) / 2
    low, high = (stats.norm.ppf(stats.beta.ppf(q, ranks, n + 1 - ranks)) for q in (tail, 1 - tail))
    ax.fill_between(
        at, a + b * low, a + b * high, color=style.GREY, alpha=0.25, linewidth=0,
        label=f"{100 * level:g} % of normal ones",
    )  # fmt: skip
    ax.plot(at, a + b * at, color=style.BLACK, linewidth=1.0)
    looks = {"color": style.BLUE, "marker": "o", "markersize": 3, "linestyle": "none"}
    ax.plot(at, sample[keep], **{**looks, **points, "label": label})
    ax.set(xlabel="normal quantile", ylabel="Pearson residual")
    style.plain(ax)
    style.legend(ax)
    style.say_thinned(ax, len(keep), n, "residuals")


def _modes(
    ax: Axes, block: QuantileBlock, level: float, label: str | None, points: dict[str, Any]
) -> None:
    order, theory, sample = _sorted(block)
    keep = style.thinned(len(sample), 400, keep_ends=50)
    a, b = _line(sample)
    ax.plot(theory[keep], a + b * theory[keep], color=style.BLACK, linewidth=1.0, zorder=1)
    if block.std_error is not None:
        half = style.normal_quantile(level) * np.asarray(block.std_error)[order][keep]
        at = sample[keep]
        ax.vlines(theory[keep], at - half, at + half, color=style.SKY, linewidth=1.0)
    looks = {"color": style.BLUE, "marker": "o", "markersize": 3, "linestyle": "none"}
    ax.plot(theory[keep], sample[keep], **{**looks, **points, "label": label})
    ax.set_title(block.term, fontsize="medium")
    ax.set(xlabel="normal quantile", ylabel=f"mode of {block.grpvar}")
    style.plain(ax)
    if label is not None:
        style.legend(ax)
    style.say_thinned(ax, len(keep), len(sample), f"levels of {block.grpvar}")
