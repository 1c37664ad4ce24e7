"""Residuals by group: the ghosts of what a regression leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pymlm.models.lm import LinearModel
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.residual_groups import ResidualGroups, residuals_of_model
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def residuals_by_group(
    m: Any,
    by: str | None = None,
    random: bool = False,
    highlight: Any = None,
    points: bool = True,
    ax: Axes | None = None,
    label: str | None = None,
    **dots: Any,
) -> Axes:
    """Draw the residuals of every group, with their mean and standard deviation, by rising mean.

    Parameters
    ----------
    m : ResidualGroups, linear model, or mixed model
        A result of ``mlm.residuals_by_group``; or a model.
    by : str, optional
        The grouping column; needed for a model without groups, default the first factor of others.
    random : bool
        Of a mixed model: leave the random effects in, as `fitted` does, instead of taking the
        residuals of the fixed part alone, where the groups show.
    highlight : level or list of levels, optional
        Groups to draw in colour.
    points : bool
        Draw every residual, too.
    ax : Axes, optional
    label : str, optional
        Of the means in the legend.
    **dots
        matplotlib's keywords of the groups' means (Line2D).

    Returns
    -------
    Axes

    Raises
    ------
    ArgumentError
        For something else than a model, or a group that there is not.
    DataError
        When `by` is no column of the data.

    Notes
    -----
    Draws ``mlm.residuals_by_group(...).to_frame()``; Hermansen's "ghosts" of a regression.
    Residuals of groups that have nothing in common scatter around 0, all alike.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("sleepstudy")
    >>> ax = mlm.plot.residuals_by_group(mlm.lm("Reaction ~ Days", data), by="Subject")
    >>> ax.get_yticklabels()[0].get_text()  # the lowest mean
    '309'
    """
    kinds = (ResidualGroups, MixedModel, LinearModel)
    style.need(m, kinds, "mlm.residuals_by_group(...), or a model", "residuals_by_group")
    found = m if isinstance(m, ResidualGroups) else residuals_of_model(m, by, random)
    table = found.to_frame().sort_values("mean", kind="stable")
    marked = [style.one_of(g, list(table.index), "group") for g in style.listed(highlight)]
    keep = style.thinned(len(table), style.MOST_LABELS, keep_ends=10)
    some = table.iloc[np.union1d(keep, [table.index.get_loc(g) for g in marked]).astype(int)]
    where = style.axes_for(ax, (6.0, min(8.0, max(2.8, 0.17 * len(some) + 0.9))))
    at = np.arange(len(some))
    place = {g: i for i, g in enumerate(some.index)}
    style.zero_line(where, upright=True)
    if points:
        rows = found.points()
        rows = rows[rows["grp"].isin(place)]
        n = len(rows)
        rows = rows.iloc[style.some_rows(n)]
        style.say_thinned(where, len(rows), n, "points of these groups")
        jitter = np.random.default_rng(1).uniform(-0.25, 0.25, len(rows))
        where.scatter(rows["residual"], rows["grp"].map(place) + jitter, s=8, alpha=0.5,
                      color=style.GREY, linewidths=0, zorder=1, rasterized=True)  # fmt: skip
    colours = [style.PALETTE[1 + marked.index(g) % 6] if g in marked else style.BLUE
               for g in some.index]  # fmt: skip
    sd = some["sd"].fillna(0.0)
    where.hlines(at, some["mean"] - sd, some["mean"] + sd, colors=colours, linewidth=2.2, zorder=2)
    looks = {"linestyle": "none", "marker": "o", "markersize": 4, "color": style.BLUE, "zorder": 3}
    name = label or "mean ± standard deviation"
    where.plot(some["mean"], at, **{**looks, **dots, "label": name})
    for group in marked:
        i = place[group]
        where.plot([float(some["mean"].iloc[i])], [i], marker="D", markersize=7, zorder=4,
                   color=colours[i])  # fmt: skip
    where.set_yticks(at, [str(g) for g in some.index], fontsize="small")
    where.set_ylim(-0.8, len(some) - 0.2)
    what = "residual" if random or isinstance(m, LinearModel) else "residual of the fixed part"
    where.set(xlabel="residual of the pooled regression" if m is found else what)
    style.plain(where)
    style.legend(where)
    style.say_thinned(where, len(some), len(table), "groups")
    return where
