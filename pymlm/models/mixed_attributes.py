"""The attributes of a fitted mixed model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pymlm.engine import RObject
from pymlm.models.base import Source
from pymlm.models.common_attributes import CommonAttributes
from pymlm.results.base import Floats
from pymlm.results.summary import Convergence


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedDescription:
    """The plain attributes of a fitted mixed model, as the bridge's `describe` sends them."""

    formula: str
    call: str
    nobs: int
    dropped: Floats
    ngroups: Mapping[str, int]
    reml: bool
    linear: bool
    sigma: float
    theta: Floats
    theta_names: tuple[str, ...]
    loglik: float
    npar: int
    df_residual: int
    term_labels: tuple[str, ...]
    response: str
    frame_names: tuple[str, ...]
    ddf: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """AIC, BIC and deviances."""

    aic: float
    bic: float
    deviance: float
    reml_criterion: float | None


class MixedAttributes(CommonAttributes):
    """A fitted mixed model as far as its plain attributes go; the methods build on these."""

    def __init__(
        self, handle: RObject, source: Source, convergence: Convergence | None = None
    ) -> None:
        super().__init__(handle, source)
        if convergence is not None:  # the fit brought it along
            self.__dict__["convergence"] = convergence

    @cached_property
    def _described(self) -> MixedDescription:
        described: MixedDescription = self._call("describe", MixedDescription)
        return described

    def _description(self) -> MixedDescription:
        return self._described

    @cached_property
    def _criteria(self) -> Criteria:
        found: Criteria = self._call("criteria", Criteria)
        return found

    @property
    def ngroups(self) -> dict[str, int]:
        """Number of levels of each grouping factor: ``ngrps(model)``."""
        return dict(self._described.ngroups)

    @property
    def reml(self) -> bool:
        """True for a REML fit: ``isREML(model)``."""
        return self._described.reml

    @property
    def theta(self) -> pd.Series:
        """Relative covariance parameters, as ``getME(model, "theta")`` names them."""
        d = self._described
        return pd.Series(np.array(d.theta), index=list(d.theta_names), name="theta")

    @property
    def df_residual(self) -> int:
        """Residual degrees of freedom, rows less parameters: ``df.residual(model)``."""
        return self._described.df_residual

    @property
    def aic(self) -> float:
        """Akaike's criterion, all parameters counted, as R does: ``AIC(model)``."""
        return self._criteria.aic

    @property
    def bic(self) -> float:
        """Bayes criterion with the number of rows, as R does: ``BIC(model)``."""
        return self._criteria.bic

    @property
    def deviance(self) -> float:
        """−2 log-likelihood; for a REML fit the ML deviance at its estimates.

        ``deviance(model)`` or ``deviance(model, REML = FALSE)``.
        """
        return self._criteria.deviance

    @property
    def reml_criterion(self) -> float | None:
        """The REML criterion, −2 restricted log-likelihood; None for an ML fit: ``REMLcrit``."""
        return self._criteria.reml_criterion

    @cached_property
    def convergence(self) -> Convergence:
        """What the optimizer and lme4's checks said, as data: ``model@optinfo``."""
        found: Convergence = self._call("convergence", Convergence)
        return found
