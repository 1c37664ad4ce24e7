"""The same model by every optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Count, Timeout
from pymlm.arguments import strict
from pymlm.models.mixed_attributes import MixedAttributes
from pymlm.results.base import Floats, Printed, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AllFit(Result):
    """The same model fitted by every optimizer that is there; row i belongs to optimizer[i].

    Attributes
    ----------
    optimizer : tuple of str, length k
        As R names them: "bobyqa", "nloptwrap.NLOPT_LN_NELDERMEAD" ...
    ok : ndarray of bool, shape (k,)
        False where the fit stopped with an error; its other numbers are NaN.
    loglik : ndarray, shape (k,)
    evaluations : ndarray, shape (k,)
        Deviance evaluations.
    singular : ndarray, shape (k,)
        1 where the fit is singular, else 0.
    code : ndarray, shape (k,)
        The optimizer's own code, 0 for success.
    message : tuple of str, length k
        The error of a fit that failed; else lme4's and the optimizer's messages, empty where all is
        well.
    term : tuple of str, length p
    fixef : ndarray, shape (k, p)
        Fixed effects (link scale for a GLMM).
    theta_names : tuple of str, length t
    theta : ndarray, shape (k, t)
        Relative covariance parameters.
    component : tuple of str, length c
        "Subject: (Intercept)", "Subject: (Intercept), Days" for a correlation, "Residual".
    sdcor : ndarray, shape (k, c)
        Standard deviations and correlations.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``allFit(model)`` and its summary, of lme4. Optimizers that agree in log-likelihood and
    estimates say that a convergence warning was a false alarm: ``help("convergence")``.
    """

    _index: ClassVar[str | None] = "optimizer"

    optimizer: tuple[str, ...]
    ok: Floats
    loglik: Floats
    evaluations: Floats
    singular: Floats
    code: Floats
    message: tuple[str, ...]
    term: tuple[str, ...]
    fixef: Floats
    theta_names: tuple[str, ...]
    theta: Floats
    component: tuple[str, ...]
    sdcor: Floats
    printed: Printed | None = None

    @property
    def spread(self) -> float:
        """Largest difference between the log-likelihoods."""
        return float(np.nanmax(self.loglik) - np.nanmin(self.loglik))

    @property
    def best(self) -> str:
        """The optimizer with the highest log-likelihood."""
        return self.optimizer[int(np.nanargmax(self.loglik))]

    @property
    def failures(self) -> dict[str, str]:
        """Optimizer -> error, of the fits that failed."""
        return {
            o: m for o, m, ok in zip(self.optimizer, self.message, self.ok, strict=True) if not ok
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row an optimizer: its success, log-likelihood, fixed effects and variances.

        Columns: ok, loglik, evaluations, singular, code, message, then one a fixed effect and one
        a standard deviation or correlation.
        """
        index = pd.Index(list(self.optimizer), dtype=object)
        facts = pd.DataFrame(
            {
                "ok": np.array(self.ok, dtype=bool),
                "loglik": np.array(self.loglik),
                "evaluations": np.array(self.evaluations),
                "singular": np.array(self.singular),
                "code": np.array(self.code),
                "message": pd.array(list(self.message), dtype=object),
            },
            index=index,
        )
        return pd.concat([facts, self.fixef_frame(), self.sdcor_frame()], axis=1)

    def fixef_frame(self) -> pd.DataFrame:
        """Return the fixed effects, one row an optimizer."""
        return self._frame(self.fixef, self.term)

    def theta_frame(self) -> pd.DataFrame:
        """Return theta, one row an optimizer."""
        return self._frame(self.theta, self.theta_names)

    def sdcor_frame(self) -> pd.DataFrame:
        """Return standard deviations and correlations, one row an optimizer."""
        return self._frame(self.sdcor, self.component)

    def _frame(self, values: Floats, names: tuple[str, ...]) -> pd.DataFrame:
        index = pd.Index(list(self.optimizer), dtype=object)
        return pd.DataFrame(np.array(values), index=index, columns=list(names))


class AllFitMethods(MixedAttributes):
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
