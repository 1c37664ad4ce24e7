"""Linear models without random effects: R's lm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from pymlm.argument_types import (
    Data,
    Ddf,
    DevianceTest,
    Engine,
    Level,
    LinearConfintMethod,
    LinearResidualType,
    PerRow,
    TestType,
    Timeout,
)
from pymlm.arguments import strict
from pymlm.errors import FormulaError, NotSupportedError
from pymlm.models.fitting import Task, check_response, fit, make_task
from pymlm.models.linear_prediction import LinearPrediction
from pymlm.models.tidy import LinearGlance
from pymlm.results.anova import AnovaTable
from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import ConfidenceIntervals, FixedEffects, NamedValues
from pymlm.results.printed import in_digits

RESIDUALS = ("response", "pearson", "deviance", "working", "standardized", "studentized")


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


class LinearModel(LinearPrediction):
    """A linear model that R's ``lm`` fitted; see `pymlm.lm`."""

    _updatable: ClassVar[tuple[str, ...]] = (
        "data", "weights", "offset", "contrasts", "data_name", "trusted", "timeout",
    )  # fmt: skip

    _residual_types = RESIDUALS
    _glance = LinearGlance

    # --- attributes -----------------------------------------------------------------------------

    @property
    def df_residual(self) -> int:
        """Residual degrees of freedom: ``df.residual(model)``."""
        return self._described.df_residual

    @property
    def aic(self) -> float:
        """Akaike's criterion: ``AIC(model)``."""
        return self._described.aic

    @property
    def bic(self) -> float:
        """Bayes criterion: ``BIC(model)``."""
        return self._described.bic

    @property
    def deviance(self) -> float:
        """Residual sum of squares of an lm, deviance of a glm: ``deviance(model)``."""
        return self._described.deviance

    @property
    def ngroups(self) -> dict[str, int]:
        """Empty: the model has no grouping factors."""
        return {}

    # --- coefficients ---------------------------------------------------------------------------

    @strict
    def coef(self) -> pd.Series:
        """Return the coefficients, term -> estimate, NaN where not defined: ``coef(model)``."""
        return self._ask("coef", NamedValues).to_series()

    @strict
    def summary(self, digits: int | None = None) -> LinearSummary:
        """Summarise the model; ``print(m.summary())`` prints what R prints: ``summary(model)``.

        Parameters
        ----------
        digits : int, optional
            The summary is printed as R prints it under ``options(digits = digits)``.
        """
        return in_digits(self._ask("summary", LinearSummary), digits)

    @strict
    def anova(
        self,
        type: TestType | None = None,
        ddf: Ddf | None = "default",
        engine: Engine | None = None,
        digits: int | None = None,
        test: DevianceTest | None = None,
    ) -> LinearAnova:
        """Return the analysis of variance, or of deviance for a glm.

        Parameters
        ----------
        type : {1, 2, 3, "I", "II", "III"}, optional
            Sequential (R's default), each term after all that do not contain it (II), or marginal
            (III). Marginal tests of a term that stands in an interaction depend on the contrasts;
            the table's notes say where.
        ddf : "default" or "residual"
            F tests of an lm have the residual degrees of freedom.
        engine : None
            There is nothing to choose.
        digits : int, optional
            The table is printed as R prints it under ``options(digits = digits)``.
        test : {None, "Chisq", "LRT", "F", "Rao"}
            Of a glm; R's default is no test for type 1, and likelihood ratios for 2 and 3, which
            have "LRT" and "F" alone. An lm has its F tests.

        Raises
        ------
        NotSupportedError
            For a test or degrees of freedom that R has not for the model; type 3 of a model with
            coefficients that R dropped.
        RPackageError
            For types 2 and 3, when R's package car is not installed.

        Notes
        -----
        Mirrors ``anova(model, test =)`` for type 1, and ``car::Anova(model, type =,
        test.statistic =)`` for 2 and 3.
        """
        if self._described.family is None:
            if test not in (None, "F"):
                raise NotSupportedError(f"a linear model is tested by F, not by {test!r}")
            test = None
        if engine is not None:
            raise NotSupportedError("a model without random effects has no engines to choose from")
        found = self._ask("anova", LinearAnova, type=type or "I", test=test, ddf=ddf)
        return in_digits(found, digits)

    @strict
    def confint(
        self, level: Level = 0.95, method: LinearConfintMethod = "profile"
    ) -> ConfidenceIntervals:
        """Return confidence intervals of the coefficients.

        Parameters
        ----------
        level : float
        method : {"profile", "Wald"}
            "profile" is ``confint(model, level =)``: t intervals of an lm, profile likelihood of a
            glm (R package MASS). "Wald" is ``confint.default``, with the normal distribution.
        """
        return self._ask("confint", ConfidenceIntervals, level=level, method=method)

    # --- rows -----------------------------------------------------------------------------------

    @strict
    def residuals(self, type: LinearResidualType = "response") -> pd.Series:
        """Return residuals on the data's index, NaN where R dropped the row.

        Parameters
        ----------
        type : {"response", "pearson", "deviance", "working", "standardized", "studentized"}
            As in ``residuals(model, type)``; "standardized" is ``rstandard`` (of
            deviance residuals for a glm, as R had it before 4.6), "studentized" ``rstudent``.
        """
        return self._by_row(self._call("residual_values", type=type), "residual")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.formula!r}, {self.nobs} rows>"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def linear_task(
    formula: str, data: Data, arguments: dict[str, Any], timeout: float | None, mixed: str
) -> Task:
    """Return what is to be fitted; a formula with random effects is for the function `mixed`."""
    task = make_task(formula, data, arguments, timeout)
    if not task.formula.two_sided:
        raise FormulaError("the formula has no response; write e.g. 'y ~ x'")
    if task.formula.n_bars:
        raise FormulaError(f"the formula has random effects: use {mixed}")
    return task


@strict
def lm(
    formula: str,
    data: Data,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
    contrasts: Mapping[str, Any] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
) -> LinearModel:
    """Fit a linear model by least squares, with R's ``lm``.

    Parameters
    ----------
    formula : str
        e.g. ``"Reaction ~ Days"``.
    data, weights, offset, contrasts, data_name, trusted, timeout
        As in `pymlm.lmer`.

    Returns
    -------
    LinearModel

    Raises
    ------
    FormulaError
        Also for a formula with random effects.
    DataError, FitError, FitTimeout
        As in `pymlm.lmer`.

    Notes
    -----
    Mirrors ``lm(formula, data, weights, offset, contrasts)``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.lm("Reaction ~ Days", mlm.load_dataset("sleepstudy")).coef().round(3).to_dict()
    {'(Intercept)': 251.405, 'Days': 10.467}
    """
    arguments = {
        "weights": weights, "offset": offset, "contrasts": contrasts, "data_name": data_name,
        "trusted": trusted,
    }  # fmt: skip
    task = linear_task(formula, data, arguments, timeout, "pymlm.lmer")
    check_response(task.formula, task.data)
    return LinearModel(fit("fit_lm", task), task.fitted_by(lm))
