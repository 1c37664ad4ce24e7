"""Design effects, and observed against true variance between groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from numbers import Number
from typing import Any, ClassVar

import numpy as np

from pymlm.arguments import finite, strict
from pymlm.errors import ArgumentError
from pymlm.figures import figure_of
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.asked_model import mixed
from pymlm.multilevel.icc import icc as icc_of_model
from pymlm.multilevel.random_part import random_part
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DesignEffect(Result):
    """Design effect and effective sample size, one row a grouping factor (or a design).

    Attributes
    ----------
    level : tuple of str, length k
        Grouping factors; of several numbers, which design: "icc = 0.05, n = 20".
    icc : ndarray, shape (k,)
    size : ndarray, shape (k,)
        Rows per group that enter the formula: the common size, or Snijders and Bosker's
        n~ = mean − variance / (groups · mean) for unequal ones.
    design_effect : ndarray, shape (k,)
        1 + (size − 1) · icc.
    effective_n : ndarray, shape (k,)
        Rows / design effect; NaN when the number of rows is not known.
    kish_design_effect, kish_effective_n : ndarray, shape (k,)
        The same with Kish's size, sum(n²) / sum(n): the exact factor for the variance of the plain
        mean over all rows. Equal for equal groups.
    n : float
        Rows; NaN when not known, or not the same in every design.
    rows : ndarray, shape (k,), or None
        Rows of each design.

    Notes
    -----
    Lecture S4 (2.20 → 227, 1.95 → 513); Snijders & Bosker 2012, Multilevel Analysis, 2nd ed.,
    sections 3.3 and 3.4; Kish 1965, Survey Sampling.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "icc", "size", "design_effect", "effective_n", "kish_design_effect", "kish_effective_n",
    )  # fmt: skip
    _index: ClassVar[str | None] = "level"

    plot = figure_of("design_effect")

    level: tuple[str, ...]
    icc: Floats
    size: Floats
    design_effect: Floats
    effective_n: Floats
    kish_design_effect: Floats
    kish_effective_n: Floats
    n: float
    rows: Floats | None = None


def share(value: Any, name: str) -> float:
    """Return a number from 0 to 1."""
    number = finite(value, name)
    if not 0 <= number <= 1:
        raise ArgumentError(f"{name} lies between 0 and 1, not {value!r}")
    return number


def positive(value: Any, name: str) -> float:
    """Return a finite number above 0."""
    number = finite(value, name)
    if number <= 0:
        raise ArgumentError(f"{name} must be above 0, not {value!r}")
    return number


def rows_per_group(value: Any) -> float:
    """Return a number of rows, at least 1."""
    number = finite(value, "n")
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
    shares = _several(icc, "icc", lambda value: share(value, "icc"))
    counts = _several(n, "n", rows_per_group)
    one_design = isinstance(icc, Number) and (n_groups is None or isinstance(n_groups, Number))
    if one_design and not grid and not isinstance(n, Number):
        return _unequal(float(shares[0]), counts, n_groups)
    groups = np.array([math.nan])
    if n_groups is not None:
        groups = _several(n_groups, "n_groups", lambda value: positive(value, "n_groups"))
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
    if finite(observed, "observed") < 0 or finite(sigma2, "sigma2") < 0:
        raise ArgumentError("variances are not negative")
    return float(observed) - float(sigma2) / positive(n, "n")
