"""Panel and population-average estimates, and the test between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import FixedEffects


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PanelEstimates(Result):
    """Estimates of a panel model: within, between, random-effects GLS or pooled OLS.

    Attributes
    ----------
    fixed : FixedEffects
        Coefficients; z tests for the random-effects model, t tests for the others.
    model : str
        "within", "between", "random" or "pooling".
    r_squared : float
        plm's R², of the transformed data.
    nobs, ngroups : int
    sigma_u, sigma_e : float
        Standard deviations of the group effect (NaN but for "random") and of the residual.
    theta : ndarray, shape (ngroups,), or None
        Share of the group mean that is taken off, of each group ("random" only).
    printed : Printed or None
        R's own print of the summary.

    Notes
    -----
    Mirrors ``summary(plm::plm(formula, data, index, model))``; "random" uses Swamy and Arora's
    variances, as Stata's ``xtreg, re``. Croissant & Millo 2008, doi:10.18637/jss.v027.i02.
    """

    fixed: FixedEffects
    model: str
    r_squared: float
    nobs: int
    ngroups: int
    sigma_u: float
    sigma_e: float
    theta: Floats | None = None
    printed: Printed | None = None

    @property
    def rho(self) -> float:
        """Share of the variance that lies between groups: sigma_u² / (sigma_u² + sigma_e²)."""
        return self.sigma_u**2 / (self.sigma_u**2 + self.sigma_e**2)

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficient table."""
        return self.fixed.to_frame()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Hausman(Result):
    """Hausman's test of the random-effects against the within estimator.

    Attributes
    ----------
    chisq, df, p_value : float
        A small p says that the slopes differ within and between groups.
    within, random : Series-like dict of str to float
        The coefficients compared.
    printed : Printed or None

    Notes
    -----
    Mirrors ``plm::phtest``; Hausman 1978, doi:10.2307/1913827.
    """

    chisq: float
    df: float
    p_value: float
    within: Mapping[str, float]
    random: Mapping[str, float]
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row: chisq, df, p_value."""
        return pd.DataFrame([{"chisq": self.chisq, "df": self.df, "p_value": self.p_value}])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GeeEstimates(Result):
    """Population-average coefficients by generalized estimating equations.

    Attributes
    ----------
    fixed : FixedEffects
        z tests with robust standard errors; the link's scale. R prints Wald = z².
    corstr : str
        Working correlation.
    alpha, alpha_std_error : ndarray, shape (k,)
        Its parameters: one for "exchangeable" and "ar1", one a pair of rows for "unstructured",
        none for "independence".
    scale : float
        Estimated scale parameter.
    family : str
    nobs, n_clusters, max_cluster : int
    printed : Printed or None

    Notes
    -----
    Mirrors ``summary(geepack::geeglm(...))``; Højsgaard, Halekoh & Yan 2006,
    doi:10.18637/jss.v015.i02; Liang & Zeger 1986, doi:10.1093/biomet/73.1.13.
    """

    fixed: FixedEffects
    corstr: str
    alpha: Floats
    alpha_std_error: Floats
    scale: float
    family: str
    nobs: int
    n_clusters: int
    max_cluster: int
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficient table."""
        return self.fixed.to_frame()
