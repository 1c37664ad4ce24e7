"""The check panel: what a model assumes, a picture each, with what to look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import gaussian_kde

from pymlm.argument_types import Level, Seed
from pymlm.models.diagnostics import Quantiles
from pymlm.models.glm import GeneralizedLinearModel
from pymlm.models.inside import is_linear
from pymlm.models.lm import LinearModel
from pymlm.models.mixed import MixedModel
from pymlm.models.nlme import NlmeModel
from pymlm.names import response_of
from pymlm.plot import _style as style
from pymlm.plot._style import figure
from pymlm.plot.quantiles import RESIDUALS, mode_quantiles, qq, residual_quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Leverages cost the square of the random effects: beyond so many rows that panel is left out.
MOST_ROWS_OF_INFLUENCE = 20_000
#: Panels of random effects.
MOST_TERMS = 4
BINS = 20


@figure("Line2D")
def check(m: Any, level: Level = 0.95, seed: Seed = 1, axes: Any = None, **points: Any) -> Any:
    """Draw what the model assumes, a panel each; every title says what to look for.

    Parameters
    ----------
    m : fitted model
    level : float
        Of bands and intervals.
    seed : int
        Of the simulated responses.
    axes : ndarray of Axes, optional
        One a panel.
    **points
        matplotlib's keywords of the dots in the panels of residuals (Line2D).

    Returns
    -------
    ndarray of Axes

    Raises
    ------
    ArgumentError
        For something else than a model, or another number of axes than panels.

    Notes
    -----
    Simulated and observed responses (``simulate``), residuals by fitted values with means of bins
    (Gelman & Hill 2007, section 5.6), their spread, Cook's distances (``cooks.distance``), Q-Q of
    residuals and of each random effect (`qq`); the R package performance's ``check_model`` draws
    the like. A generalized model has no panels of its residuals' spread and quantiles, which are
    not those of a normal distribution, nor of Cook's distances, as its leverages are
    doubtful; above 20,000 rows no model has these.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> print(mlm.plot.check(m)[1].get_title())
    Linearity
    the line should be flat at 0
    """
    style.need(m, (MixedModel, LinearModel, NlmeModel), "a fitted model", "check")
    drawn = _panels(m, level, seed, points)
    panels = style.panels_for(axes, len(drawn), 4 if len(drawn) > 6 else 3, (3.3, 2.9))
    for panel, (title, look_for, draw) in zip(panels, drawn, strict=True):
        draw(panel)
        found = panel.get_legend()
        if found is not None and title.startswith("Normality"):
            found.remove()
        panel.set_title(f"{title}\n{look_for}", fontsize="small")
        style.plain(panel)
    return panels


def _panels(
    m: Any, level: float, seed: int, points: dict[str, Any]
) -> list[tuple[str, str, Callable[[Axes], Any]]]:
    mixed = isinstance(m, MixedModel)
    normal = is_linear(m) if mixed else not isinstance(m, GeneralizedLinearModel)
    rows = pd.DataFrame({"fitted": m.fitted(), "residual": m.residuals("pearson")}).dropna()
    out: list[tuple[str, str, Callable[[Axes], Any]]] = []
    observed = _response(m)
    if observed is not None and mixed:
        out.append(("Simulated responses", "should look like the observed ones",
                    lambda ax: _simulated(ax, m, observed, seed)))  # fmt: skip
    out.append(("Linearity", "the line should be flat at 0",
                lambda ax: _linearity(ax, rows, points)))  # fmt: skip
    if normal:
        out.append(("Equal spread", "the line should be flat",
                    lambda ax: _spread(ax, rows, points)))  # fmt: skip
    if mixed and normal and m.nobs <= MOST_ROWS_OF_INFLUENCE:
        out.append(("Influence", "no row should stand out", lambda ax: _influence(ax, m)))
    if normal:
        quantiles = Quantiles(blocks=(residual_quantiles(rows["residual"]),))
        out.append(("Normality of residuals", "dots should lie in the band",
                    lambda ax: qq(quantiles, RESIDUALS, level, ax=ax, **points)))  # fmt: skip
    if mixed or (isinstance(m, NlmeModel) and m.ngroups):
        for block in mode_quantiles(m)[:MOST_TERMS]:
            title = f"Normality of {block.term} by {block.grpvar}"
            one = Quantiles(blocks=(block,))
            out.append((title, "dots should lie on the line",
                        _drawing_of(one, block.grpvar, level, points)))  # fmt: skip
    return out


def _drawing_of(q: Quantiles, what: str, level: float, points: Any) -> Callable[[Axes], Any]:
    return lambda ax: qq(q, what, level, ax=ax, **points)


def _response(m: Any) -> Any:
    """The observed response as numbers, or None where it is no numeric column."""
    data = style.data_of(m)
    left = response_of(m.formula)
    if data is None or left not in data.columns:
        return None
    numeric = pd.api.types.is_numeric_dtype(data[left].dtype)
    return data[left].to_numpy(dtype=float, na_value=np.nan) if numeric else None


#: Rows that a density is of; it costs their number times that of the points on the curve.
MOST_IN_A_DENSITY = 2000


def _density(ax: Axes, values: Any, at: Any, **looks: Any) -> None:
    values = values[np.isfinite(values)]
    values = values[style.some_rows(len(values), MOST_IN_A_DENSITY)]
    if len(values) > 2 and np.ptp(values) > 0:
        ax.plot(at, gaussian_kde(values)(at), **looks)


def _simulated(ax: Axes, m: Any, observed: Any, seed: int) -> None:
    draws = m.simulate(nsim=20 if m.nobs <= MOST_ROWS_OF_INFLUENCE else 1, seed=seed)
    low, high = np.nanmin(observed), np.nanmax(observed)
    room = 0.15 * (high - low)
    at = np.linspace(low - room, high + room, 200)
    for i, name in enumerate(draws.columns):
        _density(ax, draws[name].to_numpy(dtype=float), at, color=style.SKY, linewidth=0.7,
                 label="simulated" if i == 0 else None)  # fmt: skip
    _density(ax, observed, at, color=style.BLACK, linewidth=2.0, label="observed")
    ax.set(xlabel=style.response(m), ylabel="density", ylim=(0, None), yticks=[])
    style.say_thinned(ax, min(m.nobs, MOST_IN_A_DENSITY), m.nobs, "rows")
    ax.legend(frameon=False, fontsize="x-small", loc="best", handlelength=1.2)


def _binned(x: Any, y: Any) -> tuple[Any, Any]:
    """Means of y in bins of equally many rows along x."""
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, int(np.clip(np.sqrt(len(order)) / 2, 2, BINS)))
    parts = [p for p in parts if len(p)]
    return np.array([x[p].mean() for p in parts]), np.array([y[p].mean() for p in parts])


def _scatter(ax: Axes, x: Any, y: Any, points: dict[str, Any]) -> None:
    keep = style.some_rows(len(x), 3000)
    looks = {"linestyle": "none", "marker": "o", "markersize": 2.5, "color": style.BLUE,
             "alpha": 0.45, "markeredgewidth": 0}  # fmt: skip
    ax.plot(x[keep], y[keep], **{**looks, **points})
    ax.plot(*_binned(x, y), color=style.VERMILION, linewidth=2.0)
    ax.set_xlabel("fitted value")
    style.say_thinned(ax, len(keep), len(x), "rows")


def _linearity(ax: Axes, rows: pd.DataFrame, points: dict[str, Any]) -> None:
    style.zero_line(ax)
    _scatter(ax, rows["fitted"].to_numpy(), rows["residual"].to_numpy(), points)
    ax.set_ylabel("Pearson residual")


def _spread(ax: Axes, rows: pd.DataFrame, points: dict[str, Any]) -> None:
    scaled = rows["residual"] / rows["residual"].std()
    _scatter(ax, rows["fitted"].to_numpy(), np.sqrt(np.abs(scaled.to_numpy())), points)
    ax.set_ylabel("√|standardized residual|")


def _influence(ax: Axes, m: Any) -> None:
    cook = m.cooks_distance()
    at = np.arange(len(cook))
    ax.vlines(at, 0, cook.to_numpy(), color=style.BLUE, linewidth=0.8)
    for i in np.argsort(-cook.fillna(-1).to_numpy(), kind="stable")[:3]:
        ax.annotate(str(cook.index[i]), (at[i], float(cook.iloc[i])), fontsize="x-small",
                    ha="center", va="bottom")  # fmt: skip
    top = float(np.nanmax(cook.to_numpy(), initial=0.0)) or 1.0
    ax.set(xlabel="row", ylabel="Cook's distance", ylim=(0, 1.12 * top))
