"""Comparisons of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from pymlm.results.base import Floats, Printed, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ModelComparison(Result):
    """Models side by side, with likelihood-ratio tests between neighbours.

    Attributes
    ----------
    term : tuple of str, length k
        Names of the models, fewest parameters first, as R orders them.
    npar : ndarray, shape (k,)
        Number of parameters.
    aic, bic, loglik, deviance : ndarray, shape (k,)
        deviance is −2 log-likelihood.
    chisq, df, p_value : ndarray, shape (k,)
        Test of each model against the one before it; NaN in the first row, and where the smaller
        model is not nested in the larger.
    p_value_boundary : ndarray, shape (k,)
        p-value by the mixture of chi-squared distributions where one variance (with its
        covariances) is tested; equal to `p_value` where none is; NaN where several are.
    critical_value, critical_value_boundary : ndarray, shape (k,), or None
        Chi-squared above which the test rejects at `level`: of χ²(df), and of what
        `p_value_boundary` is of, e.g. 5.991 and 5.138 for one slope. None for F tests.
    level : float
        Significance level of the two.
    statistic_name : str
        "chisq", or "F": the F test of R's ``anova`` for lm, and for a glm whose dispersion is
        estimated.
    statistic, den_df : ndarray, shape (k,), or None
        Of F tests: F, and its denominator degrees of freedom; columns of `to_frame` then. chisq is
        NaN there.
    formulas : tuple of str, length k
    notes : tuple of str
        What R does not say: refits, missing nesting, tests of several variances.
    refitted : bool
        True where REML fits were refitted by maximum likelihood.
    reml : bool
        True where restricted likelihoods are compared.
    printed : Printed or None
        R's own print; the notes stand below it.

    Notes
    -----
    Mirrors ``anova(m0, m1, …, refit)`` of lme4, ``anova(m0, m1)`` of stats and nlme. A variance is
    tested on the boundary of its range: for one more random effect beside k − 1 others the null
    distribution is ½χ²(df − 1) + ½χ²(df).
    Self & Liang 1987, doi:10.1080/01621459.1987.10478472; Stram & Lee 1994, doi:10.2307/2533455.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "npar", "aic", "bic", "loglik", "deviance", "chisq", "df", "p_value", "p_value_boundary",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    npar: Floats
    aic: Floats
    bic: Floats
    loglik: Floats
    deviance: Floats
    chisq: Floats
    df: Floats
    p_value: Floats
    p_value_boundary: Floats
    critical_value: Floats | None = None
    critical_value_boundary: Floats | None = None
    level: float = 0.05
    statistic_name: str = "chisq"
    statistic: Floats | None = None
    den_df: Floats | None = None
    formulas: tuple[str, ...]
    refitted: bool = False
    reml: bool = False
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a model; F tests add the columns statistic and den_df."""
        frame = Result.to_frame(self)
        if self.statistic_name == "F":
            frame.insert(6, "statistic", self.statistic)
            frame.insert(8, "den_df", self.den_df)
        return frame


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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MeansComparison(Result):
    """A test of the means of two models by pbkrtest.

    Attributes
    ----------
    term : tuple of str, length k
        Kinds of the test: "Ftest" and "FtestU" (unscaled) for Kenward-Roger; "LRT", "PBtest",
        "Gamma", "Bartlett" and "F" for the parametric bootstrap.
    statistic, num_df, den_df, f_scaling, p_value : ndarray, shape (k,), or None
    method : str
    ddf_engine : str or None
        What computed the degrees of freedom: "pbkrtest" or "exact".
    n_extreme, n_positive : float or None
        Parametric bootstrap: simulated statistics above the observed one, and above 0.
    pb_std_error : float or None
        Monte Carlo standard error of PBtest's p-value.
    nsim, n_failed : int or None
        Simulations asked for, and refits that failed and are not counted.
    seed : int or None
    failures : tuple of str
        R's messages of failed refits, at most ten different ones.
    draws : ndarray, shape (nsim,), or None
        Simulated likelihood-ratio statistics; NaN where a refit failed.
    printed : Printed or None
        R's own print, without the time that it took.

    Notes
    -----
    Mirrors ``KRmodcomp``, ``SATmodcomp`` and ``PBmodcomp`` of pbkrtest; Halekoh & Højsgaard 2014,
    doi:10.18637/jss.v059.i09.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "statistic", "num_df", "den_df", "f_scaling", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    statistic: Floats
    num_df: Floats
    den_df: Floats | None = None
    f_scaling: Floats | None = None
    p_value: Floats
    method: str
    ddf_engine: str | None = None
    n_extreme: float | None = None
    n_positive: float | None = None
    pb_std_error: float | None = None
    nsim: int | None = None
    n_failed: int | None = None
    seed: int | None = None
    failures: tuple[str, ...] = ()
    draws: Floats | None = None
    printed: Printed | None = None

    def _remarks(self) -> list[str]:
        if not self.n_failed:
            return Result._remarks(self)
        return [
            *Result._remarks(self),
            f"failed refits: {self.n_failed} of {self.nsim}, left out; {self.failures[0]}",
        ]
