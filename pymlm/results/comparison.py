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
