"""Conditional modes of the random effects as a distribution."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from pymlm.models.mixed import MixedModel
from pymlm.models.nlme import NlmeModel
from pymlm.plot import _style as style
from pymlm.plot._style import figure
from pymlm.plot.modes import chosen_modes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def ranef_density(
    m: Any,
    by: str | None = None,
    terms: str | Sequence[str] | None = None,
    points: bool = True,
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **line: Any,
) -> Any:
    """Draw how the conditional modes are distributed, with the model's normal curve N(0, τ²).

    Parameters
    ----------
    m : mixed model
    by, terms
        As in `caterpillar`.
    points : bool
        Draw a tick for every level along the bottom.
    ax, axes : Axes
        Where to draw: `ax` for one panel, `axes` for one a coefficient.
    label : str, optional
        Of the normal curve in the legend.
    **line
        matplotlib's keywords of the normal curve (Line2D).

    Returns
    -------
    ndarray of Axes, one a coefficient; the Axes when `ax` was given

    Notes
    -----
    Draws ``m.ranef().to_frame()`` and ``m.varcorr()``; Hermansen's "Visualization: as
    distributions". Modes are shrunk, so that they spread less than the curve, the more the fewer
    rows a level has.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> axes = mlm.plot.ranef_density(m, terms="Days")
    >>> axes[0].get_legend().get_texts()[-1].get_text()
    'N(0, 5.92²)'
    """
    style.need(m, (MixedModel, NlmeModel), "a mixed model", "ranef_density")
    frame, factor, chosen = chosen_modes(m, by, terms, "ranef_density")
    panels = style.panels_for(ax if axes is None else axes, len(chosen), 3, (4.2, 3.0))
    for panel, term in zip(panels, chosen, strict=True):
        modes = frame.loc[frame["term"] == term, "condval"].to_numpy()
        tau = _tau(m, factor, term)
        reach = max(3 * tau, 1.1 * float(np.abs(modes).max(initial=0.0))) or 1.0
        panel.hist(
            modes, bins=min(40, max(6, round(np.sqrt(len(modes)) * 1.5))), density=True,
            color=style.SKY, alpha=0.5, edgecolor="white", label=f"modes of {len(modes)} {factor}",
        )  # fmt: skip
        if points:
            some = modes[style.some_rows(len(modes), 500)]
            ticks = panel.get_xaxis_transform()
            panel.plot(some, np.full(len(some), 0.015), "|", color=style.BLUE, transform=ticks)
            style.say_thinned(panel, len(some), len(modes), "ticks")
        at = np.linspace(-reach, reach, 201)
        looks = {"color": style.VERMILION, "linewidth": 2.0, "label": label or f"N(0, {tau:.3g}²)"}
        if tau > 0:
            panel.plot(at, norm.pdf(at, scale=tau), **{**looks, **line})
        else:
            style.note(panel, "τ is estimated as 0")
        style.zero_line(panel, upright=True)
        panel.set(xlabel=f"{term}, deviation by {factor}", ylabel="density")
        style.plain(panel)
        style.legend(panel)
    return panels if ax is None else panels[0]


def _tau(m: Any, factor: str, term: str) -> float:
    """The standard deviation of a random effect; uncorrelated terms stand as "g", "g.1" ... ."""
    table = m.varcorr().to_frame()
    own = table["grp"].map(lambda g: g == factor or re.fullmatch(rf"{re.escape(factor)}\.\d+", g))
    others = set(m.ngroups) - {factor}
    rows = own.astype(bool) & ~table["grp"].isin(others) & (table["var1"] == term)
    return float(table.loc[rows & table["var2"].isna(), "sdcor"].iloc[0])
