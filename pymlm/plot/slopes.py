"""Slopes at two levels, and slopes that a moderator moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pymlm.argument_types import Data, Level, MixedDdf
from pymlm.errors import ArgumentError
from pymlm.frames import as_pandas
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.interactions import JohnsonNeyman
from pymlm.multilevel.interactions import johnson_neyman as region_of
from pymlm.multilevel.lines import within_between_lines
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOKS: dict[str, dict[str, Any]] = {
    "between": {"color": style.VERMILION, "linewidth": 2.6, "zorder": 5},
    "pooled": {"color": style.BLACK, "linewidth": 1.8, "linestyle": "--", "zorder": 4},
}


@figure("Line2D")
def within_between(
    data: Data,
    y: str,
    x: str,
    by: str,
    points: bool = False,
    ax: Axes | None = None,
    label: str | None = None,
    **line: Any,
) -> Axes:
    """Draw the slope within groups, the slope between their means, and the pooled one.

    Parameters
    ----------
    data : DataFrame
    y, x : str
        Numeric columns.
    by : str
        The grouping column.
    points : bool
        Draw the rows, too; the groups' means are always there.
    ax : Axes, optional
    label : str, optional
        Of the groups' lines in the legend; default "within" with its slope.
    **line
        matplotlib's keywords of the groups' lines (Line2D).

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        When x or y is not numeric or no column, or x varies at one level only.

    Notes
    -----
    Draws ``mlm.within_between_lines(data, y, x, by)``. Rosche's figure 13 after Snijders & Bosker
    1999, p. 28; Hoffman's between and contextual effects. The contextual slope is the difference
    of both: parallel lines have none.

    Examples
    --------
    >>> import pymlm as mlm
    >>> exam = mlm.load_dataset("mlmRev::Exam")
    >>> ax = mlm.plot.within_between(exam, "normexam", "standLRT", by="school")
    >>> [t.get_text() for t in ax.get_legend().get_texts()]
    ['within 0.559', 'school means', 'between 0.884', 'pooled 0.595']
    """
    from matplotlib.patheffects import withStroke

    frame = as_pandas(data)
    lines = within_between_lines(frame, y, x, by)
    where = style.axes_for(ax)
    if points:
        rows = frame.iloc[style.some_rows(len(frame))]
        where.scatter(rows[x], rows[y], s=5, color=style.FAINT, zorder=1)
        style.say_thinned(where, len(rows), len(frame), "points")
    slopes = lines.groupby("kind")["slope"].first()
    within = lines[lines["kind"] == "within"]
    groups = within["grp"].unique()
    keep = groups[style.thinned(len(groups), style.MOST_LINES)]
    name: str | None = label or f"within {slopes['within']:.3g}"
    looks = {"color": style.BLUE, "linewidth": 0.8, "alpha": 0.6, "zorder": 2}
    for _, own in within[within["grp"].isin(keep)].groupby("grp", sort=False):
        where.plot(own["x"], own["y"], **{**looks, **line, "label": name})
        name = None
    means = lines[(lines["kind"] == "mean") & lines["grp"].isin(keep)]
    where.plot(means["x"], means["y"], linestyle="none", marker="o", markersize=3.5, zorder=3,
               color=style.BLACK, markerfacecolor="white", label=f"{by} means")  # fmt: skip
    for kind, look in _LOOKS.items():
        own = lines[lines["kind"] == kind]
        edge = withStroke(linewidth=look["linewidth"] + 2.0, foreground="white")  # over the others
        where.plot(
            own["x"], own["y"], **look, path_effects=[edge], label=f"{kind} {slopes[kind]:.3g}"
        )
    where.set(xlabel=style.worded(x, frame), ylabel=style.worded(y, frame))
    style.plain(where)
    style.legend(where)
    style.say_thinned(where, len(keep), len(groups), "groups")
    return where


@figure("Line2D")
def johnson_neyman(
    j: Any,
    x: str | None = None,
    moderator: str | None = None,
    level: Level = 0.95,
    ddf: MixedDdf = "Satterthwaite",
    ax: Axes | None = None,
    label: str | None = None,
    **line: Any,
) -> Axes:
    """Draw a slope over its moderator, with its band, where it is significant and where not.

    Parameters
    ----------
    j : JohnsonNeyman, or mixed model
    x, moderator : str, optional
        Of a model: the predictor and its moderator.
    level : float
        Of a model's band; a result has its own.
    ddf : str
        Of a model: as in ``mlm.johnson_neyman``.
    ax : Axes, optional
    label : str, optional
        Of the slope in the legend.
    **line
        matplotlib's keywords of the slope's line (Line2D).

    Returns
    -------
    Axes

    Raises
    ------
    ArgumentError
        For something else than a result or a model with x and moderator.

    Notes
    -----
    Draws ``j.to_frame()`` and its bounds within the observed range of the moderator; the R package
    interactions draws the like.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("langPOST ~ ses * schoolSES + (1 | schoolNR)", mlm.load_dataset("nlme::bdf"))
    >>> ax = mlm.plot.johnson_neyman(m, "ses", "schoolSES")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('schoolSES', 'slope of ses')
    """
    style.need(j, (MixedModel, JohnsonNeyman), "mlm.johnson_neyman(m, x, moderator), or the model",
               "johnson_neyman")  # fmt: skip
    if isinstance(j, MixedModel):
        if x is None or moderator is None:
            raise ArgumentError("plot.johnson_neyman(model, x, moderator) names both predictors")
        data = style.data_of(j)
        j = region_of(j, x, moderator, level=level, ddf=ddf)
    elif x is not None or moderator is not None:
        raise ArgumentError("the result has its own x and moderator: leave them out")
    else:
        data = None
    where = style.axes_for(ax)
    frame = j.to_frame()
    z, low, high = (frame[c].to_numpy() for c in ("value", "conf_low", "conf_high"))
    sure = frame["significant"].to_numpy(dtype=bool)
    inside = [b for b in j.bounds if z[0] < b < z[-1]]
    at = np.sort(np.concatenate([z, inside]))
    low, high = np.interp(at, z, low), np.interp(at, z, high)
    known = np.array([bool(sure[np.argmin(np.abs(z - v))]) or v in inside for v in at])
    style.zero_line(where)
    bands = ((known, style.BLUE, f"p < {1 - j.level:.3g}", ""),
             (~known | np.isin(at, inside), style.GREY, "not significant", "///"))  # fmt: skip
    for mask, colour, name, hatch in bands:
        if mask.sum() > len(inside):
            where.fill_between(at, low, high, where=mask, facecolor=colour, alpha=0.3, hatch=hatch,
                               edgecolor=colour, linewidth=0, label=name)  # fmt: skip
    looks = {"color": style.BLACK, "linewidth": 2.0}
    where.plot(z, frame["slope"], **{**looks, **line, "label": label})
    for bound in inside:
        where.axvline(bound, color=style.VERMILION, linestyle="--", linewidth=1.2)
        where.annotate(
            f"{bound:.3g}", (bound, 0), xycoords=("data", "axes fraction"), xytext=(3, 4),
            textcoords="offset points", color=style.VERMILION, fontsize="small",
        )  # fmt: skip
    where.set(xlabel=style.worded(j.moderator, data), ylabel=f"slope of {j.predictor}")
    where.margins(x=0)
    style.plain(where)
    style.legend(where)
    return where
