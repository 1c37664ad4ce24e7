"""Terms left out: one at a time, and step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Ddf, Engine, Level, LmerTestDdf, Names
from pymlm.arguments import strict
from pymlm.engine import RObject
from pymlm.models.common_attributes import CommonAttributes
from pymlm.models.kept import exact_key
from pymlm.results.anova import AnovaTable
from pymlm.results.base import Floats, Printed, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RandomSteps(Result):
    """Backward elimination of random-effect terms; columns as in `RandomAnova`.

    Attributes
    ----------
    term : tuple of str, length k
    eliminated : ndarray, shape (k,)
        1, 2 … in the order in which terms left; 0 for those that stayed; NaN for the full model.
    npar, loglik, aic, lrt, df, p_value : ndarray, shape (k,)
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "eliminated", "npar", "loglik", "aic", "lrt", "df", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    eliminated: Floats
    npar: Floats
    loglik: Floats
    aic: Floats
    lrt: Floats
    df: Floats
    p_value: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FixedSteps(Result):
    """Backward elimination of fixed-effect terms; columns as in `AnovaTable`.

    Attributes
    ----------
    term : tuple of str, length k
    eliminated : ndarray, shape (k,)
        1, 2 … in the order in which terms left; 0 for those that stayed.
    sum_sq, mean_sq, num_df, den_df, statistic, p_value : ndarray, shape (k,)
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "eliminated", "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    eliminated: Floats
    sum_sq: Floats
    mean_sq: Floats
    num_df: Floats
    den_df: Floats | None = None
    statistic: Floats
    p_value: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Steps(Result):
    """The path of a backward elimination and the model that it ended with.

    Attributes
    ----------
    random : RandomSteps
        Likelihood-ratio tests of random-effect terms, with R's p-values (no mixture).
    fixed : FixedSteps
        F tests of fixed-effect terms.
    formula : str
        Formula of the final model.
    ddf : str
        Method of the denominator degrees of freedom.
    ddf_engine : str or None
        What computed them: "lmerTest", "pbkrtest", "exact" or "rule".
    model : object
        The final model, fitted: a LinearMixedModel, or a LinearModel when no random effect was
        left. Not part of `to_dict`.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``step(model, ddf, alpha.random, alpha.fixed, …)`` of lmerTest. p-values after
    selection are too small; report the path.
    """

    random: RandomSteps
    fixed: FixedSteps
    formula: str
    ddf: str
    ddf_engine: str | None = None
    model: Any = None
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return both tables, one below the other; column `part` is "random" or "fixed"."""
        parts = [
            table.to_frame().assign(part=name)
            for name, table in (("random", self.random), ("fixed", self.fixed))
        ]
        columns = ["part", *dict.fromkeys(c for p in parts for c in p.columns if c != "part")]
        index = [*parts[0].index, *parts[1].index]
        data = {
            c: np.concatenate([p[c] if c in p else np.full(len(p), np.nan) for p in parts])
            for c in columns
        }
        return pd.DataFrame(data, index=pd.Index(index, dtype=object))

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain dicts; the fitted model stays out."""
        return {
            "random": self.random.to_dict(),
            "fixed": self.fixed.to_dict(),
            "formula": self.formula,
            "ddf": self.ddf,
            "ddf_engine": self.ddf_engine,
            "notes": list(self.notes),
            "printed": None if self.printed is None else str(self.printed),
        }


class ReductionMethods(CommonAttributes):
    """Smaller models: without one term, and backwards term by term."""

    @strict
    def drop1(
        self,
        scope: Names | None = None,
        ddf: Ddf | None = "default",
        engine: Engine | None = None,
    ) -> AnovaTable:
        """Test each term that can leave the fixed part without breaking marginality.

        Parameters
        ----------
        scope : str or list of str, optional
            Terms; default all that no interaction contains.
        ddf : str or None
            As in `anova`. None fits the models without each term by maximum likelihood and gives
            lme4's likelihood-ratio tests and AIC.
        engine : {"auto", "lmerTest", "exact"}, optional
            What computes the degrees of freedom, as in `summary`.

        Raises
        ------
        ArgumentError
            For a term that cannot be dropped.
        NotSupportedError, RError
            As `anova`; and where there is nothing to drop.

        Notes
        -----
        Mirrors ``drop1(model, scope, ddf = ddf)`` of lmerTest, ``drop1(model, test = "Chisq")`` of
        lme4.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
        >>> m.drop1().to_frame()["p_value"].round(3).to_dict()
        {'recipe': 0.781, 'temp': 0.0}
        """
        return self._ask_ddf("drop1", AnovaTable, engine, scope=scope, ddf=self._ddf(ddf))

    @strict
    def step(
        self,
        ddf: LmerTestDdf = "Satterthwaite",
        alpha_random: Level = 0.1,
        alpha_fixed: Level = 0.05,
        reduce_random: bool = True,
        reduce_fixed: bool = True,
        keep: Names | None = None,
        engine: Engine | None = None,
    ) -> Steps:
        """Eliminate terms backwards: random effects first, then fixed effects.

        Parameters
        ----------
        ddf : {"Satterthwaite", "Kenward-Roger"}
        alpha_random, alpha_fixed : float
            Terms with a larger p-value leave, one at a time.
        reduce_random, reduce_fixed : bool
            Leave one of the parts as it is.
        keep : str or list of str, optional
            Fixed-effect terms that must stay.
        engine : {"auto", "lmerTest", "exact"}, optional
            As in `summary`. The engine of this model is that of every model that R fits on the
            way; where the closed forms do not reach one of those, lmerTest answers.

        Returns
        -------
        Steps
            The path; `.formula` and `.model` are the final model's. Prints as R prints it.

        Raises
        ------
        ArgumentError
            For a term in `keep` that the model has not.
        DataError
            When the model's data are not with it.

        Notes
        -----
        Mirrors ``step(model, …)`` of lmerTest.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
        >>> m.step().formula
        'angle ~ temp + (1 | recipe:replicate)'
        """
        args = {
            "ddf": ddf,
            "alpha_random": alpha_random,
            "alpha_fixed": alpha_fixed,
            "reduce_random": reduce_random,
            "reduce_fixed": reduce_fixed,
            "keep_terms": keep,
        }
        answer = self._ask_ddf("step", Steps, engine, **args)
        handle = self._call_ddf(
            "step_model", RObject, str(args["ddf"]), engine, args=args, key=exact_key("step", args)
        )
        return replace(answer, model=self._reduced(handle))

    def _reduced(self, handle: RObject) -> Any:
        """The model around what step() ended with; of one class wherever terms leave it so."""
        return type(self)(handle, self._source)
