"""Robust standard errors, with clusters and without."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Count, Level, RobustBootType, RobustType, RowRobustType, Seed
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, DataError
from pymlm.frames import prepare
from pymlm.models.inside import call_on, clusters_of, source_of, used_rows
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.models.parallel import check_seed
from pymlm.multilevel.asked_model import fitted_model
from pymlm.multilevel.columns import column
from pymlm.results.base import Floats, Printed
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


@strict
def cluster_robust(
    fit: Model,
    by: str | None = None,
    type: RobustType = "CR2",
    level: Level = 0.95,
    boot_type: RobustBootType = "xy",
    nsim: Count = 500,
    seed: Seed | None = None,
) -> RobustEffects:
    """Return coefficients with standard errors that are robust to dependence within clusters.

    Parameters
    ----------
    fit : LinearModel or LinearMixedModel
        From `pymlm.lm` or `pymlm.lmer`.
    by : str, optional
        The column that identifies clusters; for a mixed model default is its outermost grouping
        factor.
    type : str
        "CR0" to "CR3" with Satterthwaite's degrees of freedom (clubSandwich): "CR2" is the bias-
        reduced one for few clusters. "HC0" to "HC3" with clusters − 1 degrees of freedom
        (sandwich): "HC1" is Stata's ``vce(cluster)``. "bootstrap" draws whole clusters. HC types
        and the bootstrap are for `pymlm.lm` only; without clusters there is `robust_errors`.
    level : float
        Of the confidence intervals.
    boot_type, nsim, seed
        Of the bootstrap, as in `robust_errors`.

    Returns
    -------
    RobustEffects

    Raises
    ------
    NotSupportedError
        HC types for a mixed model, for which sandwich has no method; random effects that are not
        nested within the clusters; a model that is not linear.
    DataError
        For a cluster column that is not there, is missing in rows that the model used, or has one
        cluster.

    Notes
    -----
    Mirrors ``clubSandwich::coef_test(model, vcov = type, cluster = by, test = "Satterthwaite")``
    and ``sandwich::vcovCL(model, cluster = by, type = type)``, ``vcovBS(model, cluster = by)``.
    Pustejovsky & Tipton 2018, doi:10.1080/07350015.2016.1247004; Cameron & Miller 2015,
    doi:10.3368/jhr.50.2.317. Robust errors repair the inference on a slope; they do not say whether
    it is within, between or smushed (lecture S4).

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lm("Reaction ~ Days", mlm.load_dataset("sleepstudy"))
    >>> table = mlm.cluster_robust(m, by="Subject").to_frame()
    >>> table[["estimate", "std_error", "df"]].round(3)
                 estimate  std_error    df
    (Intercept)   251.405      6.825  17.0
    Days           10.467      1.546  17.0
    """
    fitted_model(fit, "cluster_robust")
    cluster = None
    if by is not None:
        data = source_of(fit).data
        if data is not None:
            column(data, by, "argument by")
        cluster = clusters_of(fit, by)
        if type == "bootstrap":  # draws go by the levels, in R's order
            cluster = prepare(_used(fit, by, "argument by", "hold the clusters").to_frame())
    elif not isinstance(fit, MixedModel):
        raise ArgumentError(
            "say which column identifies the clusters: by='...'. Without clusters there is "
            "pymlm.robust_errors(fit)"
        )
    found: RobustEffects = call_on(
        fit,
        "ml_cluster_robust",
        RobustEffects,
        cluster=cluster,
        type=type,
        level=level,
        **_of_bootstrap(type, boot_type, nsim, seed),
    )
    return found


def _of_bootstrap(type: str, boot_type: str, nsim: int, seed: int | None) -> dict[str, Any]:
    """The bootstrap's arguments; refused beside another type, which would ignore them."""
    if type == "bootstrap":
        return {"boot_type": boot_type, "nsim": nsim, "seed": check_seed(seed)}
    if seed is not None or boot_type != "xy":
        raise ArgumentError(f"seed and boot_type are of type='bootstrap', not of {type!r}")
    return {}


@strict
def robust_errors(
    fit: Model,
    type: RowRobustType = "HC3",
    level: Level = 0.95,
    order_by: str | None = None,
    lag: int | None = None,
    prewhite: bool = True,
    boot_type: RobustBootType = "xy",
    nsim: Count = 500,
    seed: Seed | None = None,
) -> RobustEffects:
    """Return coefficients of an lm or glm with robust standard errors, without clusters.

    Parameters
    ----------
    fit : LinearModel or GeneralizedLinearModel
    type : str
        "HC0" (White's) to "HC5": heteroscedasticity; "HC1" is Stata's ``vce(robust)``, "HC3" R's
        default. "HAC": autocorrelation, too, by Newey and West. "bootstrap": of rows (lm only).
    level : float
        Of the confidence intervals.
    order_by : str, optional
        HAC: the column that orders the rows in time; default: as they come.
    lag : int, optional
        HAC: the last autocorrelation that counts; default: chosen from the data (Newey & West
        1994).
    prewhite : bool
        HAC: take out a first-order autoregression before, as R does. Stata's ``newey, lag(#)`` does
        not.
    boot_type : str
        "xy" draws rows; "residual" residuals; "wild" their signs, "mammen", "webb" and "norm" other
        multipliers of them.
    nsim, seed
        Draws of the bootstrap. For a seed they are R's after ``set.seed(seed)``.

    Returns
    -------
    RobustEffects
        t with residual degrees of freedom for an lm, z for a glm, as ``lmtest::coeftest``.

    Raises
    ------
    NotSupportedError
        For a model of another class, the bootstrap of a glm, or of residuals with weights, and HC
        types that divide by zero where a row is fitted exactly.
    DataError
        For a column of `order_by` that is not there, or is missing in rows that the model used.
    ArgumentError
        For arguments of another type, and for a time that several rows have: a panel has clusters.

    Notes
    -----
    Mirrors ``sandwich::vcovHC``, ``NeweyWest`` and ``vcovBS``, and draws rows with their weights
    and offsets, which ``vcovBS`` leaves out; MacKinnon & White 1985,
    doi:10.1016/0304-4076(85)90158-7; Newey & West 1987, doi:10.2307/1913610; Zeileis 2004,
    doi:10.18637/jss.v011.i10; Zeileis, Köll & Graham 2020, doi:10.18637/jss.v095.i01.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lm("dist ~ speed", mlm.load_dataset("datasets::cars"))
    >>> mlm.robust_errors(m, type="HC3").to_frame()[["estimate", "std_error"]].round(3)
                 estimate  std_error
    (Intercept)   -17.579      5.932
    speed           3.932      0.428
    """
    fitted_model(fit, "robust_errors")
    if type != "HAC" and (order_by is not None or lag is not None or not prewhite):
        raise ArgumentError(f"order_by, lag and prewhite are of type='HAC', not of {type!r}")
    more = _of_bootstrap(type, boot_type, nsim, seed)
    if type == "HAC":
        if lag is not None and (isinstance(lag, bool) or not isinstance(lag, int) or lag < 0):
            raise ArgumentError(f"lag is a whole number of rows, 0 or more, not {lag!r}")
        order = None if order_by is None else _order(fit, order_by)
        more |= {"order": order, "lag": lag, "prewhite": prewhite}
    found: RobustEffects = call_on(
        fit, "ml_robust_errors", RobustEffects, type=type, level=level, **more
    )
    return found


def _order(fit: Model, by: str) -> Any:
    """Rank of each row in time, from 1."""
    series = _used(fit, by, "argument order_by", "order the rows")
    if series.isna().any():
        row = series.index[int(np.argmax(series.isna()))]
        raise DataError(f"row {row!r} has no {by!r}, and so no place in the order of the rows")
    try:
        order = series.rank(method="min")
    except TypeError as error:
        raise DataError(f"{by!r} (dtype {series.dtype}) cannot be ordered: {error}") from None
    if order.duplicated().any():
        row = series.index[int(np.argmax(order.duplicated()))]
        raise ArgumentError(
            f"row {row!r} has the same {by!r} as another: HAC is of one series. For a "
            "panel: pymlm.cluster_robust(fit, by=...)"
        )
    return order.to_numpy(dtype=np.float64)


def _used(fit: Model, name: str, what: str, why: str) -> pd.Series:
    """A column in the rows that the model used."""
    data = source_of(fit).data
    if data is None:
        raise DataError(f"this model came from a file, without the data that {why}")
    series = column(data, name, what)
    return series if used_rows(fit) is None else series.iloc[used_rows(fit)]
