"""Mixed models whose tests are asymptotic: generalized and nonlinear ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymlm.arguments import check_ddf, strict
from pymlm.errors import NotSupportedError
from pymlm.models.update import UpdatableModel
from pymlm.results.anova import AnovaTable
from pymlm.results.contest import Contest


class AsymptoticModel(UpdatableModel):
    """A mixed model without degrees of freedom: the defaults are R's for such a model."""

    @strict
    def anova(  # type: ignore[override]  # no engines of degrees of freedom here
        self, type: int | str = 3, ddf: str | None = None
    ) -> AnovaTable:
        """Test the terms of the fixed part.

        Parameters
        ----------
        type : {3, 2, 1, "III", "II", "I"}
            Of the Wald tests; see `LinearMixedModel.anova`.
        ddf : None or "asymptotic"
            None is lme4's own sequential table, which has no p-values; "asymptotic" gives Wald
            chi-squared tests.

        Notes
        -----
        Mirrors ``anova(model)`` of lme4.
        """
        need_asymptotic(ddf)
        return super().anova(type, ddf)

    @strict
    def contest(  # type: ignore[override]  # as above
        self,
        L: Any,
        joint: bool = False,
        rhs: Any = 0,
        ddf: str = "asymptotic",
        level: float = 0.95,
    ) -> Contest | AnovaTable:
        """Test linear hypotheses Lβ = rhs about the fixed effects (link scale).

        Parameters
        ----------
        L, joint, rhs, level
            As in `LinearMixedModel.contest`.
        ddf : "asymptotic"
            z tests, and chi-squared with `joint`.
        """
        need_asymptotic(ddf)
        return super().contest(L, joint, rhs, ddf, level)

    @strict
    def drop1(  # type: ignore[override]  # as above
        self, scope: str | Sequence[str] | None = None, ddf: str | None = None
    ) -> AnovaTable:
        """Test each term that can leave the fixed part without breaking marginality.

        Parameters
        ----------
        scope : str or list of str, optional
            Terms; default all that no interaction contains.
        ddf : None or "asymptotic"
            None fits the models without each term and gives likelihood-ratio tests, as lme4 does;
            "asymptotic" gives Wald chi-squared tests.

        Notes
        -----
        Mirrors ``drop1(model, scope, test = "Chisq")`` of lme4.
        """
        need_asymptotic(ddf)
        return super().drop1(scope, ddf)


def need_asymptotic(ddf: str | None) -> None:
    """Raise NotSupportedError for a method of degrees of freedom."""
    if check_ddf(ddf) not in (None, "asymptotic"):
        raise NotSupportedError(
            f"{check_ddf(ddf)} degrees of freedom are defined for linear mixed models; the tests "
            "of a generalized or nonlinear one are asymptotic (ddf=None or 'asymptotic')"
        )
