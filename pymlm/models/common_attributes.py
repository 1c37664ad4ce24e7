"""Attributes that every fitted model has, whatever fitted it."""

from __future__ import annotations

import functools
from typing import Any, Protocol, Self

import numpy as np

from pymlm.formula import vet
from pymlm.frames import prepare, used_columns
from pymlm.models.advice import about_data, about_formula, about_groups
from pymlm.models.exact import EngineMethods
from pymlm.results.base import Floats


class CommonDescription(Protocol):
    """What the bridge's descriptions have in common."""

    @property
    def formula(self) -> str: ...
    @property
    def nobs(self) -> int: ...
    @property
    def dropped(self) -> Floats: ...
    @property
    def sigma(self) -> float: ...
    @property
    def loglik(self) -> float: ...
    @property
    def npar(self) -> int: ...
    @property
    def frame_names(self) -> tuple[str, ...]: ...
    @property
    def ddf(self) -> str | None: ...


class CommonAttributes(EngineMethods):
    """Formula, rows, sigma and likelihood, read from the model's description."""

    def _description(self) -> CommonDescription:
        raise NotImplementedError  # every model class has a description of its own

    def _ddf(self, ddf: str | None) -> str | None:
        """The method of degrees of freedom that was asked for; "default" is R's for the class."""
        return self._description().ddf if ddf == "default" else ddf

    def _test_ddf(self, ddf: str) -> str:
        """The same for tests that need a method: without degrees of freedom they are asymptotic."""
        return self._ddf(ddf) or "asymptotic"

    def _dropped_rows(self) -> Any:
        return np.asarray(self._description().dropped, dtype=np.int64) - 1

    @property
    def formula(self) -> str:
        """The formula (of an nlme model, its fixed part), as R writes it: ``formula(model)``."""
        return self._description().formula

    @property
    def nobs(self) -> int:
        """Number of rows used: ``nobs(model)``."""
        return self._description().nobs

    def _check_as(self, other: Self) -> None:
        """Check convergence as that of `other`, from which this model was fitted again, was."""

    def _say_convergence(self) -> None:
        """Warn where this fit did not converge; R itself does where lm, glm and nlme fitted."""

    @property
    def ngroups(self) -> dict[str, int]:
        """Number of levels of each grouping factor."""
        raise NotImplementedError  # every model class has its own

    @functools.cached_property
    def advice(self) -> tuple[str, ...]:
        """What the formula, the columns and the design ask care of; empty for most models.

        Few groups (fewer than about ten, lectures S0 and S4), a power that R crosses with itself, a
        slope without a fixed effect, a duration in seconds, an identifier as a factor. The first is
        a warning at the fit where ``mlm.options.advice`` is on, the others always are.
        """
        formula = vet(self.formula, trusted=True, columns=self._source.columns)
        out = about_formula(formula, mixed=bool(self.ngroups))
        if self._source.data is not None:
            names = [n for n in self._source.sent if n in map(str, self._source.data.columns)]
            out += about_data(formula, prepare(used_columns(self._source.data, names)))
        return tuple(out + about_groups(self.ngroups))

    @property
    def n_dropped(self) -> int:
        """Number of rows left out because a used column was missing in them."""
        return len(self._description().dropped)

    @property
    def sigma(self) -> float:
        """Residual standard deviation, in units of the response: ``sigma(model)``.

        Of the reference group, where variances differ by group.
        """
        return self._description().sigma

    @property
    def loglik(self) -> float:
        """Log-likelihood (restricted, for a REML fit): ``logLik(model)``."""
        return self._description().loglik

    @property
    def npar(self) -> int:
        """Number of parameters that AIC and BIC count: ``attr(logLik(model), "df")``."""
        return self._description().npar
