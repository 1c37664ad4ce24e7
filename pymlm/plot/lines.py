"""Lines of groups around the line of the fixed effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pymlm.errors import ArgumentError
from pymlm.models.inside import rows_of
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.lines import POPULATION
from pymlm.multilevel.lines import group_lines as lines_of
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Points a line: enough for the bends of a spline or of a logistic curve.
POINTS = 25


@figure("Line2D")
def group_lines(
    m: Any,
    x: str,
    by: str | None = None,
    highlight: Any = None,
    points: bool = False,
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **line: Any,
) -> Any:
    """Draw every group's fitted line over its own range of x, and the line of the fixed effects.

    Parameters
    ----------
    m : model, or dict of str to model
        A mixed model; or several by title, one panel each, on common axes (a model without x gives
        flat lines).
    x : str
        A numeric predictor.
    by : str, optional
        The grouping factor; default the model's first.
    highlight : level or list of levels, optional
        Groups to draw in colour, with their names.
    points : bool
        Draw the observations, too.
    ax, axes : Axes
        Where to draw: `ax` for one model, `axes` for several.
    label : str, optional
        Of the groups' lines in the legend.
    **line
        matplotlib's keywords of the groups' lines (Line2D).

    Returns
    -------
    Axes, or ndarray of Axes for several models

    Raises
    ------
    ArgumentError
        For an unknown grouping factor, group or keyword.
    DataError
        When x is not numeric or not in the model.

    Notes
    -----
    Draws ``mlm.group_lines(m, x, by)``: other numeric predictors at their means, other categories
    at their first level. Rosche's figures 8 and 10, Hermansen's "Visualization", Hoffman's fixed
    and random effects; ``groupline`` and lattice's ``xyplot`` draw the like.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> ax = mlm.plot.group_lines(m, "Days", highlight="308", points=True)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['each Subject', '308', 'fixed effects']
    """
    marked = style.listed(highlight)
    if not isinstance(m, Mapping):
        where = style.axes_for(ax)
        _one(where, m, x, by, marked, points, label, line)
        style.legend(where)
        return where
    if not m:
        raise ArgumentError("plot.group_lines() has no model to draw")
    columns = 4 if len(m) > 4 else 2 if len(m) == 4 else 3
    panels = style.panels_for(axes, len(m), columns, (3.0, 2.6), sharex=True, sharey=True)
    for where, (title, model) in zip(panels, m.items(), strict=True):
        _one(where, model, x, by, marked, points, label, line)
        where.set_title(title, fontsize="medium")
        where.label_outer()
    return panels


def _one(
    ax: Axes, m: Any, x: str, by: str | None, marked: list[str], points: bool,
    label: str | None, line: dict[str, Any],
) -> None:  # fmt: skip
    style.need(m, MixedModel, "a model of lme4 (or a dict of title to model)", "group_lines")
    data = rows_of(m, "plot.group_lines")
    plain = [g for g in m.ngroups if g in data.columns]
    factor = by or next(iter([*plain, *m.ngroups]), "")
    style.one_of(factor, list(m.ngroups), "grouping factor")
    chosen, n = _some_groups(m, factor, marked)
    frame = lines_of(m, x, by=factor, points=POINTS, groups=chosen, flat=True)
    if points:
        rows = data.iloc[style.some_rows(len(data))]
        ax.scatter(rows[x], style.observed(m, rows), s=6, color=style.FAINT, zorder=1)
        style.say_thinned(ax, len(rows), len(data), "points")
    looks: dict[str, Any] = {"color": style.GREY, "linewidth": 0.7, "alpha": 0.8, "zorder": 2}
    name: str | None = label or f"each {factor}"
    for group, own in frame[frame["grp"] != POPULATION].groupby("grp", sort=False):
        if group not in marked:
            ax.plot(own["x"], own["predicted"], **{**looks, **line, "label": name})
            name = None
    for i, group in enumerate(marked):
        own = frame[frame["grp"] == group]
        ax.plot(
            own["x"], own["predicted"], color=style.PALETTE[i % 7], linewidth=1.8, zorder=4,
            linestyle=style.STYLES[(i + 1) % 7], label=group,
        )  # fmt: skip
    whole = frame[frame["grp"] == POPULATION]
    ax.plot(
        whole["x"], whole["predicted"], color=style.VERMILION if not marked else style.BLACK,
        linewidth=2.6, zorder=5, label="fixed effects",
    )  # fmt: skip
    ax.set(xlabel=style.worded(x, data), ylabel=style.response(m))
    style.plain(ax)
    style.say_thinned(ax, n if chosen is None else len(chosen), n, "groups")


def _some_groups(m: Any, factor: str, marked: list[str]) -> tuple[list[str] | None, int]:
    """The groups to draw (None for all), spread evenly over their conditional modes."""
    n = m.ngroups.get(factor, 0)
    if n <= style.MOST_LINES and not marked:
        return None, n
    modes = m.ranef(cond_var=False)[factor]
    order = modes.index[np.argsort(modes.iloc[:, 0].to_numpy(), kind="stable")]
    for group in marked:
        style.one_of(group, [str(g) for g in order], f"level of {factor!r}")
    drawn = [str(order[i]) for i in style.thinned(n, style.MOST_LINES, keep_ends=5)]
    return list(dict.fromkeys([*drawn, *marked])), n
