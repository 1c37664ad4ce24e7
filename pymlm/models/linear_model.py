"""Linear and generalized linear models without random effects, for comparison with mixed ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, overload

import pandas as pd

from pymlm.argument_types import (
    Ddf,
    DevianceTest,
    Engine,
    Interval,
    Level,
    LinearConfintMethod,
    LinearResidualType,
    ResponseOrLink,
    TestType,
)
from pymlm.arguments import strict
from pymlm.engine import Frame
from pymlm.errors import NotSupportedError
from pymlm.frames import as_pandas, prepare
from pymlm.models.averages import AverageMethods
from pymlm.models.model import Model
from pymlm.models.newdata import needed_columns, offset_column
from pymlm.models.tables import LinearGlance
from pymlm.results.base import Floats
from pymlm.results.fixed import ConfidenceIntervals, NamedValues
from pymlm.results.linear import LinearAnova, LinearSummary, Predicted
from pymlm.results.printed import in_digits

RESIDUALS = ("response", "pearson", "deviance", "working", "standardized", "studentized")


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
    two_columns: bool
    frame_names: tuple[str, ...]
    ddf: str | None


class LinearModel(Model, AverageMethods):
    """A linear model that R's ``lm`` fitted; see `pymlm.lm`."""

    _updatable: ClassVar[tuple[str, ...]] = (
        "data", "weights", "offset", "contrasts", "data_name", "trusted", "timeout",
    )  # fmt: skip

    _residual_types = RESIDUALS
    _glance = LinearGlance

    @cached_property
    def _described(self) -> _LinearDescription:
        found: _LinearDescription = self._call("describe", _LinearDescription)
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
        type: TestType = "I",
        ddf: Ddf | None = "default",
        engine: Engine | None = None,
        digits: int | None = None,
        test: DevianceTest | None = None,
    ) -> LinearAnova:
        """Return the analysis of variance, or of deviance for a glm.

        Parameters
        ----------
        type : {1, 2, 3, "I", "II", "III"}
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
        found = self._ask("anova", LinearAnova, type=type, test=test, ddf=ddf)
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

    @overload
    def predict(
        self, newdata: Any = None, type: ResponseOrLink = "response", interval: None = None,
        level: Level = 0.95, se: Literal[False] = False,
    ) -> pd.Series: ...  # fmt: skip

    @overload
    def predict(
        self, newdata: Any = None, type: ResponseOrLink = "response", *, interval: Interval,
        level: Level = 0.95, se: bool = False,
    ) -> pd.DataFrame: ...  # fmt: skip

    @overload
    def predict(
        self, newdata: Any = None, type: ResponseOrLink = "response",
        interval: Interval | None = None, level: Level = 0.95, *, se: Literal[True],
    ) -> pd.DataFrame: ...  # fmt: skip

    @strict
    def predict(
        self,
        newdata: Any = None,
        type: ResponseOrLink = "response",
        interval: Interval | None = None,
        level: Level = 0.95,
        se: bool = False,
    ) -> pd.Series | pd.DataFrame:
        """Predict for the data or for new rows.

        Parameters
        ----------
        newdata : DataFrame, optional
        type : {"response", "link"}
        interval : {None, "confidence", "prediction"}
            Of an lm: limits of the mean, or of a new observation.
        level : float
        se : bool
            Add the standard error of the mean, on the scale of `type`: ``se.fit``.

        Returns
        -------
        Series, or with `interval` or `se` DataFrame
            The latter has columns predicted, std_error (with `se`), conf_low, conf_high.

        Raises
        ------
        DataError
            For a missing column (an offset given as a column's name is one), a column of another
            kind than in the fit, or a level that the model has not seen.
        NotSupportedError
            For an interval of a glm, which R's ``predict.glm`` does not give.

        Notes
        -----
        Mirrors ``predict(model, newdata, type =, se.fit =, interval =, level =)``.
        """
        if interval is not None and self._described.family is not None:
            raise NotSupportedError("R gives no intervals for predictions of a glm")
        args: dict[str, Any] = {
            "type": type, "interval": interval or "none", "level": level, "se": se,
        }  # fmt: skip
        index = self._used_index
        if newdata is not None:
            frame = as_pandas(newdata)
            args["newdata"] = self._new_rows(frame)
            index = frame.index
        found: Predicted = self._call("linear_predicted", Predicted, **args)
        columns = {"predicted": found.predicted}
        if found.std_error is not None:
            columns["std_error"] = found.std_error
        if found.conf_low is not None and found.conf_high is not None:
            columns |= {"conf_low": found.conf_low, "conf_high": found.conf_high}
        out = pd.DataFrame(columns, index=index)
        if newdata is None and self._used_rows is not None:
            rows = {k: self._by_row(v.to_numpy(), str(k)) for k, v in out.items()}
            out = pd.DataFrame(rows, index=self._source.index)
        return out if interval is not None or se else out["predicted"]

    def _new_rows(self, frame: pd.DataFrame, re_form: str | None = None) -> Frame:
        own = self._own_formula
        known = set(self._source.sent) or {str(c) for c in frame.columns}
        needed = [n for n in own.names if n not in own.response_names and n in known]
        offset = offset_column(self._described.offset, self._source)
        return prepare(needed_columns(frame, needed, offset), keys=own.keys)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.formula!r}, {self.nobs} rows>"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


class GeneralizedLinearModel(LinearModel):
    """A generalized linear model that R's ``glm`` fitted; see `pymlm.glm`.

    Coefficients are on the link scale, fitted values on the scale of the response.
    """

    _updatable: ClassVar[tuple[str, ...]] = (*LinearModel._updatable, "family", "link", "start")

    @property
    def _response_family(self) -> str | None:
        return self._described.family

    @property
    def _two_column_response(self) -> bool:
        return self._described.two_columns

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
    def residuals(self, type: LinearResidualType = "deviance") -> pd.Series:
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
