"""What lm and glm answer: summary and analysis of variance."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pymlm.results.anova import AnovaTable
from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import FixedEffects


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LinearSummary(Result):
    """Summary of a linear or generalized linear model; ``print(summary)`` is what R prints.

    Attributes
    ----------
    fixed : FixedEffects
        The coefficient table; on the link scale for a glm. Coefficients that depend on others are
        absent (R prints them as not defined).
    nobs, n_dropped : int
        Rows used, and rows left out for missing values.
    sigma : float
        Residual standard error: ``sigma(model)``.
    df_residual : int
    residual_quantiles : ndarray, shape (5,)
        Minimum, quartiles and maximum of the residuals (deviance residuals, for a glm).
    r_squared, adj_r_squared, f_statistic, f_num_df, f_den_df, f_p_value : float or None
        Of an lm.
    deviance, null_deviance, dispersion, aic : float or None
        Of a glm.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``summary.lm`` and ``summary.glm`` of R's stats.
    """

    fixed: FixedEffects
    nobs: int
    n_dropped: int
    sigma: float
    df_residual: int
    residual_quantiles: Floats
    r_squared: float | None = None
    adj_r_squared: float | None = None
    f_statistic: float | None = None
    f_num_df: float | None = None
    f_den_df: float | None = None
    f_p_value: float | None = None
    deviance: float | None = None
    null_deviance: float | None = None
    dispersion: float | None = None
    aic: float | None = None
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficient table as a fresh DataFrame."""
        return self.fixed.to_frame()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LinearAnova(AnovaTable):
    """Analysis of variance (or deviance) of one lm or glm; rows as R prints them.

    Attributes
    ----------
    term : tuple of str, length k
        The terms in order; the last row of an lm is "Residuals", the first of a glm "NULL".
    sum_sq, mean_sq : ndarray, shape (k,), or None
        Of an lm, in squared units of the response.
    num_df : ndarray, shape (k,)
        Degrees of freedom of the term (of the residuals, in their row).
    den_df : ndarray, shape (k,), or None
        Residual degrees of freedom, of an lm's F tests.
    deviance, residual_df, residual_deviance : ndarray, shape (k,), or None
        Of a glm: reduction by the term, and what is left after it.
    statistic : ndarray, shape (k,), or None
        F, Rao's score, or of type II and III the likelihood ratio; NaN for a sequential test by
        likelihood ratio, whose statistic is `deviance`.
    p_value : ndarray, shape (k,), or None
    test : str or None
        "F", "Chisq", "LRT", "Rao" or None.
    type : str
        "I" (sequential), "II" or "III".
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``anova(model)`` and ``anova(model, test =)`` of R's stats for type I, and for types II
    and III ``car::Anova(model, type =)``.
    """

    deviance: Floats | None = None
    residual_df: Floats | None = None
    residual_deviance: Floats | None = None
    test: str | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a term: AnovaTable's columns, but R's own of a glm's deviances."""
        columns = (
            self._columns
            if self.deviance is None
            else ("num_df", "deviance", "residual_df", "residual_deviance", "statistic", "p_value")
        )
        values = {name: getattr(self, name) for name in columns}
        return pd.DataFrame(
            {k: float("nan") if v is None else v.copy() for k, v in values.items()},
            index=pd.Index(list(self.term), dtype=object),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Predictions, with standard errors and limits where they were asked for."""

    predicted: Floats
    std_error: Floats | None = None
    conf_low: Floats | None = None
    conf_high: Floats | None = None
