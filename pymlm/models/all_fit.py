"""The same model by every optimizer."""

from __future__ import annotations

from collections.abc import Sequence

from pymlm.argument_types import Count, Timeout
from pymlm.arguments import strict
from pymlm.models.described import Described
from pymlm.results.all_fit import AllFit


class AllFitMethods(Described):
    """A fitted mixed model that other optimizers can be tried on."""

    @strict
    def all_fit(
        self,
        optimizers: Sequence[str] | None = None,
        max_evaluations: Count = 100_000,
        timeout: Timeout | None = None,
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

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> fits = m.all_fit()
        >>> "bobyqa" in fits.optimizer
        True
        """
        return self._ask(
            "all_fit",
            AllFit,
            timeout=timeout,
            optimizers=optimizers,
            max_evaluations=max_evaluations,
        )
