"""Tests, standard errors and profiles of variance components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.errors import ArgumentError, near_names
from pymlm.figures import figure_of
from pymlm.results.base import Floats, Printed, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RandomAnova(Result):
    """Likelihood-ratio tests of the random-effect terms, one deletion a row.

    Attributes
    ----------
    term : tuple of str, length k
        "<none>" is the model itself; "Days in (Days | Subject)" the model without that slope.
    npar : ndarray, shape (k,)
        Number of parameters.
    loglik, aic : ndarray, shape (k,)
        Restricted log-likelihood for a REML fit.
    lrt, df, p_value : ndarray, shape (k,)
        Test against the model itself, with R's own p-value, which is too large.
    p_value_boundary : ndarray, shape (k,)
        By the mixture ½χ²(df − 1) + ½χ²(df) where the deletion takes one variance (with its
        covariances); NaN where it takes several.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``ranova(model, reduce.terms)`` of lmerTest. Self & Liang 1987,
    doi:10.1080/01621459.1987.10478472; Stram & Lee 1994, doi:10.2307/2533455.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "npar", "loglik", "aic", "lrt", "df", "p_value", "p_value_boundary",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    npar: Floats
    loglik: Floats
    aic: Floats
    lrt: Floats
    df: Floats
    p_value: Floats
    p_value_boundary: Floats
    printed: Printed | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VarCorrErrors(Result):
    """Variances and covariances with standard errors and intervals, as Stata and SAS print them.

    Attributes
    ----------
    grp : tuple of str, length k
        Rows as in `VarCorr`; "Residual" last.
    var1, var2 : tuple of (str or None), length k
        var2 is None in a row that holds a variance.
    vcov : ndarray, shape (k,)
        Variance or covariance, in squared units of the response.
    std_error : ndarray, shape (k,)
        By the delta method from the Hessian in (θ, σ); NaN where a variance is estimated as zero.
    conf_low, conf_high : ndarray, shape (k,)
        exp(log v ± z·SE/v) for a variance v, plain Wald for a covariance.
    level : float

    Notes
    -----
    From lmerTest's asymptotic covariance of (θ, σ), the inverse Hessian of the deviance (of the
    REML criterion for a REML fit): with T = T(θ) and v = σ²(TT')ᵢⱼ, SE² = ∇v' cov(θ, σ) ∇v. What
    Stata's ``mixed, variance`` prints; Pinheiro & Bates 2000, doi:10.1007/b98882, ch. 2.4. There is
    no z test of a variance: its null value lies on the boundary (`lrt`, `ranova`).
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "grp", "var1", "var2", "vcov", "std_error", "conf_low", "conf_high",
    )  # fmt: skip

    grp: tuple[str, ...]
    var1: tuple[str | None, ...]
    var2: tuple[str | None, ...]
    vcov: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a component as a fresh DataFrame."""
        return pd.DataFrame(
            {
                "grp": pd.array(list(self.grp), dtype=object),
                "var1": pd.array(list(self.var1), dtype=object),
                "var2": pd.array(list(self.var2), dtype=object),
            }
            | {name: np.array(getattr(self, name)) for name in self._columns[3:]}
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Profile(Result):
    """The likelihood profile: for each parameter the curve of the signed root deviance ζ.

    Attributes
    ----------
    parameter : tuple of str, length m
        The parameter that a row fixes, e.g. "sd_(Intercept)|Subject"; `r_names` has ".sig01" ...
    zeta : ndarray, shape (m,)
        Signed square root of the deviance's increase over its minimum; 0 at the estimate.
    names : tuple of str, length k
        All parameters, the columns of `values`.
    values : ndarray, shape (m, k)
        All parameters at that point, the fixed one included: standard deviations, correlations,
        coefficients.
    r_names : tuple of str, length k

    Notes
    -----
    Mirrors ``profile(model, which, signames = FALSE)`` of lme4; Bates et al. 2015, section 5.1,
    doi:10.18637/jss.v067.i01. A REML fit is profiled by maximum likelihood, as lme4 does it.
    """

    plot = figure_of("profile")

    parameter: tuple[str, ...]
    zeta: Floats
    names: tuple[str, ...]
    values: Floats
    r_names: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return R's data: column `zeta`, one column a parameter, and `parameter`, in long form."""
        columns = {"zeta": np.array(self.zeta)}
        columns |= {name: self.values[:, i].copy() for i, name in enumerate(self.names)}
        frame = pd.DataFrame(columns)
        frame["parameter"] = pd.array(list(self.parameter), dtype=object)
        return frame

    def curve(self, parameter: str) -> pd.DataFrame:
        """Return one parameter's curve, columns value and zeta, by rising value.

        Raises
        ------
        ArgumentError
            When it was not profiled; near names are listed.
        """
        names = dict(zip(self.r_names, self.names, strict=True))
        name = names.get(parameter, parameter)
        here = np.array([p == name for p in self.parameter], dtype=bool)
        if name not in self.names or not here.any():
            raise ArgumentError(
                f"no profile of {parameter!r}."
                + near_names(parameter, self.names)
                + f" There are: {', '.join(dict.fromkeys(self.parameter))}"
            )
        frame = pd.DataFrame(
            {"value": self.values[here, self.names.index(name)], "zeta": self.zeta[here]}
        )
        return frame.sort_values("value", ignore_index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactTest(Result):
    """An exact (simulated) likelihood-ratio test of one variance.

    Attributes
    ----------
    test : str
        "RLRT", of restricted likelihoods, or "LRT", of full ones.
    statistic : float
        Twice the difference of the (restricted) log-likelihoods.
    p_value : float
        Share of `nsim` simulated null statistics above it.
    nsim : int
    seed : int or None
    notes : tuple of str
        R's remarks, and that a p-value of 0 only says p < 1/nsim.
    printed : Printed or None
        R's own print; the notes stand below it.

    Notes
    -----
    Mirrors ``RLRsim::exactRLRT`` and ``exactLRT``; Crainiceanu & Ruppert 2004,
    doi:10.1111/j.1467-9868.2004.00438.x; Greven et al. 2008, doi:10.1198/106186008X386599.
    """

    test: str
    statistic: float
    p_value: float
    nsim: int
    seed: int | None = None
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row: statistic, p_value, nsim."""
        return pd.DataFrame(
            {"statistic": [self.statistic], "p_value": [self.p_value], "nsim": [self.nsim]},
            index=[self.test],
        )
