"""Generalized linear models without random effects: R's glm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pandas as pd

from pymlm.argument_types import Data, LinearResidualType, PerRow, Timeout
from pymlm.arguments import strict
from pymlm.models.families import Family, as_family, check_family_response
from pymlm.models.fitting import as_start, fit
from pymlm.models.lm import LinearModel, linear_task


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


@strict
def glm(
    formula: str,
    data: Data,
    family: str | Family = "binomial",
    link: str | None = None,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
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
    task = linear_task(formula, data, arguments, timeout, "pymlm.glmer")
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
