"""Tests of fixed effects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, overload

from pymlm.argument_types import Ddf, Engine, Level, LmerTestDdf, Names, TestDdf, TestType
from pymlm.arguments import strict
from pymlm.engine import RObject
from pymlm.models.attributes import CommonAttributes
from pymlm.models.hypotheses import hypotheses
from pymlm.models.kept import exact_key
from pymlm.results.anova import AnovaTable, Steps
from pymlm.results.contest import Contest, LsMeans
from pymlm.results.printed import in_digits


class FixedTestMethods(CommonAttributes):
    """Inference on the fixed effects."""

    @strict
    def anova(
        self,
        type: TestType = "III",
        ddf: Ddf | None = "default",
        engine: Engine | None = None,
        digits: int | None = None,
    ) -> AnovaTable:
        """Test the terms of the fixed part.

        Parameters
        ----------
        type : {3, 2, 1, "III", "II", "I"}
            Marginal (III), each term after all that do not contain it (II), or sequential (I).
        ddf : str or None
            By default R's own for the class: "Satterthwaite" of `lmer`, None of `glmer`.
            "Satterthwaite", "Kenward-Roger" (REML fits): F tests of lmerTest. "between-within": F
            tests with the degrees of freedom of SAS's DDFM=BW. "asymptotic": Wald chi-squared
            tests. None: lme4's own sequential table, without p-values; `type` is not used.
        engine : {"auto", "lmerTest", "exact"}, optional
            What computes the degrees of freedom, as in `summary`.
        digits : int, optional
            The table is printed as R prints it under ``options(digits = digits)``.

        Returns
        -------
        AnovaTable
            Prints as R prints it.

        Raises
        ------
        NotSupportedError
            Kenward-Roger for an ML fit, or one whose matrices would not fit into memory; any
            method but "asymptotic" and None for a model that is not linear.
        RError
            When Kenward-Roger fails (lmerTest would answer with Satterthwaite).

        Notes
        -----
        Mirrors ``anova(model, type, ddf)`` of lmerTest and ``anova(model)`` of lme4. Kuznetsova et
        al. 2017, doi:10.18637/jss.v082.i13; Halekoh & Højsgaard 2014, doi:10.18637/jss.v059.i09;
        between-within: Schluchter & Elashoff 1990, doi:10.1080/00949659008811295.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.anova().to_frame().round(2)[["num_df", "den_df", "statistic"]]
              num_df  den_df  statistic
        Days     1.0    17.0      45.85
        """
        found = self._ask_ddf("anova", AnovaTable, engine, type=type, ddf=self._ddf(ddf))
        return in_digits(found, digits)

    @overload
    def contest(
        self, L: Any, joint: Literal[False] = False, rhs: Any = 0, ddf: TestDdf = "default",
        level: Level = 0.95, engine: Engine | None = None,
    ) -> Contest: ...  # fmt: skip

    @overload
    def contest(
        self, L: Any, joint: Literal[True], rhs: Any = 0, ddf: TestDdf = "default",
        level: Level = 0.95, engine: Engine | None = None,
    ) -> AnovaTable: ...  # fmt: skip

    @strict
    def contest(
        self,
        L: Any,
        joint: bool = False,
        rhs: Any = 0,
        ddf: TestDdf = "default",
        level: Level = 0.95,
        engine: Engine | None = None,
    ) -> Contest | AnovaTable:
        """Test linear hypotheses Lβ = rhs about the fixed effects.

        Parameters
        ----------
        L : array-like, shape (p,) or (k, p); str; list of str; dict of str to str
            Numbers in the order of ``m.fixef()`` (a Series or DataFrame with its names as labels,
            in any order); or equations in R's names of the coefficients, such as
            ``"SMfrlunch30 - WSfrlunch = 0"`` or ``"2*a + `a:b` = 3"``. A dict names them.
        joint : bool
            One F (or chi-squared) test of all rows, instead of one t (or z) test each.
        rhs : float or array-like, shape (k,)
            What Lβ is tested against; equations bring their own.
        ddf : str
            By default R's own for the class: "Satterthwaite" of `lmer`, "residual" of `lm` and
            `gls`, "containment" of `lme`, "asymptotic" of others. "Kenward-Roger",
            "between-within" and "containment" (the smallest of the coefficients involved), or
            "asymptotic" (z and chi-squared).
        level : float
            Of the confidence intervals.
        engine : {"auto", "lmerTest", "exact"}, optional
            What computes the degrees of freedom, as in `summary`.

        Returns
        -------
        Contest, or AnovaTable with `joint`
            Prints as R prints it.

        Raises
        ------
        ArgumentError
            For a wrong width, an unknown coefficient (near names are listed), text that is not a
            linear equation, or a row of zeros.
        NotSupportedError, RError
            As `anova`.

        Notes
        -----
        Mirrors ``contest(model, L, joint, rhs, ddf, level)`` of lmerTest; Kuznetsova et al. 2017,
        doi:10.18637/jss.v082.i13.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> test = m.contest("Days = 10")
        >>> round(float(test.statistic[0]), 3), round(float(test.df[0]), 2)
        (0.302, 17.0)
        """
        asked = hypotheses(self._handle, L, rhs)
        return self._ask_ddf(  # type: ignore[return-value]  # by `joint`
            "contest",
            AnovaTable if joint else Contest,
            engine,
            L=asked.rows,
            rhs=asked.rhs,
            labels=asked.labels,
            joint=joint,
            ddf=self._test_ddf(ddf),
            level=level,
        )

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

    @strict
    def ls_means(
        self,
        which: Names | None = None,
        pairwise: bool = False,
        ddf: LmerTestDdf = "Satterthwaite",
        level: Level = 0.95,
        engine: Engine | None = None,
    ) -> LsMeans:
        """Return least-squares means of the factors among the fixed effects.

        Parameters
        ----------
        which : str or list of str, optional
            Terms made of factors; default all.
        pairwise : bool
            Differences of all pairs of levels instead of means.
        ddf : {"Satterthwaite", "Kenward-Roger"}
        level : float
        engine : {"auto", "lmerTest", "exact"}, optional
            What computes the degrees of freedom, as in `summary`.

        Raises
        ------
        ArgumentError
            For a term that is not made of factors.
        NotSupportedError
            When the model has no factor.

        Notes
        -----
        Mirrors ``ls_means(model, which, level, ddf, pairwise)`` of lmerTest.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
        >>> m.ls_means("recipe").to_frame()["estimate"].round(2).to_list()
        [33.12, 31.64, 31.6]
        """
        return self._ask_ddf(
            "ls_means",
            LsMeans,
            engine,
            which=which,
            level=level,
            ddf=ddf,
            pairwise=pairwise,
        )
