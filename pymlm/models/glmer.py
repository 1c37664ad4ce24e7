"""Generalized linear mixed models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from pymlm.arguments import check_ddf, choice, flag, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from pymlm.frames import per_row, used_columns
from pymlm.models.base import cached
from pymlm.models.control import GlmerControl, as_control
from pymlm.models.families import (
    Family,
    as_family,
    check_family_response,
    check_two_levels,
    glmer_family,
)
from pymlm.models.fitting import Task, as_start, check_mixed, fit, make_task, warn_about
from pymlm.models.update import UpdatableModel
from pymlm.results.fixed import NamedMatrix
from pymlm.results.glmm import GlmmSummary

START_PARTS = ("theta", "fixef")


@dataclass(frozen=True, slots=True, kw_only=True)
class _GlmmDescription:
    family: str
    link: str
    n_agq: int
    has_scale: bool
    theta: float | None
    conditional_deviance: float
    two_columns: bool
    hessian: bool


class GeneralizedLinearMixedModel(UpdatableModel):
    """A generalized linear mixed model that ``lme4::glmer`` fitted; see `pymlm.glmer`.

    Fixed effects, random effects and variances are on the scale of the linear predictor (the
    link: log-odds, logarithms ...); fitted values and "response" residuals are on the scale of the
    response (probabilities for a binomial family); `predict` takes ``type="response"`` (default) or
    ``"link"``.
    """

    _updatable: ClassVar[tuple[str, ...]] = (
        "data", "family", "link", "n_agq", "weights", "offset", "contrasts", "control", "start",
        "data_name", "trusted", "timeout",
    )  # fmt: skip
    _in_place: ClassVar[dict[str, str]] = {"n_agq": "nAGQ"}

    @cached
    def _glmm(self) -> _GlmmDescription:
        found: _GlmmDescription = self._call("describe_glmm", _GlmmDescription)
        return found

    @property
    def family(self) -> str:
        """R's name of the family: ``family(model)$family``."""
        return self._glmm.family

    @property
    def link(self) -> str:
        """R's name of the link: ``family(model)$link``."""
        return self._glmm.link

    @property
    def n_agq(self) -> int:
        """Points of adaptive Gauss-Hermite quadrature; 1 is the Laplace approximation."""
        return self._glmm.n_agq

    @property
    def nb_theta(self) -> float | None:
        """Dispersion of a negative binomial model, variance μ + μ²/θ; None for other families.

        ``getME(model, "glmer.nb.theta")``.
        """
        return self._glmm.theta

    @property
    def deviance(self) -> float:
        """−2 log-likelihood, what R's summary prints as deviance.

        R's ``deviance(model)`` of a GLMM is another number: see `conditional_deviance`.
        """
        return self._criteria.deviance

    @property
    def conditional_deviance(self) -> float:
        """Sum of the squared deviance residuals, given the random effects: ``deviance(model)``."""
        return self._glmm.conditional_deviance

    @strict
    def summary(self, ddf: str | None = None, use_hessian: bool | None = None) -> GlmmSummary:
        """Summarise the model; ``print(m.summary())`` prints what R prints.

        Parameters
        ----------
        ddf : None or "asymptotic"
            The tests are asymptotic (z). Degrees of freedom are not defined for a GLMM.
        use_hessian : bool, optional
            Take standard errors from the Hessian of the log-likelihood (R's default where there is
            one), or, False, from the penalized least squares at the estimate, as old versions of
            lme4 did.

        Raises
        ------
        NotSupportedError
            For Satterthwaite and the like; or when there is no Hessian to use.

        Notes
        -----
        Mirrors ``summary(model, use.hessian =)`` of lme4. Estimates are on the link scale.
        """
        need_asymptotic(ddf)
        return self._ask("glmm_summary", GlmmSummary, use_hessian=_hessian(use_hessian))

    @strict
    def vcov(self, ddf: str | None = None, use_hessian: bool | None = None) -> pd.DataFrame:
        """Return the covariance matrix of the fixed effects (link scale), shape (p, p).

        Parameters
        ----------
        ddf : None or "asymptotic"
        use_hessian : bool, optional
            True: inverse of the Hessian of the log-likelihood in all parameters. False: from the
            penalized least squares at the estimate (RX), the variances taken as known. None: R's
            choice, the Hessian where there is one (n_agq of 1 or more, calc_derivs not False).

        Raises
        ------
        NotSupportedError
            For Kenward-Roger; or when there is no Hessian to use.

        Warns
        -----
        RWarning
            R's own, where the two matrices differ, or the Hessian is not positive definite.

        Notes
        -----
        Mirrors ``vcov(model, use.hessian =)`` of lme4.
        """
        need_asymptotic(ddf)
        return self._ask("glmm_vcov", NamedMatrix, use_hessian=_hessian(use_hessian)).to_frame()

    def _plain_summary(self) -> GlmmSummary:
        return self._ask("glmm_summary", GlmmSummary, use_hessian=None)

    def _fit_again(self, formula: str, data: Any, arguments: dict[str, Any]) -> Self:
        return glmer(formula, data, **arguments)  # type: ignore[return-value]  # same class here

    def _r_value(self, name: str, value: Any) -> Any:
        points = points_of_quadrature(value)
        return None if points == 1 else points

    @strict
    def refit(self, y: Any) -> Self:
        """Fit the same model to another response; no data cross but the response.

        Parameters
        ----------
        y : str or array-like
            A column of the data, or one value per row of the data (or per row used): numbers,
            or for a binomial model booleans or two categories. For a model of
            ``cbind(successes, failures)`` two columns (an array, a frame, or two names).

        Raises
        ------
        DataError
            For a wrong length, or missing or infinite values.

        Notes
        -----
        Mirrors ``refit(model, newresp)`` of lme4.
        """
        values = self._two_columns(y) if self._glmm.two_columns else self._one_column(y)
        return self._like(call("refit_glmm", self._handle, values, fitting=True))

    def _one_column(self, y: Any) -> Any:
        if isinstance(y, str) and self._source.data is not None:
            y = used_columns(self._source.data, [y], "response").iloc[:, 0]
        series = pd.Series(y)
        if self.family == "binomial" and not pd.api.types.is_numeric_dtype(series.dtype):
            check_two_levels("y", series)
            levels = (
                list(series.cat.categories)
                if isinstance(series.dtype, pd.CategoricalDtype)
                else sorted(series.dropna().unique())
            )
            series = series.map({level: float(i) for i, level in enumerate(levels)}).astype(float)
        return self._new_response(series)

    def _two_columns(self, y: Any) -> Any:
        if isinstance(y, (list, tuple)) and all(isinstance(x, str) for x in y):
            if self._source.data is None:
                raise DataError("this model came from a file, without its data: give refit numbers")
            y = used_columns(self._source.data, list(y), "response")
        matrix = np.asarray(y, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != 2:
            raise DataError(
                "this model's response is cbind(successes, failures): give refit two columns, "
                f"not an array of shape {matrix.shape}"
            )
        return np.column_stack([self._new_response(matrix[:, j]) for j in range(2)])


def need_asymptotic(ddf: str | None) -> None:
    """Raise NotSupportedError for a method of degrees of freedom."""
    if check_ddf(ddf) not in (None, "asymptotic"):
        raise NotSupportedError(
            f"{check_ddf(ddf)} degrees of freedom are defined for linear mixed models; the tests "
            "of a generalized or nonlinear one are asymptotic (ddf=None or 'asymptotic')"
        )


def _hessian(value: bool | None) -> bool | None:
    return None if value is None else flag(value, "use_hessian")


def points_of_quadrature(value: Any) -> int:
    """Return n_agq as an int; ArgumentError for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= 100:
        raise ArgumentError(
            f"n_agq is a whole number from 0 to 100 (1 is the Laplace approximation), not {value!r}"
        )
    return int(value)


def _checked_task(
    formula: str, data: Any, family: Family, arguments: dict[str, Any], timeout: float | None
) -> Task:
    """Vet the formula, prepare the data, and check the response against the family."""
    task = make_task(
        formula,
        data,
        weights=arguments["weights"],
        offset=arguments["offset"],
        contrasts=arguments["contrasts"],
        data_name=arguments["data_name"],
        trusted=flag(arguments["trusted"], "trusted"),
        timeout=timeout,
        arguments=arguments,
    )
    check_mixed(task.formula, "pymlm.glm")
    frame = task.source.data
    assert frame is not None
    weights = arguments["weights"]
    check_family_response(
        family, task.formula, frame, None if weights is None else per_row(weights, "weights", frame)
    )
    return task


@strict
def glmer(
    formula: str,
    data: Any,
    family: str | Family = "binomial",
    link: str | None = None,
    n_agq: int = 1,
    weights: Any = None,
    offset: Any = None,
    contrasts: Mapping[str, Any] | None = None,
    control: GlmerControl | Mapping[str, Any] | None = None,
    start: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: float | None = None,
) -> GeneralizedLinearMixedModel:
    """Fit a generalized linear mixed model by maximum likelihood, with ``lme4::glmer``.

    Parameters
    ----------
    formula : str
        An lme4 formula. The response of a binomial model may be 0 and 1, booleans, two categories
        (the first level is failure, the second success), proportions with `weights` the numbers
        of trials, or ``cbind(successes, failures)``.
    data : DataFrame
        pandas, or any frame that narwhals reads. Only the columns that the formula uses go to R.
    family : str
        "binomial", "poisson", "Gamma", "inverse.gaussian", "gaussian" (with another link than
        identity), "negative.binomial(2.5)"; R's way to write a link is understood, too:
        ``"Gamma(link = 'log')"``.
    link : str, optional
        Default is R's for the family. binomial: logit, probit, cauchit, cloglog, log; poisson:
        log, identity, sqrt; Gamma: inverse, identity, log; inverse.gaussian: 1/mu^2, inverse,
        identity, log; gaussian: log, inverse; for all ``"power(1/3)"`` and the like.
    n_agq : int
        Points of adaptive Gauss-Hermite quadrature: 1 is the Laplace approximation; 0 is quicker
        and less exact (fixed effects within the penalized least squares, no Hessian); more than 1
        for one scalar random-effects term only.
    weights, offset : str or array-like, optional
        A column's name, or one number per row. Weights must be above 0.
    contrasts : dict, optional
        Column -> R's name of its contrasts ("contr.sum"), or a matrix with one row per level.
    control : GlmerControl or dict, optional
        Arguments of ``lme4::glmerControl``.
    start : sequence of float or dict, optional
        Starting values of theta, or ``{"theta": ..., "fixef": ...}``.
    data_name, trusted, timeout
        As in `pymlm.lmer`.

    Returns
    -------
    GeneralizedLinearMixedModel

    Raises
    ------
    ArgumentError
        For an unknown family, a link that it does not take, or a bad option.
    DataError
        For a response outside the family's range, or columns that cannot go to R.
    FormulaError, FitError, FitTimeout
        As in `pymlm.lmer`.
    NotSupportedError
        For quasi families, and gaussian with the identity link (use `pymlm.lmer`).

    Warns
    -----
    SingularFitWarning, ConvergenceWarning, RWarning

    Notes
    -----
    Mirrors ``lme4::glmer(formula, data, family, control, start, nAGQ, weights, offset,
    contrasts)``; Bates et al. 2015, doi:10.18637/jss.v067.i01.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)",
    ...               mlm.load_dataset("cbpp"), family="binomial")
    >>> m.fixef().round(3).to_dict()
    {'(Intercept)': -1.398, 'period2': -0.992, 'period3': -1.128, 'period4': -1.58}
    """
    chosen = glmer_family(family, link)
    points = points_of_quadrature(n_agq)
    arguments = {
        "family": chosen, "n_agq": points, "weights": weights, "offset": offset,
        "contrasts": contrasts, "control": control, "data_name": data_name, "trusted": trusted,
    }  # fmt: skip
    task = _checked_task(formula, data, chosen, arguments, timeout)
    handle = fit(
        "fit_glmer",
        task,
        family=chosen.name,
        link=chosen.link,
        theta=chosen.theta,
        n_agq=points,
        control=as_control(control, GlmerControl),
        start=as_start(start, START_PARTS),
    )
    model = GeneralizedLinearMixedModel(handle, task.source)
    warn_about(model.convergence)
    return model


@strict
def glmer_nb(
    formula: str,
    data: Any,
    n_agq: int = 1,
    weights: Any = None,
    offset: Any = None,
    contrasts: Mapping[str, Any] | None = None,
    control: GlmerControl | Mapping[str, Any] | None = None,
    start: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: float | None = None,
) -> GeneralizedLinearMixedModel:
    """Fit a negative binomial mixed model whose dispersion is estimated, too.

    Parameters
    ----------
    formula, data, n_agq, weights, offset, contrasts, control, start, data_name, trusted, timeout
        As in `pymlm.glmer`. The response is a count; the link is the logarithm.

    Returns
    -------
    GeneralizedLinearMixedModel
        `nb_theta` is the dispersion: the variance is μ + μ²/θ. `update` keeps it as it is, as R
        does.

    Notes
    -----
    Mirrors ``lme4::glmer.nb``, which alternates `glmer` fits with a search over θ.
    """
    points = points_of_quadrature(n_agq)
    family = Family(name="negative.binomial")
    arguments = {
        "n_agq": points, "weights": weights, "offset": offset, "contrasts": contrasts,
        "control": control, "data_name": data_name, "trusted": trusted,
    }  # fmt: skip
    task = _checked_task(formula, data, family, arguments, timeout)
    handle = fit(
        "fit_glmer_nb",
        task,
        n_agq=points,
        control=as_control(control, GlmerControl),
        start=as_start(start, START_PARTS),
    )
    model = GeneralizedLinearMixedModel(handle, task.source)
    # What update() fits is the model that glmer.nb arrived at, its dispersion fixed.
    arguments["family"] = as_family(f"negative.binomial({model.nb_theta!r})")
    warn_about(model.convergence)
    return model
