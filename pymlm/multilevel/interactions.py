"""Moderated slopes: simple slopes and regions of significance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pymlm.argument_types import Level, MixedDdf
from pymlm.arguments import finite_numbers, strict
from pymlm.errors import ArgumentError
from pymlm.figures import figure_of
from pymlm.frames import level_name
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.asked_model import mixed
from pymlm.multilevel.contrasts import (
    coefficient,
    contrast_rows,
    factor_codes,
    rows_of,
    table,
)
from pymlm.results.base import Floats, Result, check_known, readonly
from pymlm.results.estimates import Estimates


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SimpleSlopes(Estimates):
    """Slope of one predictor at values of its moderator.

    Attributes
    ----------
    term : tuple of str
        "x at z = value".
    value : ndarray
        Values of the moderator; of a factor its levels, as text.
    predictor, moderator : str
    ddf : str

    Notes
    -----
    slope(z) = b_x + b_xz · z, every other moderator of x at 0. Aiken & West 1991, Multiple
    Regression; Bauer & Curran 2005, doi:10.1207/s15327906mbr4003_5.
    """

    value: Floats
    predictor: str
    moderator: str
    ddf: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class JohnsonNeyman(Result):
    """Regions of a moderator in which a simple slope is significant.

    Attributes
    ----------
    value, slope, std_error, conf_low, conf_high : ndarray, shape (k,)
        The slope over a grid of the moderator's observed range, with a pointwise band.
    significant : ndarray of bool, shape (k,)
    bounds : ndarray
        Where the slope's p-value crosses 1 − level: 0, 1 or 2 values of the moderator, ascending.
    region : str
        "inside", "outside", "above", "below" (the bounds), "everywhere" or "nowhere".
    observed : ndarray, shape (2,)
        Smallest and largest observed value of the moderator.
    share : float
        Share of the rows whose slope is significant.
    critical : float
        Critical value of ``|t|``, with the interaction's degrees of freedom.
    df : float
    level : float
    predictor, moderator : str

    Notes
    -----
    Bauer & Curran 2005, doi:10.1207/s15327906mbr4003_5: roots of
    (b_x + b_xz·z)² = t² · (Vxx + 2·z·Vx,xz + z²·Vxz,xz).
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "value", "slope", "std_error", "conf_low", "conf_high", "significant",
    )  # fmt: skip

    plot = figure_of("johnson_neyman")

    value: Floats
    slope: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    significant: np.ndarray[Any, Any]
    bounds: Floats
    region: str
    observed: Floats
    share: float
    critical: float
    df: float
    level: float
    predictor: str
    moderator: str

    def _body(self) -> str:
        """The region in words."""
        bounds = " and ".join(f"{b:.4g}" for b in self.bounds)
        where = f"{self.region} {bounds}" if len(self.bounds) else self.region
        low, high = self.observed
        return (
            f"The slope of {self.predictor} is significant at {1 - self.level:.3g} {where} of "
            f"{self.moderator} (observed {low:.4g} to {high:.4g}); that holds for "
            f"{100 * self.share:.1f} % of the rows."
        )


@strict
def simple_slopes(
    m: MixedModel,
    x: str,
    moderator: str,
    at: Sequence[float] | Sequence[str] | None = None,
    ddf: MixedDdf = "Satterthwaite",
    level: Level = 0.95,
) -> SimpleSlopes:
    """Return the slope of `x` at values of its moderator, tested.

    Parameters
    ----------
    m : LinearMixedModel
        With the coefficients `x` and ``x:moderator`` (in either order).
    x, moderator : str
        Coefficients, as R names them; the moderator may be a factor's column, too.
    at : sequence of float or str, optional
        Values of the moderator; default its mean and one standard deviation below and above, over
        the rows; both values, where it has two. Of a factor its levels, by default all.
    ddf : str
        "Satterthwaite", "Kenward-Roger", "between-within" or "asymptotic".
    level : float

    Returns
    -------
    SimpleSlopes

    Raises
    ------
    ArgumentError
        When the model has no such coefficient or product.

    Notes
    -----
    b_x + b_xz · z by ``lmerTest::contest1D``; any other moderator of x stands at 0. Aiken & West
    1991, Multiple Regression; lectures S0 and S4 (cross-level interactions).

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::bdf")
    >>> m = mlm.lmer("langPOST ~ ses * schoolSES + (1 | schoolNR)", d)
    >>> mlm.simple_slopes(m, "ses", "schoolSES", at=[15, 25]).estimate.round(3).tolist()
    [0.346, 0.236]
    """
    model = mixed(m, "simple_slopes")
    if (codes := factor_codes(model, moderator)) is not None:
        return _by_level(model, x, moderator, codes, at, ddf, level)
    slope, other, product = _names(model, x, moderator)
    values = _values(model, other, at)
    combinations = [{slope: 1.0, product: float(z)} for z in values]
    columns: dict[str, Any] = table(model, combinations, ddf, level)
    return SimpleSlopes(
        term=tuple(f"{x} at {moderator} = {z:.6g}" for z in values),
        value=readonly(values),
        predictor=x,
        moderator=moderator,
        ddf=ddf,
        **columns,
    )


def _by_level(
    m: MixedModel, x: str, moderator: str, codes: Mapping[str, Mapping[str, float]], at: Any,
    ddf: MixedDdf, level: float,
) -> SimpleSlopes:  # fmt: skip
    """The slope at each level of a factor: b_x + Σ codes of the level · b of the products."""
    terms = list(m.fixef().index)
    slope = coefficient(x, terms)
    columns = {c for of_level in codes.values() for c in of_level}
    products = {c: p for c in columns for p in (f"{slope}:{c}", f"{c}:{slope}") if p in terms}
    if set(products) != columns:
        raise ArgumentError(
            f"the model has no product of {x!r} and every level of {moderator!r}; fit it with "
            f"{x} * {moderator}"
        )
    levels = list(codes) if at is None else [str(level_name(v)) for v in np.atleast_1d(at)]
    for one in levels:
        check_known(one, codes, f"level of {moderator}")
    combinations = [{slope: 1.0, **{products[c]: z for c, z in codes[v].items()}} for v in levels]
    found: dict[str, Any] = table(m, combinations, ddf, level)
    return SimpleSlopes(
        term=tuple(f"{x} at {moderator} = {v}" for v in levels),
        value=readonly(np.array(levels, dtype=object)),
        predictor=x,
        moderator=moderator,
        ddf=ddf,
        **found,
    )


def _names(m: MixedModel, x: str, moderator: str) -> tuple[str, str, str]:
    """R's names of the two coefficients and of their product."""
    terms = list(m.fixef().index)
    one, other = coefficient(x, terms), coefficient(moderator, terms)
    for name in (f"{one}:{other}", f"{other}:{one}"):
        if name in terms:
            return one, other, name
    raise ArgumentError(
        f"the model has no product of {x!r} and {moderator!r}; fit it with {x} * {moderator}"
    )


def _observed(m: MixedModel, name: str) -> Floats:
    return m.model_matrix()[name].to_numpy(dtype=float)


def _values(m: MixedModel, moderator: str, at: Any) -> Floats:
    if at is None:
        z = _observed(m, moderator)
        kinds = np.unique(z)
        if len(kinds) == 2:
            return np.asarray(kinds)
        sd = z.std(ddof=1)
        mean = 0.0 if abs(z.mean()) < 1e-12 * sd else z.mean()  # a centred moderator's dust
        return np.asarray(mean + np.array([-1.0, 0.0, 1.0]) * sd)
    return finite_numbers(at, "at")


@strict
def johnson_neyman(
    m: MixedModel,
    x: str,
    moderator: str,
    level: Level = 0.95,
    ddf: MixedDdf = "Satterthwaite",
    points: int = 101,
) -> JohnsonNeyman:
    """Return the region of the moderator in which the slope of `x` is significant.

    Parameters
    ----------
    m : LinearMixedModel
        With the coefficients `x`, `moderator` and their product.
    x, moderator : str
    level : float
        The slope is significant where its p-value is below 1 − level.
    ddf : str
        The critical value of t has the degrees of freedom of the product's coefficient by this
        rule; "asymptotic" is the usual normal one.
    points : int
        Size of the grid over the observed range.

    Returns
    -------
    JohnsonNeyman

    Raises
    ------
    ArgumentError
        As `simple_slopes`.

    Notes
    -----
    Own lines: Bauer & Curran 2005, doi:10.1207/s15327906mbr4003_5. The bounds are the real roots of
    (b_x + b_xz·z)² = t²·(Vxx + 2·z·Vx,xz + z²·Vxz,xz), V adjusted for ddf="Kenward-Roger".

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("nlme::bdf")
    >>> m = mlm.lmer("langPOST ~ ses * schoolSES + (1 | schoolNR)", data)
    >>> mlm.johnson_neyman(m, "ses", "schoolSES").bounds.round(1).tolist()
    [35.1, 109.2]
    """
    model = mixed(m, "johnson_neyman")
    one, other, product = _names(model, x, moderator)
    if isinstance(points, bool) or not isinstance(points, int) or points < 2:
        raise ArgumentError(f"points must be a whole number of at least 2, not {points!r}")
    b = model.fixef()
    slope, change = float(b[one]), float(b[product])
    v = model.vcov(ddf=ddf).loc[[one, product], [one, product]].to_numpy(dtype=float)
    test = contrast_rows(model, rows_of(model, [{product: 1.0}]), ddf, level)
    # The half-width of the coefficient's own interval over its standard error is the quantile.
    critical = float((test.conf_high[0] - test.estimate[0]) / test.std_error[0])
    bounds, inside = _roots(slope, change, v, critical)
    z = _observed(model, other)
    grid = np.linspace(z.min(), z.max(), points)
    line = slope + change * grid
    se = np.sqrt(v[0, 0] + 2 * grid * v[0, 1] + grid**2 * v[1, 1])
    return JohnsonNeyman(
        value=readonly(grid),
        slope=readonly(line),
        std_error=readonly(se),
        conf_low=readonly(line - critical * se),
        conf_high=readonly(line + critical * se),
        significant=readonly(np.abs(line) > critical * se),
        bounds=readonly(bounds),
        region=_region(bounds, inside, slope, v, critical),
        observed=readonly([float(z.min()), float(z.max())]),
        share=float(np.mean(_significant(z, slope, change, v, critical))),
        critical=critical,
        df=float(test.df[0]),
        level=level,
        predictor=x,
        moderator=moderator,
    )


def _significant(z: Floats, slope: float, change: float, v: Floats, critical: float) -> Floats:
    variance = v[0, 0] + 2 * z * v[0, 1] + z**2 * v[1, 1]
    return np.asarray((slope + change * z) ** 2 > critical**2 * variance)


def _roots(slope: float, change: float, v: Floats, critical: float) -> tuple[Floats, bool]:
    """Roots of the quadratic, ascending, and whether the slope is significant between them."""
    a = change**2 - critical**2 * v[1, 1]
    b = 2 * (slope * change - critical**2 * v[0, 1])
    c = slope**2 - critical**2 * v[0, 0]
    if a == 0:
        return np.array([-c / b] if b != 0 else []), False
    inside = b**2 - 4 * a * c
    if inside <= 0:
        return np.array([]), False
    # Without cancellation: the larger root first, the other by the product of the roots.
    q = -0.5 * (b + math.copysign(math.sqrt(inside), b))
    roots = [q / a, c / q if q != 0 else 0.0]
    return np.sort(np.array(roots)), a < 0


def _region(bounds: Floats, inside: bool, slope: float, v: Floats, critical: float) -> str:
    if len(bounds) == 0:
        return "everywhere" if slope**2 > critical**2 * v[0, 0] else "nowhere"
    if len(bounds) == 1:
        return "below" if (slope**2 > critical**2 * v[0, 0]) == (bounds[0] > 0) else "above"
    return "inside" if inside else "outside"
