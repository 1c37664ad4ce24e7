"""Fit linear and generalized linear models without random effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymlm.argument_types import Timeout
from pymlm.arguments import strict
from pymlm.errors import FormulaError
from pymlm.formula import Formula
from pymlm.models.families import Family, as_family, check_family_response
from pymlm.models.fitting import Task, as_start, check_response, fit, make_task
from pymlm.models.linear_model import GeneralizedLinearModel, LinearModel

__all__ = ["GeneralizedLinearModel", "LinearModel", "glm", "lm"]


def _linear_task(
    formula: str, data: Any, arguments: dict[str, Any], timeout: float | None, mixed: str
) -> Task:
    task = make_task(formula, data, arguments, timeout)
    _check_no_bars(task.formula, mixed)
    return task


def _check_no_bars(formula: Formula, mixed: str) -> None:
    if not formula.two_sided:
        raise FormulaError("the formula has no response; write e.g. 'y ~ x'")
    if formula.n_bars:
        raise FormulaError(f"the formula has random effects: use {mixed}")


@strict
def lm(
    formula: str,
    data: Any,
    weights: Any = None,
    offset: Any = None,
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
    task = _linear_task(formula, data, arguments, timeout, "pymlm.lmer")
    check_response(task.formula, task.data)
    return LinearModel(fit("fit_lm", task), task.fitted_by(lm))


@strict
def glm(
    formula: str,
    data: Any,
    family: str | Family = "binomial",
    link: str | None = None,
    weights: Any = None,
    offset: Any = None,
    contrasts: Mapping[str, Any] | None = None,
    start: Sequence[float] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
    mustart: Any = None,
    etastart: Any = None,
) -> GeneralizedLinearModel:
    """Fit a generalized linear model, with R's ``glm``.

    Parameters
    ----------
    formula : str
        e.g. ``"cbind(incidence, size - incidence) ~ period"``; responses as in `pymlm.glmer`.
    data, weights, offset, contrasts, data_name, trusted, timeout
        As in `pymlm.lmer`.
    family, link : str
        As in `pymlm.glmer`; also "gaussian", "quasibinomial" and "quasipoisson".
    start : sequence of float, optional
        Starting values of the coefficients.
    mustart, etastart : str or array-like, optional
        Of the rows, as in `pymlm.glmer`.

    Returns
    -------
    GeneralizedLinearModel

    Raises
    ------
    ArgumentError
        For an unknown family or link.
    DataError
        For a response outside the family's range.
    FormulaError, FitError, FitTimeout
        As in `pymlm.lm`.

    Warns
    -----
    RWarning
        R's own, e.g. fitted probabilities of 0 or 1.

    Notes
    -----
    Mirrors ``glm(formula, family, data, weights, offset, contrasts, start,
    mustart, etastart)``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("cbpp")
    >>> m = mlm.glm("cbind(incidence, size - incidence) ~ period", data)
    >>> m.fixef().round(3).to_dict()
    {'(Intercept)': -1.269, 'period2': -1.171, 'period3': -1.301, 'period4': -1.782}
    """
    chosen = as_family(family, link)
    arguments = {
        "family": chosen, "weights": weights, "offset": offset, "contrasts": contrasts,
        "start": start, "data_name": data_name, "trusted": trusted, "mustart": mustart,
        "etastart": etastart,
    }  # fmt: skip
    task = _linear_task(formula, data, arguments, timeout, "pymlm.glmer")
    check_family_response(chosen, task.formula, task.data)
    handle = fit(
        "fit_glm",
        task,
        family=chosen.name,
        link=chosen.link,
        theta=chosen.theta,
        start=as_start(start, ()),
    )
    return GeneralizedLinearModel(handle, task.fitted_by(glm))
