"""Slopes at two levels: within and between, latent, moderated, robust, side by side."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.figures import figure_of
from pymlm.results.base import ESTIMATES, Floats, Printed, Result, check_known
from pymlm.results.estimates import Estimates
from pymlm.results.fixed import FixedEffects


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RobustEffects(FixedEffects):
    """Coefficients with robust standard errors; the columns are those of FixedEffects.

    Attributes
    ----------
    type : str
        "HC0" to "HC5", "HAC", "bootstrap" (sandwich), or "CR0" to "CR3" (clubSandwich).
    vcov : ndarray, shape (p, p)
        Robust covariance matrix of the coefficients, in the order of `term`.
    n_clusters : int or None
        None for errors that are robust without clusters.
    lag : float
        Of HAC: the last autocorrelation that counts; NaN otherwise.
    boot_type, nsim, seed, n_failed
        Of the bootstrap: what was drawn, how often, from which seed, and how many draws could not
        be fitted; None otherwise.
    level : float
        Of the confidence intervals.
    printed : Printed or None
        clubSandwich's own print, for CR types.

    Notes
    -----
    `df` are Satterthwaite's for CR types, clusters − 1 for others with clusters, and the residual
    ones without. Mirrors ``clubSandwich::coef_test(model, vcov = type)`` and sandwich's ``vcovCL``,
    ``vcovHC``, ``NeweyWest`` and ``vcovBS``;
    Pustejovsky & Tipton 2018, doi:10.1080/07350015.2016.1247004; Zeileis, Köll & Graham 2020,
    doi:10.18637/jss.v095.i01; Cameron & Miller 2015, doi:10.3368/jhr.50.2.317.
    """

    type: str
    vcov: Floats
    n_clusters: int | None = None
    level: float
    lag: float = math.nan
    boot_type: str | None = None
    nsim: int | None = None
    seed: int | None = None
    n_failed: int | None = None
    printed: Printed | None = None

    def _remarks(self) -> list[str]:
        remarks = FixedEffects._remarks(self)
        if not math.isnan(self.lag):
            remarks.append(f"Newey and West's errors, lag {self.lag:g}")
        if self.nsim is not None:
            failed = f", {self.n_failed} of them left out: rank too low" if self.n_failed else ""
            remarks.append(f"bootstrap ({self.boot_type}): {self.nsim} draws{failed}")
        return remarks


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WithinBetween(Estimates):
    """Within, between, contextual and smushed slope of predictors that vary at both levels.

    Attributes
    ----------
    term : tuple of str
        "within: x", "between: x", "contextual: x" (between − within, tested) and "smushed: x" for
        each predictor.
    phi : dict of str to float
        Weight of the within slope in the smushed one.
    smushed_at_common_variances : dict of str to float
        phi · W + (1 − phi) · B with both slopes at the variances of the smushed model. With one x
        it is the estimate "smushed: x" itself.
    ddf : str
        Method of the degrees of freedom.
    formulas : dict of str to str
        The formulas fitted: "within-between", "contextual", "smushed".
    models : dict of str to model
        The fitted models by the same names; not part of `to_dict()`.

    Notes
    -----
    Lectures S0 (within-between model; beta = phi·W + (1 − phi)·B) and S4 (contextual slope).
    Bell, Fairbrother & Jones 2019, doi:10.1007/s11135-018-0802-x; Mundlak 1978,
    doi:10.2307/1913646.
    """

    phi: Mapping[str, float]
    smushed_at_common_variances: Mapping[str, float]
    ddf: str
    formulas: Mapping[str, str]
    models: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data; the fitted models are left out."""
        return Result.to_dict(dataclasses.replace(self, models={}))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LatentCentering(Estimates):
    """Slopes of latent-centred predictors: lavaan partitions predictor and outcome alike.

    Attributes
    ----------
    term : tuple of str
        "within: x", "between: x", "contextual: x", then covariates by level; z tests.
    converged, admissible : bool
        An inadmissible solution has, for example, a negative variance.
    nobs, n_clusters : int
    loglik : float
    syntax : str
        The lavaan model that was fitted.
    notes : tuple of str
        lavaan's own warnings.
    n_flat : dict of str to int
        Clusters in which the predictor does not vary.
    printed : Printed or None
        lavaan's own summary.

    Notes
    -----
    Mirrors ``lavaan::sem(model, cluster =, fixed.x = FALSE)``; Rosseel 2012,
    doi:10.18637/jss.v048.i02; Lüdtke et al. 2008, doi:10.1037/a0012869; lecture S4, option 3.
    Limits: two levels, continuous variables, no random slopes, maximum likelihood, z tests.
    """

    converged: bool
    admissible: bool
    nobs: int
    n_clusters: int
    loglik: float
    syntax: str
    n_flat: Mapping[str, int]
    printed: Printed | None = None


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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Alternatives(Estimates):
    """The same coefficients by every alternative to a multilevel model, side by side.

    Attributes
    ----------
    term, model : tuple of str, length k
        Coefficient and way of estimation; a coefficient that a way cannot estimate has no row.
    df : ndarray
        Infinite for z tests.

    Notes
    -----
    Lectures S0 (aggregation, disaggregation, robust errors) and S3 (one per group, fixed effects,
    GEE).
    """

    _columns: ClassVar[tuple[str, ...]] = ("model", *ESTIMATES)

    model: tuple[str, ...]

    def wide(self, what: str = "std_error") -> pd.DataFrame:
        """Return one column a way: its `what` ("estimate", "std_error", "p_value" ...).

        Raises
        ------
        ArgumentError
            For a column that there is not.
        """
        check_known(what, self._columns, "column")
        frame = self.to_frame()
        ways = {way: frame.loc[frame["model"] == way, what] for way in dict.fromkeys(self.model)}
        return pd.DataFrame(ways).reindex(list(dict.fromkeys(self.term)))
