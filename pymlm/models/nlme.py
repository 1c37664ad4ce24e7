"""Models that nlme fitted: lme and gls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Ddf, Engine, Level, NewLevels, NlmeResidualType, TestType
from pymlm.arguments import strict
from pymlm.engine import Frame, call
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.formula import vet
from pymlm.frames import as_pandas, prepare
from pymlm.models.averages import AverageMethods
from pymlm.models.model import Model
from pymlm.models.newdata import needed_columns
from pymlm.models.residual_structure import ResidualStructureMethods
from pymlm.results.anova import AnovaTable
from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import FixedEffects
from pymlm.results.printed import in_digits
from pymlm.results.ranef import GroupCoefficients, GroupModes

RESIDUALS = ("response", "pearson", "normalized")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NlmeSummary(Result):
    """Summary of an lme or gls fit; ``print`` shows R's.

    Attributes
    ----------
    fixed : FixedEffects
        t tests with nlme's degrees of freedom: inner and outer ones for lme (not SAS's
        between-within for the intercept), rows less coefficients for gls.
    correlation : ndarray, shape (p, p)
        Of the estimates of the fixed effects.
    scaled_residuals : ndarray, shape (5,)
        Minimum, quartiles and maximum of the Pearson residuals.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``summary(model)`` of nlme; Pinheiro & Bates 2000, doi:10.1007/b98882.
    """

    fixed: FixedEffects
    correlation: Floats
    scaled_residuals: Floats
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficient table as a fresh DataFrame."""
        return self.fixed.to_frame()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NlmeIntervals(Result):
    """Approximate confidence intervals of every parameter.

    Attributes
    ----------
    part : tuple of str, length k
        "fixed", "random" (standard deviations and correlations), "correlation" (of residuals),
        "variance ratio" (ratios of residual standard deviations) or "sigma".
    group, term : tuple of str, length k
        Grouping factor of a random-effects parameter ("" elsewhere), and R's name.
    estimate, conf_low, conf_high : ndarray, shape (k,)
    level : float
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``nlme::intervals(model, level)``.
    """

    _columns: ClassVar[tuple[str, ...]] = ("part", "group", "estimate", "conf_low", "conf_high")
    _index: ClassVar[str | None] = "term"

    part: tuple[str, ...]
    group: tuple[str, ...]
    term: tuple[str, ...]
    estimate: Floats
    conf_low: Floats
    conf_high: Floats
    level: float
    printed: Printed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Description:
    formula: str
    nobs: int
    dropped: Floats
    reml: bool
    ngroups: Mapping[str, int]
    sigma: float
    loglik: float
    npar: int
    aic: float
    bic: float
    is_lme: bool
    df_residual: int
    frame_names: tuple[str, ...]
    ddf: str | None


class NlmeModel(ResidualStructureMethods, Model, AverageMethods):
    """A model that ``nlme::lme`` or ``nlme::gls`` fitted; see `pymlm.lme` and `pymlm.gls`."""

    _residual_types = RESIDUALS
    _takes_formula = False
    _updatable = (
        "data", "random", "correlation", "group", "time", "variance_by", "reml", "control",
        "contrasts", "data_name", "trusted", "timeout",
    )  # fmt: skip

    @cached_property
    def _described(self) -> _Description:
        found: _Description = self._call("describe", _Description)
        return found

    def _description(self) -> _Description:
        return self._described

    @property
    def ngroups(self) -> dict[str, int]:
        """Levels of each grouping factor, outermost first; empty for gls."""
        return dict(self._described.ngroups)

    @property
    def reml(self) -> bool:
        """True for a REML fit."""
        return self._described.reml

    @property
    def aic(self) -> float:
        """Akaike's criterion: ``AIC(model)``."""
        return self._described.aic

    @property
    def bic(self) -> float:
        """Bayes criterion as nlme counts rows (REML: less the fixed effects): ``BIC(model)``."""
        return self._described.bic

    @property
    def df_residual(self) -> int:
        """Rows less fixed effects."""
        return self._described.df_residual

    @strict
    def summary(self, digits: int | None = None) -> NlmeSummary:
        """Summarise the model; ``print(m.summary())`` prints what R prints.

        Parameters
        ----------
        digits : int, optional
            The summary is printed as R prints it under ``options(digits = digits)``.
        """
        return in_digits(self._ask("summary", NlmeSummary), digits)

    @strict
    def anova(
        self,
        type: TestType | None = None,
        ddf: Ddf | None = "default",
        engine: Engine | None = None,
        digits: int | None = None,
    ) -> AnovaTable:
        """Test the terms of the fixed part.

        Parameters
        ----------
        type : {1, 2, 3, "I", "II", "III"}, optional
            Sequential (nlme's default) and marginal F tests; II has Wald chi-squared tests.
        ddf : str or None
            By default nlme's: "containment" of an lme, "residual" of a gls. "asymptotic" has Wald
            chi-squared tests for types 2 and 3.
        engine : None
            There is nothing to choose.
        digits : int, optional
            The table is printed as R prints it under ``options(digits = digits)``.

        Returns
        -------
        AnovaTable
            With nlme's row of the intercept.

        Notes
        -----
        Mirrors ``anova(model, type = "sequential")``, ``"marginal"`` and ``car::Anova(model, type =
        2)``.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lme("distance ~ age + (1 | Subject)", mlm.load_dataset("nlme::Orthodont"))
        >>> m.anova().to_frame()["den_df"].to_list()
        [80.0, 80.0]
        """
        if engine is not None:
            raise NotSupportedError("a model of nlme has no engines to choose from")
        found = self._ask("anova", AnovaTable, type=type or "I", ddf=self._ddf(ddf))
        return in_digits(found, digits)

    @strict
    def ranef(self) -> dict[str, pd.DataFrame]:
        """Return the random effects, grouping factor -> levels by coefficients: ``ranef(model)``.

        Raises
        ------
        NotSupportedError
            For a gls model.
        """
        found: tuple[GroupModes, ...] = self._call("modes_by_group", tuple[GroupModes, ...])
        return {g.grpvar: g.to_frame() for g in found}

    @strict
    def coef(self) -> dict[str, pd.DataFrame]:
        """Return the coefficients of every innermost group: ``coef(model)``.

        Raises
        ------
        NotSupportedError
            For a gls model, which has one set of coefficients: `fixef`.
        """
        if not self._described.is_lme:
            raise NotSupportedError("a gls model has no coefficients by group; see fixef()")
        g: GroupCoefficients = self._call("coef_by_group", GroupCoefficients)
        index = pd.Index(list(g.level), dtype=object)
        return {g.grpvar: pd.DataFrame(np.array(g.values), index=index, columns=list(g.term))}

    @strict
    def confint(self, level: Level = 0.95) -> NlmeIntervals:
        """Return approximate intervals of every parameter: ``intervals(model, level)``.

        Parameters
        ----------
        level : float
            Of confidence, between 0 and 1.

        Raises
        ------
        NotSupportedError
            Where nlme cannot: the fit is at a boundary, or the Hessian is not positive definite.
        """
        return self._ask("confint", NlmeIntervals, level=level)

    @strict
    def fitted(self, level: int | None = None) -> pd.Series:
        """Return the fitted values on the data's index.

        Parameters
        ----------
        level : int, optional
            0 for the fixed part alone, 1 with the outermost factor's effects ...; default all.

        Raises
        ------
        ArgumentError
            For a level that the model has not.
        """
        values = self._call("nlme_rows", what="fitted", level=self._checked(level))
        return self._by_row(values, "fitted")

    def _checked(self, level: int | None) -> int | None:
        deepest = len(self.ngroups)
        whole = isinstance(level, (int, np.integer)) and not isinstance(level, bool)
        if level is None or (whole and 0 <= level <= deepest):
            return level
        raise ArgumentError(f"level is a whole number from 0 to {deepest}, not {level!r}")

    @strict
    def residuals(self, type: NlmeResidualType = "response") -> pd.Series:
        """Return residuals on the data's index, NaN where R dropped the row.

        Parameters
        ----------
        type : {"response", "pearson", "normalized"}
            "normalized" takes correlation and variances out, too.
        """
        return self._by_row(self._call("nlme_rows", what="residuals", type=type), "residual")

    @strict
    def predict(
        self,
        newdata: Data | None = None,
        level: int | None = None,
        *,
        allow_new_levels: NewLevels = False,
    ) -> pd.Series:
        """Predict for the data or for new rows.

        Parameters
        ----------
        newdata : DataFrame, optional
        level : int, optional
            As in `fitted`; 0 needs no groups.
        allow_new_levels : bool or "nan"
            Predict groups that the model has not seen at the mean of all (an inner group at that
            of the outer one), or answer them with NaN, as nlme does. Rows without a group are NaN
            unless True.

        Raises
        ------
        ArgumentError
            For a level that the model has not.
        DataError
            For new rows without a column that the model uses, or of a group that it has not seen.

        Notes
        -----
        Mirrors ``predict(model, newdata, level)`` of nlme; residual correlation is not used.
        """
        if newdata is None:
            return self.fitted(level).rename("predicted")
        self._checked(level)
        frame = as_pandas(newdata)
        rows = self._new_rows(frame, "NA" if level == 0 else None)
        values = self._call(
            "nlme_predict", newdata=rows, level=level, allow_new_levels=allow_new_levels
        )
        return pd.Series(np.asarray(values), index=frame.index, name="predicted")

    def _new_rows(self, frame: pd.DataFrame, re_form: str | None) -> Frame:
        own = vet(self.formula, trusted=True, columns=self._source.sent)
        names = [n for n in own.names if n not in own.response_names]
        if self._described.is_lme and re_form is None:
            random = self._source.group_names or list(self.ngroups)
            names += [n for n in random if n not in names]
        return prepare(needed_columns(frame, names), keys=self._source.crossed_as_keys or own.keys)

    def _vetted_re_form(self, re_form: str | None) -> str | None:
        given = re_form.strip() if isinstance(re_form, str) else re_form
        if given is None:
            return None
        if isinstance(given, str) and given in ("NA", "~0", "~ 0"):
            return "NA"
        raise NotSupportedError(
            f"nlme's models take re_form=None (all random effects) or 'NA' (none), not {re_form!r}"
        )

    @strict
    def compare(self, *others: NlmeModel) -> pd.DataFrame:
        """Compare nested models by likelihood ratio, in the order given.

        Parameters
        ----------
        *others : NlmeModel

        Returns
        -------
        DataFrame
            One row a model: npar, aic, bic, loglik, and chisq, df, p_value against the row before
            (naive χ²; halve it for a variance at its boundary).

        Raises
        ------
        ArgumentError
            Without another model, or for one that is not of `pymlm.lme` or `pymlm.gls`.
        ComparisonError
            Different rows, REML beside ML, or REML with different fixed effects.

        Notes
        -----
        As ``anova(m0, m1)`` of nlme, which only warns.

        Examples
        --------
        >>> import pymlm as mlm
        >>> data = mlm.load_dataset("nlme::Orthodont")
        >>> m0 = mlm.lme("distance ~ age + (1 | Subject)", data, reml=False)
        >>> m1 = mlm.lme("distance ~ age + Sex + (1 | Subject)", data, reml=False)
        >>> m0.compare(m1)["p_value"].round(4).to_list()
        [nan, 0.0035]
        """
        if not others or not all(isinstance(m, NlmeModel) for m in others):
            raise ArgumentError("compare() takes one or more other models of lme or gls")
        found = call("nlme_compare", *(m._handle for m in (self, *others)))
        return pd.DataFrame({k: np.asarray(found[k], dtype=float) for k in found})

    def __repr__(self) -> str:
        kind = "lme" if self._described.is_lme else "gls"
        return f"<NlmeModel {kind} {self.formula!r}, {self.nobs} rows>"
