"""Linear and generalized linear models without random effects, for comparison with mixed ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import pandas as pd

from pymlm.arguments import choice, fraction, refuse_unknown, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.figures import figure_of
from pymlm.formula import vet
from pymlm.frames import as_pandas, prepare
from pymlm.models.advice import about_update, say
from pymlm.models.attributes import CommonAttributes
from pymlm.models.newdata import check_file_has, needed_columns
from pymlm.models.script import write_script
from pymlm.results.base import Floats
from pymlm.results.fixed import ConfidenceIntervals, NamedMatrix, NamedValues
from pymlm.results.linear import LinearAnova, LinearSummary, Predicted

RESIDUALS = ("response", "pearson", "deviance", "working", "standardized", "studentized")
Interval = Literal["confidence", "prediction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _LinearDescription:
    formula: str
    call: str
    nobs: int
    dropped: Floats
    sigma: float
    loglik: float
    npar: int
    df_residual: int
    aic: float
    bic: float
    deviance: float
    rank: int
    term_labels: tuple[str, ...]
    aliased: tuple[str, ...]
    family: str | None
    link: str | None
    converged: bool
    null_deviance: float | None
    dispersion: float | None
    offset: str | None


class LinearModel(CommonAttributes):
    """A linear model that R's ``lm`` fitted; see `pymlm.lm`."""

    _updatable: tuple[str, ...] = (
        "data", "weights", "offset", "contrasts", "data_name", "trusted", "timeout",
    )  # fmt: skip

    plot = figure_of("check")

    @cached_property
    def _described(self) -> _LinearDescription:
        found: _LinearDescription = self._call("describe_linear", _LinearDescription)
        return found

    def _description(self) -> _LinearDescription:
        return self._described

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

    def coef(self) -> pd.Series:
        """Return the coefficients, term -> estimate, NaN where not defined: ``coef(model)``."""
        return self._ask("linear_coef", NamedValues).to_series()

    def fixef(self) -> pd.Series:
        """Return the coefficients that are defined: what a mixed model calls fixed effects."""
        return self.coef().dropna()

    def summary(self) -> LinearSummary:
        """Summarise the model; ``print(m.summary())`` prints what R prints: ``summary(model)``."""
        return self._ask("linear_summary", LinearSummary)

    @strict
    def anova(self, test: str | None = None) -> LinearAnova:
        """Return the sequential (type I) analysis of variance, or of deviance for a glm.

        Parameters
        ----------
        test : {None, "Chisq", "LRT", "F", "Rao"}
            Of a glm; R's default is no test. An lm has its F tests.

        Notes
        -----
        Mirrors ``anova(model, test =)``.
        """
        how = choice(test, (None, "Chisq", "LRT", "F", "Rao"), "test")
        if how not in (None, "F") and self._described.family is None:
            raise NotSupportedError(f"a linear model is tested by F, not by {how!r}")
        if self._described.family is None:
            how = None
        return self._ask("linear_anova", LinearAnova, test=how)

    def vcov(self) -> pd.DataFrame:
        """Return the covariance matrix of the coefficients, shape (p, p): ``vcov(model)``."""
        return self._ask("linear_vcov", NamedMatrix).to_frame()

    @strict
    def confint(self, level: float = 0.95, method: str = "profile") -> ConfidenceIntervals:
        """Return confidence intervals of the coefficients.

        Parameters
        ----------
        level : float
        method : {"profile", "Wald"}
            "profile" is ``confint(model, level =)``: t intervals of an lm, profile likelihood of a
            glm (R package MASS). "Wald" is ``confint.default``, with the normal distribution.
        """
        how = choice(method, ("profile", "Wald"), "method")
        return self._ask(
            "linear_confint", ConfidenceIntervals, level=fraction(level, "level"), method=how
        )

    def model_matrix(self) -> pd.DataFrame:
        """Return the model matrix, one row per row used: ``model.matrix(model)``."""
        answer = self._ask("linear_model_matrix", NamedMatrix, keep=False)
        return answer.to_frame(self._used_index)

    # --- rows -----------------------------------------------------------------------------------

    def fitted(self) -> pd.Series:
        """Return the fitted values on the data's index (response scale): ``fitted(model)``."""
        return self._by_row(self._call("linear_fitted"), "fitted")

    @strict
    def residuals(self, type: str = "response") -> pd.Series:
        """Return residuals on the data's index, NaN where R dropped the row.

        Parameters
        ----------
        type : {"response", "pearson", "deviance", "working", "standardized", "studentized"}
            As in ``residuals(model, type)``; "standardized" is ``rstandard``, "studentized"
            ``rstudent``.
        """
        kind = choice(type, RESIDUALS, "type")
        return self._by_row(self._call("linear_residuals", type=kind), "residual")

    @strict
    def predict(
        self,
        newdata: Any = None,
        type: Literal["response", "link"] = "response",
        interval: Interval | None = None,
        level: float = 0.95,
    ) -> pd.Series | pd.DataFrame:
        """Predict for the data or for new rows.

        Parameters
        ----------
        newdata : DataFrame, optional
        type : {"response", "link"}
        interval : {None, "confidence", "prediction"}
            Of an lm: limits of the mean, or of a new observation.
        level : float

        Returns
        -------
        Series, or with `interval` DataFrame
            The latter has columns predicted, conf_low, conf_high.

        Raises
        ------
        DataError
            For a missing column (an offset given as a column's name is one), a column of another
            kind than in the fit, or a level that the model has not seen.
        NotSupportedError
            For an interval of a glm, which R's ``predict.glm`` does not give.

        Notes
        -----
        Mirrors ``predict(model, newdata, type =, interval =, level =)``.
        """
        kind = choice(type, ("response", "link"), "type")
        limits = choice(interval, (None, "confidence", "prediction"), "interval")
        if limits is not None and self._described.family is not None:
            raise NotSupportedError("R gives no intervals for predictions of a glm")
        args: dict[str, Any] = {
            "type": kind, "interval": limits or "none", "level": fraction(level, "level"),
        }  # fmt: skip
        index = self._used_index
        if newdata is not None:
            frame = as_pandas(newdata)
            args["newdata"] = prepare(
                needed_columns(frame, self._predictors(frame), self._described.offset),
                keys=vet(self.formula, trusted=True, columns=self._source.sent).keys,
            )
            index = frame.index
        found: Predicted = self._call("linear_predicted", Predicted, **args)
        columns = {"predicted": found.predicted}
        if found.conf_low is not None and found.conf_high is not None:
            columns |= {"conf_low": found.conf_low, "conf_high": found.conf_high}
        out = pd.DataFrame(columns, index=index)
        if newdata is None and self._used_rows is not None:
            rows = {k: self._by_row(v.to_numpy(), str(k)) for k, v in out.items()}
            out = pd.DataFrame(rows, index=self._source.index)
        return out if limits is not None else out["predicted"]

    def _predictors(self, frame: pd.DataFrame) -> list[str]:
        own = vet(self.formula, trusted=True, columns=self._source.sent)
        have = {str(c) for c in frame.columns}
        needed = [n for n in own.names if n not in own.response_names]
        known = set(self._source.sent) or have
        return [n for n in needed if n in known]

    # --- other fits from this one ---------------------------------------------------------------

    def update(self, formula: str | None = None, **changes: Any) -> Self:
        """Fit a changed model; dots in `formula` stand for the parts of the old one.

        Raises
        ------
        ArgumentError
            For an argument that the fitting function does not know.

        Warns
        -----
        AdviceWarning
            When nothing changes.

        Notes
        -----
        Mirrors ``update(model, formula., ...)``.
        """
        refuse_unknown("update", changes, self._updatable)
        text, new = self.formula, None
        if formula is not None:
            new = vet(formula, trusted=bool(changes.get("trusted", False)))
            text = call("updated_formula", self._handle, formula, into=str)
        say(about_update(self, new, text, changes))
        names = set(vet(text, trusted=True, columns=self._source.columns).names)
        loaded = self._source.data is None
        if loaded:
            old = set(vet(self.formula, trusted=True, columns=self._source.columns).names)
            check_file_has(names, old, self._source.sent)
        if not changes and (loaded or names <= set(self._source.sent)):
            handle = call("update_linear", self._handle, text, fitting=True)
            return type(self)(handle, self._source)
        if loaded:
            raise ArgumentError(
                "this model came from a file without its data frame: update() can change only the "
                "formula, with columns that the model has"
            )
        arguments = dict(self._source.arguments) | changes
        return self._fit_again(text, arguments.pop("data", self._source.data), arguments)

    def _fit_again(self, formula: str, data: Any, arguments: dict[str, Any]) -> Self:
        from pymlm.models.lm import lm  # which imports this module

        return lm(formula, data, **arguments)  # type: ignore[return-value]  # same class here

    @strict
    def to_r(self, path: str | Path | None = None) -> str:
        """Return (and with `path` write) the R script that repeats the analysis."""
        return write_script(self._handle, path)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.formula!r}, {self.nobs} rows>"

    def __str__(self) -> str:
        text: str = self._call("print_model", str)
        return text

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


class GeneralizedLinearModel(LinearModel):
    """A generalized linear model that R's ``glm`` fitted; see `pymlm.glm`.

    Coefficients are on the link scale, fitted values on the scale of the response.
    """

    _updatable: tuple[str, ...] = (*LinearModel._updatable, "family", "link", "start")

    @property
    def family(self) -> str:
        """R's name of the family."""
        return str(self._described.family)

    @property
    def link(self) -> str:
        """R's name of the link."""
        return str(self._described.link)

    @property
    def null_deviance(self) -> float:
        """Deviance of the model with only an intercept: ``model$null.deviance``."""
        value = self._described.null_deviance
        return float("nan") if value is None else value

    @property
    def dispersion(self) -> float:
        """Dispersion, 1 for binomial and poisson: ``summary(model)$dispersion``."""
        value = self._described.dispersion
        return float("nan") if value is None else value

    @strict
    def residuals(self, type: str = "deviance") -> pd.Series:
        """Return residuals on the data's index, NaN where R dropped the row.

        Parameters
        ----------
        type : {"deviance", "response", "pearson", "working", "standardized", "studentized"}
            R's default for a glm is "deviance": ``residuals(model, type)``.
        """
        return super().residuals(type)

    @property
    def converged(self) -> bool:
        """True where the iterations converged: ``model$converged``."""
        return self._described.converged

    def _fit_again(self, formula: str, data: Any, arguments: dict[str, Any]) -> Self:
        from pymlm.models.lm import glm  # which imports this module

        return glm(formula, data, **arguments)  # type: ignore[return-value]  # same class here
