"""Coefficients side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from pymlm.argument_types import Level
from pymlm.errors import ArgumentError
from pymlm.models.mixed import MixedModel
from pymlm.plot import _style as style
from pymlm.plot._style import figure
from pymlm.results.base import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INTERCEPT = "(Intercept)"


@figure("Line2D")
def coefs(
    *models: Any,
    names: Sequence[str] | None = None,
    terms: str | Sequence[str] | None = None,
    intercept: bool = False,
    level: Level = 0.95,
    ax: Axes | None = None,
    label: str | None = None,
    **points: Any,
) -> Axes:
    """Draw the fixed effects of one or several models with their intervals.

    Parameters
    ----------
    *models : models or tables of coefficients
        Fitted models, results with the columns of FixedEffects (``mlm.cluster_robust(...)``,
        ``m.contest(...)``), or one dict of name to any of these.
    names : sequence of str, optional
        Of the models in the legend; default their formulas.
    terms : str or list of str, optional
        Coefficients to draw, from above; default all.
    intercept : bool
        Draw the intercept, too.
    level : float
        Of a model's Wald intervals; tables have their own.
    ax : Axes, optional
    label : str, optional
        Of one model in the legend.
    **points
        matplotlib's keywords of the dots (Line2D).

    Returns
    -------
    Axes

    Raises
    ------
    ArgumentError
        For something without a table of coefficients, or an unknown coefficient.

    Notes
    -----
    Draws ``m.tidy("fixed", conf_int=True).to_frame()`` of mixed models and
    ``m.summary().fixed.to_frame()`` of others; sjPlot's ``plot_models``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::bdf")
    >>> m = mlm.lmer("langPOST ~ ses + schoolSES + (1 | schoolNR)", d)
    >>> ax = mlm.plot.coefs(mlm.lm("langPOST ~ ses + schoolSES", d), m, names=["lm", "lmer"])
    >>> [t.get_text() for t in ax.get_yticklabels()]
    ['ses', 'schoolSES']
    """
    listed, names = style.named_models(models, names, "coefs")
    tables = [_table(m, level) for m in listed]
    have = list(dict.fromkeys(t for table in tables for t in table.index))
    if terms is None:
        chosen = [t for t in have if intercept or t != INTERCEPT] or have
    else:
        chosen = style.several_of(terms, have, "coefficient")
    labels = _labels(listed, names, label)
    rows = len(chosen) * (0.28 + 0.1 * len(tables))
    where = style.axes_for(ax, (6.0, min(9.0, 1.2 + rows)))
    style.zero_line(where, upright=True)
    at = {t: float(len(chosen) - 1 - i) for i, t in enumerate(chosen)}
    gap = 0.7 / max(len(tables), 3)
    for i, (table, name) in enumerate(zip(tables, labels, strict=True)):
        own = table[table.index.isin(chosen)]
        y = own.index.map(at).to_numpy(dtype=float) - gap * (i - (len(tables) - 1) / 2)
        paint = style.PALETTE[i % 7]
        where.hlines(y, own["conf_low"], own["conf_high"], color=paint, linewidth=1.6,
                     linestyle=style.STYLES[i % 4])  # fmt: skip
        looks = {"color": paint, "marker": style.MARKERS[i % 8], "markersize": 5,
                 "linestyle": "none", "label": name}  # fmt: skip
        where.plot(own["estimate"], y, **{**looks, **points})
    where.set_yticks([at[t] for t in chosen], chosen, fontsize="small")
    where.set(ylim=(-0.6, len(chosen) - 0.4), xlabel="estimate")
    style.plain(where)
    style.legend(where)
    return where


def _labels(models: list[Any], names: list[str] | None, label: str | None) -> list[str | None]:
    if names is not None:
        return [str(n) for n in names]
    if len(models) == 1:
        return [label]
    return [str(getattr(m, "formula", f"model {i + 1}")) for i, m in enumerate(models)]


def _table(m: Any, level: float) -> pd.DataFrame:
    """A table of coefficients with their limits, by term."""
    needed = ["estimate", "conf_low", "conf_high"]
    if isinstance(m, MixedModel):
        frame = m.tidy("fixed", conf_int=True, conf_level=level).to_frame()
        return frame.set_index("term")[needed] if "term" in frame else frame[needed]
    fitted = hasattr(m, "summary") and hasattr(m, "confint")
    if fitted:
        return _of_linear(m, level)
    if isinstance(m, Result):
        frame = m.to_frame()
        if all(c in frame.columns for c in needed):
            return frame[needed]
    raise ArgumentError(
        f"plot.coefs() draws models or tables with estimate, conf_low and conf_high, not a "
        f"{type(m).__name__}"
        + (". Give them one by one: plot.coefs(*models)" if isinstance(m, (list, tuple)) else "")
    )


def _of_linear(m: Any, level: float) -> pd.DataFrame:
    frame: pd.DataFrame = m.summary().fixed.to_frame()[["estimate"]]
    limits = m.confint(level=level)
    limits = limits.to_frame()
    return frame.join(limits[["conf_low", "conf_high"]])
