"""Fit generalized linear mixed models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymlm.argument_types import Data, PerRow, Timeout
from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.models.advice import advised
from pymlm.models.control import GlmerControl, as_control
from pymlm.models.families import (
    Family,
    as_family,
    check_family_response,
    check_no_weights,
    glmer_family,
)
from pymlm.models.fitting import Task, as_start, check_mixed, fit, make_task, warn_about
from pymlm.models.glmm import GeneralizedLinearMixedModel, points_of_quadrature

__all__ = ["GeneralizedLinearMixedModel", "glmer", "glmer_nb"]

START_PARTS = ("theta", "fixef", "beta")


def _checked_task(
    formula: str, data: Data, family: Family, arguments: dict[str, Any], timeout: float | None
) -> Task:
    """Vet the formula, prepare the data, and check the response against the family."""
    check_no_weights(family, arguments.get("weights"))
    task = make_task(formula, data, arguments, timeout, mixed=True)
    check_mixed(task.formula, "pymlm.glm")
    check_family_response(family, task.formula, task.data)
    return task


def start_of_glmm(start: Any, n_agq: int) -> Any:
    """Return starting values as R takes them; a fit with ``n_agq=0`` has none of fixed effects."""
    found = as_start(start, START_PARTS)
    if n_agq == 0 and isinstance(found, dict) and "fixef" in found:
        raise ArgumentError(
            "n_agq=0 has no start of the fixed effects: they are not optimized over"
        )
    return found


@strict
def glmer(
    formula: str,
    data: Data,
    family: str | Family = "binomial",
    link: str | None = None,
    n_agq: int = 1,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
    contrasts: Mapping[str, Any] | None = None,
    control: GlmerControl | Mapping[str, Any] | None = None,
    start: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
    mustart: Any = None,
    etastart: Any = None,
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
        Column -> R's name of its contrasts ("contr.sum", MASS's "contr.sdif"), a matrix with one
        row per level, or hypotheses: ``{"f": {"b - a": [-1, 1, 0]}}``, weights of the levels that
        sum to 0, in R's order of the levels or as a dict by level. They are inverted as hypr and
        ``MASS::ginv`` do, so that the coefficient "fb - a" is that difference; fewer of them than
        the levels less one are filled up (".rest1").
    control : GlmerControl or dict, optional
        Arguments of ``lme4::glmerControl``.
    start : sequence of float or dict, optional
        Starting values of theta, or ``{"theta": ..., "beta": ...}`` (or "fixef", as in lme4 1.1).
    data_name, trusted, timeout
        As in `pymlm.lmer`.
    mustart, etastart : str or array-like, optional
        Starting values of the rows: of the means, and of the linear predictor; a column's name, or
        one number per row.

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
    contrasts, mustart, etastart)``; Bates et al. 2015, doi:10.18637/jss.v067.i01.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)",
    ...               mlm.load_dataset("cbpp"), family="binomial")
    >>> m.fixef().round(2).to_dict()
    {'(Intercept)': -1.4, 'period2': -0.99, 'period3': -1.13, 'period4': -1.58}
    """
    chosen = glmer_family(family, link)
    points = points_of_quadrature(n_agq)
    arguments = {
        "family": chosen, "n_agq": points, "weights": weights, "offset": offset,
        "contrasts": contrasts, "control": control, "data_name": data_name, "trusted": trusted,
        "mustart": mustart, "etastart": etastart,
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
        start=start_of_glmm(start, n_agq),
    )
    model = advised(GeneralizedLinearMixedModel(handle, task.fitted_by(glmer)))
    warn_about(model.convergence)
    return model


@strict
def glmer_nb(
    formula: str,
    data: Data,
    n_agq: int = 1,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
    contrasts: Mapping[str, Any] | None = None,
    control: GlmerControl | Mapping[str, Any] | None = None,
    start: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
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

    Raises
    ------
    NotSupportedError
        For `weights`, which lme4 counts wrongly in this family; also with
        ``glmer(family="negative.binomial(...)")``.
    FormulaError, DataError, ArgumentError, FitError, FitTimeout
        As in `pymlm.glmer`.

    Notes
    -----
    Mirrors ``lme4::glmer.nb``, which alternates `glmer` fits with a search over θ.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.glmer_nb("Days ~ Sex + (1 | Age)", mlm.load_dataset("MASS::quine"))
    >>> round(m.nb_theta, 2)
    1.12
    """
    points = points_of_quadrature(n_agq)
    family = Family(name="negative.binomial")
    arguments: dict[str, Any] = {
        "n_agq": points, "weights": weights, "offset": offset, "contrasts": contrasts,
        "control": control, "data_name": data_name, "trusted": trusted,
    }  # fmt: skip
    task = _checked_task(formula, data, family, arguments, timeout)
    handle = fit(
        "fit_glmer_nb",
        task,
        n_agq=points,
        control=as_control(control, GlmerControl),
        start=start_of_glmm(start, n_agq),
    )
    model = advised(GeneralizedLinearMixedModel(handle, task.fitted_by(glmer)))
    # What update() fits is the model that glmer.nb arrived at, its dispersion fixed.
    arguments["family"] = as_family(f"negative.binomial({model.nb_theta!r})")
    warn_about(model.convergence)
    return model
