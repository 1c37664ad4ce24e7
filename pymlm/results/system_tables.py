"""What other systems' tables are made of; `pymlm.render` turns them into text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pymlm.results.base import Floats, Result
from pymlm.results.fixed import FixedEffects


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Voice(Result):
    """Numbers of a linear mixed model that Stata, SAS, SPSS and Mplus print and R's summary lacks.

    Attributes
    ----------
    response, data_name : str
    reml : bool
    nobs, n_read : int
        Rows used, and rows there were.
    group : tuple of str, length g
        Grouping factors, in lme4's order (most levels first).
    n_groups, size_min, size_mean, size_max : ndarray, shape (g,)
        Levels, and rows per level.
    nested : bool
        Every grouping factor is nested in the next.
    weighted : bool
        Rows have prior weights: their residual variance is sigma²/w.
    term : tuple of str, length p
    estimate, std_error : ndarray, shape (p,)
        Fixed effects.
    between : ndarray of bool, shape (p,)
        The column is constant within the levels of group[0]: a level-2 predictor.
    label : tuple of str, length p
        The formula's term that the column belongs to.
    numeric_label : ndarray of bool, shape (p,)
        That term is made of numeric variables alone.
    labels : tuple of str, length q
        The terms, in the formula's order, and in `label_levels`, ndarray of shape (q,), how many
        levels each has: 1 of numbers, the product of the factors' levels else.
    wald_chi2, wald_df
        Joint Wald test of every fixed effect but the intercept.
    loglik : float
        Restricted for a REML fit.
    lr_chi2, lr_df, single_sigma
        Likelihood ratio against the model without random effects (by the same criterion), the
        number of covariance parameters tested, and that model's residual SD.
    grp, var1, var2 : tuple, length k
        Variance components, as in VarCorr.
    component, component_se : ndarray, shape (k,)
        Estimates and standard errors: lmerTest's covariance matrix of (theta, sigma), carried over
        by the delta method; NaN where a term is singular.
    component_vcov : ndarray, shape (k, k)
    random_terms : dict
        Term, as `grp` has it -> its coefficients.
    n_zero, n_theta, rank_x : int
        Theta at 0, length of theta, rank of X.
    """

    response: str
    data_name: str
    reml: bool
    nobs: int
    n_read: int
    group: tuple[str, ...]
    n_groups: Floats
    size_min: Floats
    size_mean: Floats
    size_max: Floats
    nested: bool
    weighted: bool
    term: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    between: Floats
    label: tuple[str, ...]
    numeric_label: Floats
    labels: tuple[str, ...]
    label_levels: Floats
    wald_chi2: float
    wald_df: int
    loglik: float
    lr_chi2: float
    lr_df: int
    single_sigma: float
    grp: tuple[str, ...]
    var1: tuple[str | None, ...]
    var2: tuple[str | None, ...]
    component: Floats
    component_se: Floats
    component_vcov: Floats
    random_terms: Mapping[str, tuple[str, ...]]
    n_zero: int
    n_theta: int
    rank_x: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeThree:
    """Type III F tests, one entry a term."""

    term: tuple[str, ...]
    num_df: Floats
    den_df: Floats
    statistic: Floats
    p_value: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class InterceptTest:
    """Type III F test of the intercept, which only SPSS prints."""

    df: float
    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VoiceTests(Result):
    """t tests of the fixed effects and type III F tests with the df that a system uses."""

    fixed: FixedEffects
    type3: TypeThree | None
    intercept: InterceptTest | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Xtreg(Result):
    """Stata's ``xtreg, re``, ``fe`` or ``be``.

    Attributes
    ----------
    type : str
        "re", "fe" or "be".
    term : tuple of str, length p
    estimate, std_error : ndarray, shape (p,)
        NaN for what the estimator omits: with "fe", predictors that are constant within groups.
    sigma_u, sigma_e, rho : float
        Standard deviations of the group effect and the residual; share of variance of the first.
        With "fe" sigma_u is the standard deviation of the estimated effects, with "be" sigma_e that
        of the group means.
    r2_within, r2_between, r2_overall : float
        Squared correlations of prediction and response: demeaned, group means, as they are.
    wald_chi2, wald_df
        Joint test of the slopes; of "fe" and "be" wald_chi2 / wald_df is an F.
    df_residual : float
        Infinite for "re".
    correlation : float
        Of the group effects with the prediction; "fe" alone.
    f_groups : float
        F of all group effects; "fe" alone.

    Notes
    -----
    Swamy & Arora 1972, doi:10.2307/1909405, in the form of Stata's [XT] xtreg: unweighted between
    regression and harmonic mean of the group sizes. plm's "swar" differs for unequal groups.
    """

    type: str
    term: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    sigma_u: float
    sigma_e: float
    rho: float
    r2_within: float
    r2_between: float
    r2_overall: float
    wald_chi2: float
    wald_df: int
    df_residual: float
    correlation: float
    f_groups: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Regress(Result):
    """A linear model as Stata's ``regress``; with clusters as ``regress, vce(cluster g)``.

    Attributes
    ----------
    response : str
    term : tuple of str, length p
    numeric_label : ndarray of bool, shape (p,)
        The coefficient's term is made of numeric variables alone.
    estimate, std_error : ndarray, shape (p,)
        Errors from the model, or sandwich's HC1 by cluster; NaN for an aliased coefficient.
    nobs : int
    f, num_df, den_df
        Joint Wald test of the slopes; den_df is clusters - 1 where there are clusters.
    r_squared, adj_r_squared, root_mse, ss_model, ss_residual : float
    cluster : str or None
    n_clusters : int or None
    robust : bool
        Errors are White's, HC1.

    Notes
    -----
    Mirrors ``summary(lm)``, ``sandwich::vcovCL(model, cluster, type = "HC1")`` and
    ``sandwich::vcovHC(model, type = "HC1")``.
    """

    response: str
    term: tuple[str, ...]
    numeric_label: Floats
    estimate: Floats
    std_error: Floats
    nobs: int
    f: float
    num_df: int
    den_df: float
    r_squared: float
    adj_r_squared: float
    root_mse: float
    ss_model: float
    ss_residual: float
    cluster: str | None = None
    n_clusters: int | None = None
    robust: bool = False
