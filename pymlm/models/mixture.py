"""Mixtures of chi-squared distributions, by which variances are tested on their boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Significance
from pymlm.arguments import finite_numbers, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError
from pymlm.results.base import Floats, Result, readonly

#: Weights that were written with some digits, as 0.333, add to one within this.
_ROUNDED = 5e-3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CriticalValue(Result):
    """The critical value of a mixture of chi-squared distributions, beside the naive one.

    Attributes
    ----------
    critical_value : float
        A test of level `level` rejects above it. ``float(result)`` is this number.
    naive : float
        Of χ² with the largest df alone, as if no parameter lay on its boundary.
    df, weights : ndarray, shape (k,)
        Degrees of freedom and weights of the components.
    level : float
        Significance level.

    Notes
    -----
    Self & Liang 1987, doi:10.1080/01621459.1987.10478472.
    """

    _columns: ClassVar[tuple[str, ...]] = ("critical_value", "naive", "level")

    critical_value: float
    naive: float
    df: Floats
    weights: Floats
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row, named by the mixture."""
        parts = zip(self.weights, self.df, strict=True)
        name = " + ".join(f"{w:.4g} chi-squared({d:g})" for w, d in parts)
        return pd.DataFrame([{c: getattr(self, c) for c in self._columns}], index=[name])

    def __float__(self) -> float:
        return self.critical_value


@strict
def mixture_critical_value(
    df: float | Sequence[float] = (1, 2),
    weights: Sequence[float] | None = None,
    level: Significance = 0.05,
) -> CriticalValue:
    """Return the critical value of a mixture of chi-squared distributions, beside the naive one.

    Parameters
    ----------
    df : float or sequence of float
        Degrees of freedom of the components; 0 is a lump at 0. A slope (variance and covariance)
        beside a random intercept is (1, 2), a first random intercept (0, 1), the k-th random effect
        with its covariances (k − 1, k).
    weights : sequence of float, optional
        Their weights, which add to 1 (and are scaled to do so exactly); default: equal ones.
    level : float
        Significance level.

    Returns
    -------
    CriticalValue
        ``float()`` of it is the number.

    Raises
    ------
    ArgumentError
        For negative degrees of freedom or weights, weights that do not add to 1 or are not as many,
        and a level that is none.

    Notes
    -----
    The root of sum(w · P(χ²(df) > c)) = level, by R's ``pchisq`` and ``uniroot``. Self & Liang
    1987, doi:10.1080/01621459.1987.10478472; Stram & Lee 1994, doi:10.2307/2533455. Where several
    variances are tested at once, the weights depend on the design: `pb_modcomp` simulates.

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.mixture_critical_value(df=(1, 2), level=0.05).to_frame().round(3)
                                             critical_value  naive  level
    0.5 chi-squared(1) + 0.5 chi-squared(2)           5.138  5.991   0.05
    """
    k, w = _mixture(df, weights)
    alpha = level
    found = call("mixture_quantile", alpha, k, w, into=float)
    naive = call("mixture_quantile", alpha, [k[w > 0].max()], [1.0], into=float)
    return CriticalValue(
        critical_value=found, naive=naive, df=readonly(k), weights=readonly(w), level=alpha
    )


@strict
def mixture_p_value(
    statistic: float | Sequence[float],
    df: float | Sequence[float] = (1, 2),
    weights: Sequence[float] | None = None,
) -> Any:
    """Return the p-value of a likelihood ratio by a mixture of chi-squared distributions.

    Parameters
    ----------
    statistic : float or sequence of float
    df, weights
        Of the components, as in `mixture_critical_value`.

    Returns
    -------
    float, or ndarray for several statistics

    Raises
    ------
    ArgumentError
        For a negative statistic, and as `mixture_critical_value`.

    Notes
    -----
    sum(w · P(χ²(df) ≥ statistic)). `lrt` knows by itself where a mixture belongs.

    Examples
    --------
    >>> import pymlm as mlm
    >>> round(mlm.mixture_p_value(8.805, df=(1, 2)), 5)
    0.00763
    """
    k, w = _mixture(df, weights)
    x = finite_numbers(statistic, "statistic")
    if (x < 0).any():
        raise ArgumentError(
            f"a likelihood ratio is not negative: {statistic!r}. Of nested models, the larger one "
            "has the smaller -2 log-likelihood"
        )
    found: Floats = call("mixture_upper", x, k, w, into=Floats)
    return float(found[0]) if np.ndim(statistic) == 0 else found


def _mixture(df: Any, weights: Any) -> tuple[Floats, Floats]:
    """Degrees of freedom and weights, checked; weights add to one."""
    k = finite_numbers(df, "df")
    if (k < 0).any():
        raise ArgumentError(f"df, the degrees of freedom, are 0 or more, not {df!r}")
    w = np.full(len(k), 1 / len(k)) if weights is None else finite_numbers(weights, "weights")
    if len(w) != len(k):
        raise ArgumentError(f"weights are {len(w)}, and df {len(k)}: give each component one")
    if (w < 0).any() or abs(w.sum() - 1) > _ROUNDED:
        raise ArgumentError(
            f"weights are not negative and add to 1; {weights!r} add to {w.sum():.6g}"
        )
    w = w / w.sum()
    if not (k[w > 0] > 0).any():
        raise ArgumentError("df is 0 in every component: the statistic could only be 0")
    return k, w
