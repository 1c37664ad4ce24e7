"""What a model implies of the outcome's variance: over a predictor, and between rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Approximation, Finite
from pymlm.arguments import finite_numbers, strict
from pymlm.errors import ArgumentError, near_names
from pymlm.figures import figure_of
from pymlm.models.inside import call_on, used_index
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.models.nlme import NlmeModel
from pymlm.multilevel.asked_model import fitted_model, mixed
from pymlm.multilevel.level1 import level1
from pymlm.multilevel.random_part import RandomPart, one_group, random_part
from pymlm.names import spelled
from pymlm.results.base import Floats, Result, readonly

#: A covariance matrix of more rows than this is more likely a slip than a wish.
MOST_ROWS = 5000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VarianceFunction(Result):
    """Variance of the outcome as a function of a predictor with a random slope.

    Attributes
    ----------
    x : ndarray, shape (k,)
        Values of the predictor.
    between : ndarray, shape (k,)
        tau0² + 2·x·tau01 + x²·tau1², summed over the grouping factors.
    total : ndarray, shape (k,)
        between + sigma²; of a generalized model on the scale of the linear predictor.
    sd : ndarray, shape (k,)
        Square root of the total.
    icc : ndarray, shape (k,)
        between / total.
    predictor : str
    minimum_at : float
        Where the variance is smallest: −tau01 / tau1²; NaN when tau1² is 0.
    residual : float
        sigma²; of a generalized model the level-1 variance of `pymlm.icc`.

    Notes
    -----
    Lectures S0 (modelled heteroscedasticity) and S4; Goldstein 2011, Multilevel Statistical Models,
    4th ed., section 3.1.
    """

    _columns: ClassVar[tuple[str, ...]] = ("x", "between", "total", "sd", "icc")

    plot = figure_of("variance")

    x: Floats
    between: Floats
    total: Floats
    sd: Floats
    icc: Floats
    predictor: str
    minimum_at: float
    residual: float


@strict
def variance_function(
    m: MixedModel | NlmeModel | None = None,
    x: str = "x",
    at: Sequence[float] | None = None,
    points: int = 41,
    tau: Any = None,
    sigma: float | None = None,
    approximation: Approximation = "auto",
    mean: Finite | None = None,
) -> VarianceFunction:
    """Return the variance that a random slope implies, as a function of its predictor.

    Parameters
    ----------
    m : MixedModel or NlmeModel, optional
        With a random slope of `x`. Of a generalized model the variances are those of the linear
        predictor, with the level-1 variance that `icc` has; of `lme`, one of one residual variance.
    x : str
        The predictor, as the random coefficient is named.
    at : sequence of float, optional
        Values of x; default `points` values over its observed range.
    points : int
    tau : array-like, shape (2, 2), optional
        Without a model: the covariance matrix of intercept and slope ...
    sigma : float, optional
        ... and the residual standard deviation; `at` is then needed.
    approximation, mean
        Of a generalized model's level-1 variance, as in `icc`: of counts it is taken at one
        expected response for all values of x.

    Returns
    -------
    VarianceFunction
        tau0² + 2·x·tau01 + x²·tau1² between, and with sigma² in all. Other random slopes at 0.

    Raises
    ------
    ArgumentError
        When x has no random slope, for neither a model nor `tau`, `sigma` and `at`, or for a `tau`
        that is no covariance matrix.

    NotSupportedError
        For a family without a level-1 variance.

    Notes
    -----
    Lectures S0 and S4. Own arithmetic on ``VarCorr(model)``; equals the diagonal of
    `implied_covariance`, and its icc that of ``icc(m, at={x: value})``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> mlm.variance_function(m, "Days", at=[0, 9]).total.round(1).tolist()
    [1267.0, 4280.7]
    """
    if m is None:
        g, residual = _chosen(tau, sigma)
        if at is None:
            raise ArgumentError("without a model say at which values of x: at=[...]")
        if approximation != "auto" or mean is not None:
            raise ArgumentError("approximation and mean are of a generalized model; give it as m")
        values = finite_numbers(at, "at")
        constant, linear, square = float(g[0, 0]), float(g[0, 1]), float(g[1, 1])
    else:
        if tau is not None or sigma is not None:
            raise ArgumentError("give a model, or tau and sigma, not both")
        model = m if isinstance(m, NlmeModel) else mixed(m, "variance_function")
        part = random_part(model)
        first = level1(model, part, approximation, mean)
        constant, linear, square = _coefficients(part, x, first.dispersion)
        values = _range(model, x, points) if at is None else finite_numbers(at, "at")
        # A factor with a level a row is overdispersion of a generalized model: level 1.
        residual = first.residual + sum(
            t.covariance[k, k] for t in part.terms if t.group in first.dispersion
            for k, name in enumerate(t.terms) if name == "(Intercept)"
        )  # fmt: skip
    between = constant + 2 * values * linear + values**2 * square
    total = between + residual
    return VarianceFunction(
        x=readonly(values),
        between=readonly(between),
        total=readonly(total),
        sd=readonly(np.sqrt(total)),
        icc=readonly(between / total),
        predictor=x,
        minimum_at=-linear / square if square > 0 else math.nan,
        residual=residual,
    )


def _coefficients(part: RandomPart, x: str, left_out: Sequence[str]) -> tuple[float, float, float]:
    """tau0², tau01 and tau1², summed over the terms of the factors that are not left out."""
    kept = [term for term in part.terms if term.group not in left_out]
    slopes = [t for term in kept for t in term.terms if t != "(Intercept)"]
    x = spelled(str(x), slopes)
    if x not in slopes:
        raise ArgumentError(
            f"{x!r} has no random slope in this model, so the variance does not depend on it."
            + near_names(str(x), slopes)
            + (f" Random slopes: {', '.join(dict.fromkeys(slopes))}" if slopes else "")
        )
    constant = linear = square = 0.0
    for term in kept:
        g = term.covariance
        zero = term.terms.index("(Intercept)") if "(Intercept)" in term.terms else None
        one = term.terms.index(x) if x in term.terms else None
        constant += g[zero, zero] if zero is not None else 0.0
        square += g[one, one] if one is not None else 0.0
        linear += g[zero, one] if zero is not None and one is not None else 0.0
    return constant, linear, square


def _chosen(tau: Any, sigma: Any) -> tuple[Any, float]:
    """A covariance matrix and a residual variance that were chosen, checked."""
    try:
        g = np.asarray(tau, dtype=float)
        s = float(sigma)
    except (TypeError, ValueError):
        g, s = np.array([]), math.nan
    if g.shape != (2, 2) or not np.isfinite(g).all() or not 0 <= s < math.inf:
        raise ArgumentError(
            "variance_function needs a model, or tau= (the 2 × 2 covariance matrix of intercept "
            "and slope) and sigma= (the residual standard deviation)"
        )
    if not np.allclose(g, g.T) or np.linalg.eigvalsh(g).min() < -1e-10 * max(1.0, g.max()):
        raise ArgumentError(f"tau is no covariance matrix: {g.tolist()}")
    return g, s**2


def _range(m: MixedModel | NlmeModel, x: str, points: int) -> Any:
    if isinstance(points, bool) or not isinstance(points, int) or points < 2:
        raise ArgumentError(f"points must be a whole number of at least 2, not {points!r}")
    columns = m.model_matrix()
    x = spelled(str(x), [c for c in columns.columns if c != "(Intercept)"])
    if x not in columns.columns:
        raise ArgumentError(f"{x!r} is not in the fixed part; say at which values: at=[...]")
    return np.linspace(columns[x].min(), columns[x].max(), points)


@strict
def implied_covariance(
    m: Model,
    group: Any = None,
    by: str | None = None,
    rows: Sequence[Any] | None = None,
    correlation: bool = False,
) -> pd.DataFrame:
    """Return the covariance matrix of the outcome that a model implies, for some rows.

    Parameters
    ----------
    m : LinearMixedModel, LinearModel or NlmeModel
        Of an lm: sigma² of every row, over its weight; of nlme with the residuals' structure.
    group : optional
        All rows of this group ...
    by : str, optional
        ... of this grouping factor; needed when the model has several.
    rows : sequence, optional
        Instead: labels of rows, as in the data's index.
    correlation : bool
        Return correlations: within a group of a random-intercept model these are the ICC.

    Returns
    -------
    DataFrame, shape (k, k)
        Rows and columns by the data's index; squared units of the outcome.

    Raises
    ------
    ArgumentError
        For an unknown group or row, one that the model did not use, or too many rows.
    NotSupportedError
        For a model that is not linear.

    Notes
    -----
    V = sigma²·(Z·Lambda·Lambda'·Z' + W⁻¹); lectures S0 (4 × 4 matrix) and S4. Own lines on
    ``getME(model, c("Lambdat", "Zt"))``; of nlme ``getVarCov(model, type = "marginal")``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> mlm.implied_covariance(m, "308").iloc[:3, :3].round()
            0       1       2
    0  1267.0   622.0   631.0
    1   622.0  1321.0   711.0
    2   631.0   711.0  1446.0
    """
    model = fitted_model(m, "implied_covariance")
    index = used_index(model)
    if (rows is None) == (group is None):
        raise ArgumentError("say which rows: either group=... or rows=[...]")
    if rows is not None:
        several = isinstance(rows, Iterable) and not isinstance(rows, (str, bytes))
        labels = list(rows) if several else []
        if not labels or not all(map(pd.api.types.is_hashable, labels)):
            raise ArgumentError(f"rows is a list of the data's row labels, not {rows!r}")
        where = _positions(index, labels)
    else:
        where = _rows_of_group(mixed(m, "group="), group, one_group(mixed(m, "group="), by))
    if len(where) > MOST_ROWS:
        raise ArgumentError(f"{len(where)} rows make a matrix of {len(where) ** 2} numbers; take "
                            f"at most {MOST_ROWS}")  # fmt: skip
    v = np.asarray(
        call_on(model, "ml_implied", rows=np.asarray(where, dtype=np.int32) + np.int32(1))
    )
    if correlation:
        sd = np.sqrt(np.diag(v))
        v = v / np.outer(sd, sd)
    labels = index[where]
    return pd.DataFrame(v, index=labels, columns=labels)


def _positions(index: pd.Index, labels: list[Any]) -> Any:
    if not index.is_unique:
        raise ArgumentError("the data's index has labels twice; use group=... instead of rows=")
    where = index.get_indexer(pd.Index(labels))
    if (where < 0).any():
        label = labels[int(np.argmax(where < 0))]
        raise ArgumentError(f"row {label!r} is not among the {len(index)} rows that the model used")
    return where


def _rows_of_group(m: MixedModel, group: Any, by: str) -> Any:
    levels = [str(x) for x in m.ranef(cond_var=False)[by].index]
    name = str(group)
    if name not in levels:
        raise ArgumentError(
            f"{by!r} has no group {group!r} in this model."
            + (near_names(name, levels) or f" It has: {', '.join(levels[:10])} ...")
        )
    part = random_part(m)
    part.whole("group=")
    codes = np.asarray(part.groups[by])
    return np.flatnonzero(codes == levels.index(name) + 1)
