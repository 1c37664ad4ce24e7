"""One linear model a group: no pooling, beside which mixed models are put."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Level, PerRow, Timeout
from pymlm.arguments import strict
from pymlm.display import readable
from pymlm.errors import ArgumentError, FormulaError
from pymlm.escape import few_rows, html_frame
from pymlm.formula import vet
from pymlm.frames import as_pandas, prepare
from pymlm.models.base import Fitted
from pymlm.models.families import Family, as_family, check_family_response
from pymlm.models.fitting import check_response, fit, make_task
from pymlm.models.newdata import needed_columns, offset_column
from pymlm.results.base import Floats, Printed, Result
from pymlm.results.printed import in_digits
from pymlm.results.ranef import GroupCoefficients


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupEstimates(Result):
    """Estimates of one model a group; one row a group and term.

    Attributes
    ----------
    level, term : tuple of str, length k
    estimate, std_error, statistic, p_value : ndarray, shape (k,)
        NaN where a coefficient is not defined in its group.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``summary(lmList)`` of lme4: with the pooled standard deviation where the list has one.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "level", "term", "estimate", "std_error", "statistic", "p_value",
    )  # fmt: skip

    level: tuple[str, ...]
    term: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    statistic: Floats
    p_value: Floats
    printed: Printed | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupIntervals(Result):
    """Confidence intervals of one model a group; one row a group and term.

    Attributes
    ----------
    level, term : tuple of str, length k
    conf_low, conf_high : ndarray, shape (k,)

    Notes
    -----
    Mirrors ``confint(lmList)`` of lme4.
    """

    _columns: ClassVar[tuple[str, ...]] = ("level", "term", "conf_low", "conf_high")

    level: tuple[str, ...]
    term: tuple[str, ...]
    conf_low: Floats
    conf_high: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListDescription:
    formula: str
    group: tuple[str, ...]
    failed: Floats
    nobs: Floats
    df_residual: Floats
    sigma: Floats
    pooled: bool
    pooled_sigma: float
    loglik: float
    offset: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    position: Floats
    value: Floats


class LmList(Fitted):
    """Separate linear models by group, from lme4's ``lmList``; see `pymlm.lm_list`."""

    @cached_property
    def _described(self) -> _ListDescription:
        found: _ListDescription = self._call("describe_lm_list", _ListDescription)
        return found

    @property
    def formula(self) -> str:
        """The formula with its group, as it was given."""
        return self._described.formula

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in R's order."""
        return self._described.group

    @property
    def failed(self) -> tuple[str, ...]:
        """Groups in which the model could not be fitted; R's warning says why."""
        d = self._described
        return tuple(g for g, bad in zip(d.group, d.failed, strict=True) if bad)

    @property
    def nobs(self) -> int:
        """Number of rows used, over all groups."""
        return int(np.nansum(self._described.nobs))

    @property
    def df_residual(self) -> int:
        """Residual degrees of freedom, over all groups: those of `sigma`."""
        return int(np.nansum(self._described.df_residual))

    @property
    def sigma(self) -> float:
        """Pooled residual standard deviation: ``sigma(model)``; NaN where nothing is pooled."""
        return self._described.pooled_sigma

    @property
    def loglik(self) -> float:
        """Log-likelihood of all models together: ``logLik(model)``; NaN where R has none."""
        return self._described.loglik

    @strict
    def group_sizes(self) -> pd.DataFrame:
        """Return nobs, df_residual and sigma of each group's own model.

        Examples
        --------
        >>> import pymlm as mlm
        >>> fits = mlm.lm_list("Reaction ~ Days | Subject", mlm.load_dataset("sleepstudy"))
        >>> fits.group_sizes().loc["308"].round(1).to_list()
        [10.0, 8.0, 47.8]
        """
        d = self._described
        return pd.DataFrame(
            {"nobs": d.nobs, "df_residual": d.df_residual, "sigma": d.sigma},
            index=pd.Index(list(d.group), dtype=object),
        )

    @strict
    def coef(self) -> pd.DataFrame:
        """Return the coefficients, one row a group, NaN where not defined: ``coef(model)``."""
        found = self._ask("lm_list_coef", GroupCoefficients)
        return pd.DataFrame(
            np.array(found.values),
            index=pd.Index(list(found.level), dtype=object, name=found.grpvar),
            columns=list(found.term),
        )

    @strict
    def fixef(self) -> pd.Series:
        """Return the mean of the groups' coefficients: ``fixef(model)`` of lme4."""
        return self.coef().mean().rename("estimate")

    @strict
    def ranef(self) -> pd.DataFrame:
        """Return the groups' deviations from `fixef`: ``ranef(model)``."""
        return self.coef() - self.fixef()

    @strict
    def glance(self) -> pd.DataFrame:
        """Return one line a group: R², F test, log-likelihood, AIC ... of its own model.

        Returns
        -------
        DataFrame
            broom's columns: nobs, sigma, loglik, aic, bic, deviance, df_residual, then r_squared,
            adj_r_squared, statistic, p_value, df (of linear models) or null_deviance, df_null. NaN
            where the group's model failed.

        Notes
        -----
        ``broom::glance(m)`` of every model in the list.
        """
        found = self._call("lm_list_glance")
        index = pd.Index(list(self.groups), dtype=object)
        return pd.DataFrame({k: np.asarray(v, dtype=float) for k, v in found.items()}, index=index)

    @strict
    def second_level(self, level: Level = 0.95) -> pd.DataFrame:
        """Test each mean of the groups' coefficients against 0: the two-step, or summary, analysis.

        Parameters
        ----------
        level : float
            Of the confidence intervals.

        Returns
        -------
        DataFrame
            One row a term: n (groups where it is defined), estimate, std_error, df, statistic,
            p_value, conf_low, conf_high. Every group counts alike, however sure its estimate.

        Raises
        ------
        NotSupportedError
            Where a term is defined in fewer than two groups, or the same in all.

        Notes
        -----
        ``t.test(coef(model)[[term]])`` of R.

        Examples
        --------
        >>> import pymlm as mlm
        >>> fits = mlm.lm_list("Reaction ~ Days | Subject", mlm.load_dataset("sleepstudy"))
        >>> fits.second_level().loc["Days", ["n", "estimate", "std_error"]].round(3).to_list()
        [18.0, 10.467, 1.546]
        """
        found = self._call("lm_list_second_level", level=level)
        term = pd.Index(list(found.pop("term")), dtype=object)
        return pd.DataFrame({k: np.asarray(v, dtype=float) for k, v in found.items()}, index=term)

    @strict
    def summary(self, digits: int | None = None) -> GroupEstimates:
        """Return estimates, standard errors and tests by group and term: ``summary(model)``.

        Parameters
        ----------
        digits : int, optional
            The summary is printed as R prints it under ``options(digits = digits)``.
        """
        return in_digits(self._ask("lm_list_summary", GroupEstimates), digits)

    @strict
    def confint(self, level: Level = 0.95, pool: bool | None = None) -> GroupIntervals:
        """Return confidence intervals by group and term: ``confint(model, level, pool)``.

        Parameters
        ----------
        level : float
        pool : bool, optional
            Use the pooled standard deviation, as `summary` does by default. lme4's default here is
            each group's own, however the models were fitted.
        """
        return self._ask(
            "lm_list_confint",
            GroupIntervals,
            level=level,
            pool=pool,
        )

    @strict
    def fitted(self) -> pd.Series:
        """Return the fitted values on the data's index, NaN where a row was not used."""
        return self._per_row("fitted")

    @strict
    def residuals(self, type: Literal["response"] = "response") -> pd.Series:
        """Return the response residuals on the data's index, NaN where a row was not used."""
        return self._per_row("residual")

    def _per_row(self, what: str) -> pd.Series:
        found: _Rows = self._call("lm_list_by_row", _Rows, what=what)
        out = np.full(len(self._source.index), np.nan)
        out[np.asarray(found.position, dtype=np.int64) - 1] = found.value
        return pd.Series(out, index=self._source.index, name=what)

    @strict
    def predict(self, newdata: Data | None = None) -> pd.Series:
        """Predict from each row's own group's model (response scale).

        Parameters
        ----------
        newdata : DataFrame, optional
            It needs the predictors and the group.

        Raises
        ------
        DataError
            For a missing column, or a group that the model has not seen.
        """
        if newdata is None:
            return self.fitted().rename("predicted")
        frame = as_pandas(newdata)
        own = vet(self.formula, trusted=True, columns=self._source.sent)
        needed = [n for n in own.names if n not in own.response_names]
        offset = offset_column(self._described.offset, self._source)
        sent = prepare(needed_columns(frame, needed, offset), keys=own.keys)
        values = self._call("lm_list_predicted", newdata=sent)
        return pd.Series(values, index=frame.index, name="predicted")

    @strict
    def to_frame(self) -> pd.DataFrame:
        """Return the coefficients, one row a group.

        Examples
        --------
        >>> import pymlm as mlm
        >>> fits = mlm.lm_list("Reaction ~ Days | Subject", mlm.load_dataset("sleepstudy"))
        >>> fits.to_frame().loc["308"].round(2).to_dict()
        {'(Intercept)': 244.19, 'Days': 21.76}
        """
        return self.coef()

    def __repr__(self) -> str:
        return f"<LmList {self.formula!r}, {len(self.groups)} groups, {self.nobs} rows>"

    def _repr_html_(self) -> str:
        return html_frame(readable(few_rows(self.coef())))


@strict
def lm_list(
    formula: str,
    data: Data,
    family: str | Family | None = None,
    link: str | None = None,
    pool: bool | None = None,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
) -> LmList:
    """Fit one linear model (or, with a family, one generalized linear model) to each group.

    Parameters
    ----------
    formula : str
        ``"y ~ x | g"``: the model, a bar, the grouping factor.
    data, weights, offset, data_name, trusted, timeout
        As in `pymlm.lmer`.
    family, link : str, optional
        As in `pymlm.glmer`.
    pool : bool, optional
        Pool the residual standard deviation over the groups; R's default is to do so where the
        family has one.

    Returns
    -------
    LmList

    Raises
    ------
    FormulaError
        When the formula has no group.

    Warns
    -----
    RWarning
        Where the model cannot be fitted in some group.

    Notes
    -----
    Mirrors ``lme4::lmList(formula, data, family, weights, offset, pool)``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> models = mlm.lm_list("Reaction ~ Days | Subject", mlm.load_dataset("sleepstudy"))
    >>> models.coef().loc["308"].round(3).to_dict()
    {'(Intercept)': 244.193, 'Days': 21.765}
    """
    if family is None and link is not None:
        raise ArgumentError("link goes with a family")
    chosen = None if family is None else as_family(family, link)
    arguments = {
        "weights": weights, "offset": offset, "data_name": data_name, "trusted": trusted,
    }  # fmt: skip
    task = make_task(formula, data, arguments, timeout)
    if not task.formula.two_sided or task.formula.n_bars != 1:
        raise FormulaError("write the formula with one bar before the group, e.g. 'y ~ x | g'")
    if chosen is None:
        check_response(task.formula, task.data)
    else:
        check_family_response(chosen, task.formula, task.data)
    handle = fit(
        "fit_lm_list",
        task,
        family=None if chosen is None else chosen.name,
        link=None if chosen is None else chosen.link,
        theta=None if chosen is None else chosen.theta,
        pool=pool,
    )
    return LmList(handle, task.source)
