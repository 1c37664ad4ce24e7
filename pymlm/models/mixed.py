"""What every fitted mixed model answers; each method is one question to the bridge."""

from __future__ import annotations

from typing import Any, Self, get_args

import pandas as pd

from pymlm.argument_types import Ddf, Engine, ResidualType
from pymlm.arguments import strict
from pymlm.engine import RObject, call
from pymlm.models.all_fit import AllFitMethods
from pymlm.models.averages import AverageMethods
from pymlm.models.control import EXACT
from pymlm.models.derivatives import check_exactly
from pymlm.models.fitting import warn_about
from pymlm.models.identity import identified
from pymlm.models.likelihood import LikelihoodMethods
from pymlm.models.lm import LinearModel
from pymlm.models.mixed_attributes import MixedAttributes
from pymlm.models.model import Model
from pymlm.models.prediction import PredictionMethods
from pymlm.models.variance_tests import VarianceMethods
from pymlm.results.printed import in_digits
from pymlm.results.ranef import Coefficients, RandomEffects
from pymlm.results.summary import Summary

RESIDUALS: tuple[ResidualType, ...] = get_args(ResidualType)


class MixedModel(
    Model,
    VarianceMethods,
    PredictionMethods,
    LikelihoodMethods,
    AllFitMethods,
    AverageMethods,
    MixedAttributes,
):
    """A mixed model that lme4 fitted; it never changes.

    Made by `pymlm.lmer`, `pymlm.glmer` ... or read from a file by `pymlm.load_model`. Rows come
    back on the index of the data frame, with NaN where R dropped a row for missing values.
    """

    _residual_types = RESIDUALS

    def _check_as(self, other: Self) -> None:
        if other.convergence.derivatives == EXACT:
            self.__dict__["convergence"] = check_exactly(self._handle)

    def _say_convergence(self) -> None:
        warn_about(self.convergence)

    def _reduced(self, handle: RObject) -> Any:
        if call("is_mixed", handle, into=bool):
            return type(self)(handle, self._source)
        return LinearModel(handle, identified(handle)[1])  # the last random effect went

    # --- fixed effects --------------------------------------------------------------------------

    @strict
    def summary(
        self, ddf: Ddf | None = "default", engine: Engine | None = None, digits: int | None = None
    ) -> Summary:
        """Summarise the model; ``print(m.summary())`` prints what R prints.

        Parameters
        ----------
        ddf : str or None
            Denominator degrees of freedom for the t tests: "Satterthwaite" (lmerTest),
            "Kenward-Roger" (pbkrtest; REML fits), "between-within" or "asymptotic"; None is lme4's
            own summary, without degrees of freedom. Computed when asked for, and kept.
        engine : {"auto", "lmerTest", "exact"}, optional
            What computes Satterthwaite's and Kenward-Roger's degrees of freedom: lmerTest and
            pbkrtest, or closed forms that give their numbers at a fraction of the cost. Default is
            ``mlm.options.engine``, "auto": lmerTest and pbkrtest where they are quick. The
            summary's `ddf_engine` says which one it was.
        digits : int, optional
            The summary is printed as R prints it under ``options(digits = digits)``.

        Raises
        ------
        NotSupportedError
            Kenward-Roger for an ML fit, or by pbkrtest where its matrices would not fit into
            memory; any method for a model that is not linear.
        RError
            When Kenward-Roger fails (lmerTest would answer with Satterthwaite).

        Notes
        -----
        Mirrors ``summary(model)`` and, with lmerTest, ``summary(model, ddf = ddf)``.
        Kuznetsova et al. 2017, doi:10.18637/jss.v082.i13; Halekoh & Højsgaard 2014,
        doi:10.18637/jss.v059.i09.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> fixed = m.summary(ddf="Kenward-Roger").fixed.to_frame()
        >>> fixed.loc["Days", ["estimate", "df"]].round(2).to_list()
        [10.47, 17.0]
        """
        found = self._ask_ddf("summary", Summary, engine, ddf=self._ddf(ddf))
        return in_digits(found, digits)

    # --- random effects -------------------------------------------------------------------------

    @strict
    def ranef(self, cond_var: bool = True) -> RandomEffects:
        """Return the conditional modes of the random effects, by default with their SDs.

        Parameters
        ----------
        cond_var : bool
            Compute conditional variances, too: ``ranef(model, condVar =)``.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.ranef()["Subject"].loc["308"].round(2).to_dict()
        {'(Intercept)': 2.26, 'Days': 9.2}
        """
        return self._ask("ranef", RandomEffects, cond_var=cond_var)

    @strict
    def coef(self) -> dict[str, pd.DataFrame]:
        """Return the coefficients of every group, fixed effects plus modes: ``coef(model)``.

        Returns
        -------
        dict of DataFrame
            Grouping factor -> one row a level, one column a coefficient.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.coef()["Subject"].loc["308"].round(2).to_dict()
        {'(Intercept)': 253.66, 'Days': 19.67}
        """
        return self._ask("coef", Coefficients).to_dict()

    @strict
    def residuals(self, type: ResidualType = "response") -> pd.Series:
        """Return residuals on the data's index, NaN where R dropped the row.

        Parameters
        ----------
        type : {"response", "pearson", "deviance", "working", "scaled"}
            As in ``residuals(model, type)``; "scaled" is Pearson divided by sigma, what the summary
            shows.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.residuals().head(2).round(2).to_list()
        [-4.1, -14.63]
        """
        return self._by_row(self._call("residual_values", type=type), "residual")

    def __repr__(self) -> str:
        groups = ", ".join(f"{k}: {v}" for k, v in self.ngroups.items())
        return f"<{type(self).__name__} {self.formula!r}, {self.nobs} rows, groups {groups}>"

    def _repr_html_(self) -> str:
        return self._plain_summary()._repr_html_()

    def _plain_summary(self) -> Summary:
        return self._ask("summary", Summary, ddf=None)
