"""The same model by every optimizer."""

from __future__ import annotations

from collections.abc import Sequence

from pymlm.arguments import seconds, strict, text_list
from pymlm.models.described import Described
from pymlm.models.parallel import whole_number
from pymlm.results.all_fit import AllFit


class AllFitMethods(Described):
    """A fitted mixed model that other optimizers can be tried on."""

    @strict
    def all_fit(
        self,
        optimizers: Sequence[str] | None = None,
        max_evaluations: int = 100_000,
        timeout: float | None = None,
    ) -> AllFit:
        """Fit the same model by every optimizer that is installed.

        Parameters
        ----------
        optimizers : sequence of str, optional
            Only these, by R's names ("bobyqa", "nloptwrap.NLOPT_LN_BOBYQA" ...). The optimizers
            nmkbw and optimx need the R packages dfoptim and optimx, and are left out without them.
        max_evaluations : int
            Limit for each: allFit's ``maxfun``.
        timeout : float, optional
            Seconds after which R is stopped.

        Returns
        -------
        AllFit

        Raises
        ------
        ArgumentError
            For an optimizer that there is not.
        NotSupportedError
            For a nonlinear model.
        FitTimeout

        Notes
        -----
        Mirrors ``lme4::allFit(model)``; warnings of the single fits stand in the result.
        """
        return self._ask(
            "all_fit",
            AllFit,
            timeout=seconds(timeout),
            optimizers=text_list(optimizers, "optimizers"),
            max_evaluations=whole_number(max_evaluations, "max_evaluations", 1),
        )
