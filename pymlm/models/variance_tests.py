"""Tests and intervals of variance components, and confidence intervals."""

from __future__ import annotations

from pymlm.arguments import choice, fraction, strict
from pymlm.models.described import Described
from pymlm.results.fixed import ConfidenceIntervals


class VarianceMethods(Described):
    """Inference on variances, and confidence intervals of every parameter."""

    @strict
    def confint(
        self, method: str = "Wald", parm: str | list[str] | None = None, level: float = 0.95
    ) -> ConfidenceIntervals:
        """Return confidence intervals of the fixed effects.

        Parameters
        ----------
        method : {"Wald"}
        parm : str or list of str, optional
            Terms; default all fixed effects.
        level : float

        Notes
        -----
        Mirrors ``confint(model, parm, level, method)`` of lme4.
        """
        how = choice(method, ("Wald",), "method")
        names = [parm] if isinstance(parm, str) else parm
        return self._ask(
            "confint", ConfidenceIntervals, method=how, parm=names, level=fraction(level, "level")
        )
