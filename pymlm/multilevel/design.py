"""Design effects, Moulton's factor, and observed against true variance between groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from numbers import Number
from typing import Any

import numpy as np

from pymlm.arguments import strict
from pymlm.errors import ArgumentError, DataError
from pymlm.models.mixed import MixedModel
from pymlm.multilevel._tools import advise, as_pandas, groups_of, mixed, random_part
from pymlm.multilevel.partition import icc as icc_of_model
from pymlm.multilevel.partition import icc_of
from pymlm.results.base import Floats, readonly
from pymlm.results.multilevel_variance import DesignEffect, Moulton


def _share(value: Any, name: str) -> float:
    number = _number(value, name)
    if not 0 <= number <= 1:
        raise ArgumentError(f"{name} lies between 0 and 1, not {value!r}")
    return number


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ArgumentError(f"{name} must be a number, not {value!r}")
    if not math.isfinite(value):
        raise ArgumentError(f"{name} must be finite, not {value!r}")
    return float(value)


def _positive(value: Any, name: str) -> float:
    number = _number(value, name)
    if number <= 0:
        raise ArgumentError(f"{name} must be above 0, not {value!r}")
    return number


def _rows(value: Any) -> float:
    number = _number(value, "n")
    if number < 1:
        raise ArgumentError(f"n, the rows per group, is at least 1, not {value!r}")
    return number


@strict
def design_effect(
    m: MixedModel | None = None,
    icc: float | Sequence[float] | None = None,
    n: float | Sequence[float] | None = None,
    n_groups: int | Sequence[int] | None = None,
    grid: bool = False,
) -> DesignEffect:
    """Return the design effect of clustering and the effective sample size.

    Parameters
    ----------
    m : MixedModel, optional
        A fitted model: its ICC of every level and the sizes of its groups.
    icc : float or sequence of float, optional
        Without a model: the intraclass correlation, one number, or one for each of several designs.
    n : float or sequence of float, optional
        Rows per group. Several beside one `icc` are the groups of one sample; beside several `icc`
        (or `n_groups`) each is the size of one design.
    n_groups : int or sequence of int, optional
        Number of groups where they have one size; without it the effective N is not known.
    grid : bool
        True: a row for every combination of `icc`, `n` and `n_groups`.

    Returns
    -------
    DesignEffect
        1 + (size − 1)·ICC and rows / design effect; for unequal groups with Snijders and Bosker's
        size and with Kish's. Of several numbers the rows say which: "icc = 0.05, n = 20".

    Raises
    ------
    ArgumentError
        For neither a model nor icc and n, or numbers out of range.

    Notes
    -----
    Lecture S4; Snijders & Bosker 2012, Multilevel Analysis, 2nd ed., sections 3.3 and 3.4:
    n~ = (N − sum(n²)/N) / (J − 1) = mean − var / (J·mean). Kish 1965: sum(n²)/N.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.design_effect(icc=0.30, n=5, n_groups=100)
    >>> float(d.design_effect[0]), round(float(d.effective_n[0]))
    (2.2, 227)
    >>> mlm.design_effect(icc=[0.3, 0.05], n=[5, 20], n_groups=[100, 50]).effective_n.round()
    array([227., 513.])
    >>> mlm.design_effect(icc=[0.05, 0.3], n=[5, 20], grid=True).to_frame()["design_effect"]
    icc = 0.05, n = 5     1.20
    icc = 0.05, n = 20    1.95
    icc = 0.3, n = 5      2.20
    icc = 0.3, n = 20     6.70
    Name: design_effect, dtype: float64
    """
    if m is not None:
        if icc is not None or n is not None or n_groups is not None or grid:
            raise ArgumentError("give a model, or icc and n, not both")
        return _of_model(mixed(m, "design_effect"))
    if icc is None or n is None:
        raise ArgumentError("design_effect needs a model, or icc= and n= (rows per group)")
    shares = _several(icc, "icc", lambda value: _share(value, "icc"))
    counts = _several(n, "n", _rows)
    one_design = isinstance(icc, Number) and (n_groups is None or isinstance(n_groups, Number))
    if one_design and not grid and not isinstance(n, Number):
        return _unequal(float(shares[0]), counts, n_groups)
    groups = np.array([math.nan])
    if n_groups is not None:
        groups = _several(n_groups, "n_groups", lambda value: _positive(value, "n_groups"))
    rows = list(product(shares, counts, groups)) if grid else _paired(shares, counts, groups)
    asked = {"icc": icc, "n": n, "n_groups": 0 if n_groups is None else n_groups}
    several = [name for name, value in asked.items() if not isinstance(value, Number)]
    named = [dict(zip(asked, row, strict=True)) for row in rows]
    level = tuple(", ".join(f"{k} = {row[k]:g}" for k in several) or "group" for row in named)
    rho, size, number = np.array(rows).T
    return _result(level, rho, size, size, size * number)


def _unequal(share: float, sizes: Floats, n_groups: Any) -> DesignEffect:
    if n_groups is not None and n_groups != len(sizes):
        raise ArgumentError(f"n has {len(sizes)} groups, n_groups says {n_groups}")
    size, kish = _sizes(sizes)
    return _result(("group",), [share], [size], [kish], np.array([float(sizes.sum())]))


def _paired(*columns: Floats) -> list[tuple[float, ...]]:
    """Rows of designs: several numbers side by side, one number for all."""
    lengths = {len(c) for c in columns} - {1}
    if len(lengths) > 1:
        raise ArgumentError(
            "icc, n and n_groups stand side by side, one design a row: "
            f"{', '.join(str(len(c)) for c in columns)} of them. For every combination: grid=True"
        )
    length = lengths.pop() if lengths else 1
    spread_out = [np.repeat(c, length) if len(c) == 1 else c for c in columns]
    return [tuple(map(float, row)) for row in zip(*spread_out, strict=True)]


def _several(values: Any, name: str, check: Callable[[Any], float]) -> Floats:
    """One number or several, each checked; ArgumentError for what is neither."""
    if isinstance(values, Number):
        return np.array([check(values)])
    several = isinstance(values, Iterable) and not isinstance(values, (str, bytes, Mapping))
    given = list(values) if several else [None]
    if not given:
        raise ArgumentError(f"{name} names no {'group' if name == 'n' else 'value'}")
    if not all(isinstance(value, Number) for value in given):
        raise ArgumentError(f"{name} must be a number or a list of numbers, not {values!r}")
    return np.array([check(value) for value in given])


def _sizes(sizes: Any) -> tuple[float, float]:
    """Snijders and Bosker's size, and Kish's."""
    counts = np.asarray(sizes, dtype=float)
    total, squares = counts.sum(), float((counts**2).sum())
    if len(counts) == 1:
        return float(total), float(total)
    return float((total - squares / total) / (len(counts) - 1)), float(squares / total)


def _of_model(m: MixedModel) -> DesignEffect:
    found = icc_of_model(m, ci=None)
    part = random_part(m)
    part.whole("the design effect")
    sizes = [_sizes(np.bincount(np.asarray(part.groups[g], dtype=int))[1:]) for g in found.level]
    sizes = [(a, b) for a, b in sizes]
    return _result(
        found.level,
        found.icc,
        [a for a, _ in sizes],
        [b for _, b in sizes],
        np.full(len(sizes), float(m.nobs)),
    )


def _result(level: tuple[str, ...], share: Any, size: Any, kish: Any, n: Floats) -> DesignEffect:
    rho = np.asarray(share, dtype=float)
    effect = 1 + (np.asarray(size) - 1) * rho
    by_kish = 1 + (np.asarray(kish) - 1) * rho
    return DesignEffect(
        level=level,
        icc=readonly(np.array(rho)),
        size=readonly(size),
        design_effect=readonly(effect),
        effective_n=readonly(n / effect),
        kish_design_effect=readonly(by_kish),
        kish_effective_n=readonly(n / by_kish),
        n=float(n[0]) if len(set(n)) == 1 else math.nan,
        rows=readonly(np.array(n)),
    )


@strict
def moulton(
    vpc_x: float | None = None,
    vpc_y: float | None = None,
    n: float | None = None,
    std_error: float | None = None,
    data: Any = None,
    outcome: str | None = None,
    x: str | None = None,
    by: str | None = None,
) -> Moulton:
    """Return Moulton's factor: true over OLS standard error of a slope in clustered data.

    Parameters
    ----------
    vpc_x, vpc_y : float, optional
        Share of the variance of predictor and outcome that lies between groups.
    n : float, optional
        Rows per group.
    std_error : float, optional
        The OLS standard error to correct.
    data, outcome, x, by : optional
        Instead of the numbers: a data frame and its columns. VPCs come from empty models (REML), n
        is the mean group size, and the OLS standard error is that of ``outcome ~ x``.

    Returns
    -------
    Moulton

    Raises
    ------
    ArgumentError
        When neither is complete, or a number is out of range.

    Warns
    -----
    AdviceWarning
        For unequal groups, where the formula is an approximation.

    Notes
    -----
    Lecture S0: SE = SE(OLS) · sqrt(1 + VPCx · VPCy · (n − 1)). Moulton 1986,
    doi:10.1016/0304-4076(86)90021-7. For one predictor and groups of one size.

    Examples
    --------
    >>> import pymlm as mlm
    >>> round(float(mlm.moulton(vpc_x=1, vpc_y=0.2, n=21)), 4)
    2.2361
    """
    if data is not None:
        return _moulton_of_data(data, outcome, x, by, std_error)
    if vpc_x is None or vpc_y is None or n is None:
        raise ArgumentError("moulton needs vpc_x, vpc_y and n, or data, outcome, x and by")
    a, b, size = _share(vpc_x, "vpc_x"), _share(vpc_y, "vpc_y"), _rows(n)
    factor = math.sqrt(1 + a * b * (size - 1))
    se = math.nan if std_error is None else _positive(std_error, "std_error")
    return Moulton(factor=factor, vpc_x=a, vpc_y=b, n=size, std_error=se, corrected=se * factor)


def _moulton_of_data(data: Any, outcome: Any, x: Any, by: Any, std_error: Any) -> Moulton:
    if outcome is None or x is None or by is None:
        raise ArgumentError("moulton with data needs outcome, x and by, too")
    frame = as_pandas(data)
    for name in (outcome, x, by):
        groups_of(frame, name)  # says which column is not there
    used = frame.loc[frame[[outcome, x, by]].notna().all(axis=1)]
    if len(used) < 3:
        raise DataError("fewer than 3 rows have outcome, predictor and group")
    shares = icc_of(used, [x, outcome], by)
    sizes = groups_of(used, by).sizes
    if len(set(sizes)) > 1:
        advise("the groups differ in size: Moulton's factor with the mean size is an approximation")
    if std_error is None:
        values = used[x].to_numpy(dtype=float)
        centred = values - values.mean()
        y = used[outcome].to_numpy(dtype=float)
        slope = centred @ y / (centred @ centred)
        rest = y - y.mean() - slope * centred
        std_error = math.sqrt(rest @ rest / (len(y) - 2) / (centred @ centred))
    return moulton(
        vpc_x=float(shares.icc[0]), vpc_y=float(shares.icc[1]), n=float(sizes.mean()),
        std_error=std_error,
    )  # fmt: skip


@strict
def true_variance(observed: float, sigma2: float, n: float) -> float:
    """Return the true variance of group means: what is observed less sampling error.

    Parameters
    ----------
    observed : float
        Variance of the observed group means.
    sigma2 : float
        Level-1 variance.
    n : float
        Rows per group.

    Returns
    -------
    float
        observed − sigma2/n; negative where sampling error alone explains more than is observed, and
        a model's variance is then 0.

    Notes
    -----
    Lecture S4: explaining sigma² raises tau². 4.65 − 7.06/4 = 2.885 (printed 2.88), and with sigma²
    of 2.17 4.1075 (printed 4.10).

    Examples
    --------
    >>> import pymlm as mlm
    >>> round(mlm.true_variance(4.65, 7.06, 4), 3), round(mlm.true_variance(4.65, 2.17, 4), 4)
    (2.885, 4.1075)
    """
    if _number(observed, "observed") < 0 or _number(sigma2, "sigma2") < 0:
        raise ArgumentError("variances are not negative")
    return float(observed) - float(sigma2) / _positive(n, "n")
