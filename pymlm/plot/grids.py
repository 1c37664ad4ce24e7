"""Predictions over one to three predictors: x, colour, panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Level
from pymlm.models.lm import LinearModel
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.prediction_lines import prediction_lines
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def predictions(
    m: Any,
    variables: str | Sequence[str],
    at: Mapping[str, Any] | None = None,
    level: Level = 0.95,
    points: bool = False,
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **line: Any,
) -> Any:
    """Draw predictions of the fixed part with their bands: over x, by colour, by panel.

    Parameters
    ----------
    m : mixed or linear model
    variables : str or list of str
        x; x and colour; or x, colour and panel. A continuous colour or panel stands at its mean and
        one standard deviation around it.
    at : dict of str to values, optional
        Values of any of `variables`, or one value of another predictor.
    level : float
        Of the bands.
    points : bool
        Draw the observations, too, each by its own colour and panel where these are categories.
    ax, axes : Axes
        Where to draw: `ax` without panels, `axes` with them.
    label : str, optional
        Of the line in the legend, where there is one line.
    **line
        matplotlib's keywords of the lines (Line2D).

    Returns
    -------
    Axes; ndarray of Axes for three variables

    Raises
    ------
    ArgumentError, DataError, NotSupportedError
        As ``mlm.prediction_lines``.

    Notes
    -----
    Draws ``mlm.prediction_lines(m, variables)``; marginaleffects' ``plot_predictions`` and
    ggeffects draw the like.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("angle ~ temp * recipe + (1 | recipe:replicate)", mlm.load_dataset("cake"))
    >>> ax = mlm.plot.predictions(m, ["temp", "recipe"])
    >>> [t.get_text() for t in ax.get_legend().get_texts()]
    ['A', 'B', 'C']
    """
    style.need(m, (MixedModel, LinearModel), "a model of lme4, lm or glm", "predictions")
    frame = prediction_lines(m, variables, at=at, level=level)
    x, colour, panel = (*(c for c in frame.columns if c not in _NUMBERS), None, None)[:3]
    assert x is not None
    data = style.data_of(m)
    rows = _observed(m, data) if points else None
    slices: list[tuple[Any, pd.DataFrame]] = [(None, frame)]
    if panel is not None:
        slices = list(frame.groupby(panel, sort=False, observed=True))
    if panel is None:
        panels = np.array([style.axes_for(ax)], dtype=object)
    else:
        panels = style.panels_for(axes, len(slices), 3, (3.4, 3.2), sharex=True, sharey=True)
    for where, (value, part) in zip(panels, slices, strict=True):
        some = rows
        if rows is not None and panel is not None and not _continuous(frame[panel]):
            some = rows[rows[panel].astype(str) == str(value)]
        _one(where, part, x, colour, some, label, line)
        where.set(xlabel=style.worded(x, data), ylabel=f"predicted {style.response(m)}")
        if panel is not None:
            where.set_title(f"{panel} = {_value(value)}", fontsize="medium")
            where.label_outer()
    if rows is not None:
        style.say_thinned(panels[-1], len(rows), len(data), "points")
    if colour is not None:
        style.legend(panels[-1], title=style.worded(colour, data))
    elif label is not None:
        style.legend(panels[-1])
    return panels if panel is not None else panels[0]


_NUMBERS = ("fit", "std_error", "conf_low", "conf_high")


def _continuous(column: pd.Series) -> bool:
    kind = column.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _observed(m: Any, data: Any) -> pd.DataFrame:
    outcome = style.observed(m, data)
    keep = style.some_rows(len(data))
    chosen: pd.DataFrame = data.iloc[keep]
    return chosen.assign(**{_OUTCOME: outcome.iloc[keep]})


_OUTCOME = "\0outcome"


def _one(
    ax: Axes, frame: pd.DataFrame, x: str, colour: str | None, rows: pd.DataFrame | None,
    label: str | None, line: dict[str, Any],
) -> None:  # fmt: skip
    parts: list[tuple[Any, pd.DataFrame]] = [(label, frame)]
    if colour is not None:
        parts = list(frame.groupby(colour, sort=False, observed=True))
    steps = not _continuous(frame[x])
    place = {v: i for i, v in enumerate(frame[x].drop_duplicates())} if steps else {}
    for i, (value, own) in enumerate(parts):
        paint = style.PALETTE[i % 7]
        shift = 0.12 * (i - (len(parts) - 1) / 2) if steps else 0.0
        at = own[x].map(place).to_numpy(dtype=float) + shift if steps else own[x].to_numpy()
        if rows is not None:
            mine = rows
            if colour is not None and not _continuous(frame[colour]):
                mine = rows[rows[colour].astype(str) == str(value)]
            if colour is None or mine is not rows or i == 0:
                where = mine[x].map(place).astype(float) + shift if steps else mine[x]
                ax.scatter(where, mine[_OUTCOME], s=6, alpha=0.35, linewidths=0, zorder=1,
                           color=style.GREY if mine is rows else paint)  # fmt: skip
        looks = {"color": paint, "linewidth": 2.0, "linestyle": style.STYLES[i % 7], "zorder": 4,
                 "label": None if value is None else _value(value)}  # fmt: skip
        low, high = own["conf_low"], own["conf_high"]
        if steps:
            looks |= {"marker": style.MARKERS[i % 8], "linestyle": "none"}
            ax.vlines(at, low, high, color=paint, linewidth=1.6, zorder=3)
        else:
            ax.fill_between(at, low, high, color=paint, alpha=0.2, linewidth=0, zorder=2)
        ax.plot(at, own["fit"], **{**looks, **line})
    if steps:
        ax.set_xticks(range(len(place)), [str(v) for v in place])
        ax.set_xlim(-0.5, len(place) - 0.5)
    style.plain(ax)
