"""A fitted generalized linear mixed model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Ddf, ResidualType
from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.escape import html_paragraph
from pymlm.models.exact import need_asymptotic
from pymlm.models.mixed import MixedModel
from pymlm.results.fixed import NamedMatrix
from pymlm.results.printed import in_digits
from pymlm.results.summary import Summary


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GlmmSummary(Summary):
    """Summary of a generalized linear mixed model; ``print(summary)`` is what R prints.

    Every number in `fixed` and `varcorr` is on the scale of the linear predictor (`scale` is
    "link"): log-odds for a logit link, logarithms for a log link.

    Attributes
    ----------
    family, link : str
        As R names them, e.g. "binomial" and "logit".
    scale : str
        "link".
    use_hessian : bool or None
        Whether the standard errors come from the Hessian; None is R's choice: yes, where there is
        one.

    Notes
    -----
    Mirrors ``summary(model, use.hessian =)`` of lme4; the other attributes are as in `Summary`.
    The matrix `correlation` comes from the Hessian whatever `use_hessian` says, as in R's print
    (lme4 1.1-31).
    """

    family: str
    link: str
    scale: str = "link"
    use_hessian: bool | None = None

    def _repr_html_(self) -> str:
        # The base class by name: a slotted dataclass has no working super().
        shown = Summary._repr_html_(self)
        said = f"Family: {self.family} ({self.link}); estimates on the link scale"
        return html_paragraph(said) + shown


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


class GeneralizedLinearMixedModel(MixedModel):
    """A generalized linear mixed model that ``lme4::glmer`` fitted; see `pymlm.glmer`.

    Fixed effects, random effects and variances are on the scale of the linear predictor (the
    link: log-odds, logarithms ...); fitted values and "response" residuals are on the scale of the
    response (probabilities for a binomial family); `predict` takes ``type="response"`` (default) or
    ``"link"``.
    """

    _updatable: ClassVar[tuple[str, ...]] = (
        "data", "family", "link", "n_agq", "weights", "offset", "contrasts", "control", "start",
        "mustart", "etastart", "data_name", "trusted", "timeout",
    )  # fmt: skip
    _in_place: ClassVar[dict[str, str]] = {"n_agq": "nAGQ"}

    @cached_property
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
    def _two_column_response(self) -> bool:
        return self._glmm.two_columns

    @property
    def _response_family(self) -> str:
        return self._glmm.family

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
    def summary(  # type: ignore[override]  # no engines: z tests
        self, ddf: Ddf | None = None, use_hessian: bool | None = None, digits: int | None = None
    ) -> GlmmSummary:
        """Summarise the model; ``print(m.summary())`` prints what R prints.

        Parameters
        ----------
        ddf : None or "asymptotic"
            The tests are asymptotic (z). Degrees of freedom are not defined for a GLMM.
        use_hessian : bool, optional
            Take standard errors from the Hessian of the log-likelihood (R's default where there is
            one), or, False, from the penalized least squares at the estimate, as old versions of
            lme4 did.
        digits : int, optional
            The summary is printed as R prints it under ``options(digits = digits)``.

        Raises
        ------
        NotSupportedError
            For Satterthwaite and the like; or when there is no Hessian to use.

        Notes
        -----
        Mirrors ``summary(model, use.hessian =)`` of lme4. Estimates are on the link scale.
        """
        need_asymptotic(ddf)
        found = self._ask("summary", GlmmSummary, use_hessian=use_hessian)
        return in_digits(found, digits)

    @strict
    def vcov(  # type: ignore[override]  # no engines: z tests
        self, ddf: Ddf | None = None, use_hessian: bool | None = None, full: bool = False
    ) -> pd.DataFrame:
        """Return the covariance matrix of the fixed effects (link scale), shape (p, p).

        Parameters
        ----------
        ddf : None or "asymptotic"
        use_hessian : bool, optional
            True: inverse of the Hessian of the log-likelihood in all parameters. False: from the
            penalized least squares at the estimate (RX), the variances taken as known. None: R's
            choice, the Hessian where there is one (n_agq of 1 or more, calc_derivs not False).
        full : bool
            The joint covariance of random and fixed effects, as for a linear mixed model; from the
            penalized least squares at the estimate.

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
        if full:
            return self._joint_covariance("use_hessian", use_hessian)
        return self._ask("vcov", NamedMatrix, use_hessian=use_hessian).to_frame()

    @strict
    def residuals(self, type: ResidualType = "deviance") -> pd.Series:
        """Return residuals on the data's index, NaN where R dropped the row.

        Parameters
        ----------
        type : {"deviance", "response", "pearson", "working", "scaled"}
            R's default for a GLMM is "deviance"; "response" residuals are on the scale of the
            response, "working" ones on the link scale: ``residuals(model, type)``.
        """
        return super().residuals(type)

    def _plain_summary(self) -> GlmmSummary:
        return self._ask("summary", GlmmSummary, use_hessian=None)

    def _r_value(self, name: str, value: Any) -> Any:
        points = points_of_quadrature(value)
        return None if points == 1 else points


def points_of_quadrature(value: Any) -> int:
    """Return n_agq as an int; ArgumentError for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= 100:
        raise ArgumentError(
            f"n_agq is a whole number from 0 to 100 (1 is the Laplace approximation), not {value!r}"
        )
    return int(value)
