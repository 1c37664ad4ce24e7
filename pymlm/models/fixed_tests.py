"""Tests of fixed effects: of all terms, of combinations, and least-squares means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, overload

import pandas as pd

from pymlm.argument_types import Ddf, Engine, Level, LmerTestDdf, Names, TestDdf, TestType
from pymlm.arguments import strict
from pymlm.models.common_attributes import CommonAttributes
from pymlm.models.hypotheses import hypotheses
from pymlm.results.anova import AnovaTable
from pymlm.results.base import Printed, check_known
from pymlm.results.contest import Contest
from pymlm.results.estimates import Estimates
from pymlm.results.printed import in_digits


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LsMeans(Estimates):
    """Least-squares means of factor levels, or their pairwise differences.

    Attributes
    ----------
    term : tuple of str, length k
        "FactorLevel" as lmerTest writes it; "a - b" for a difference.
    factor : tuple of str, length k
        The term of the model that the row belongs to.
    estimate, std_error, df, statistic, p_value, conf_low, conf_high : ndarray, shape (k,)
        In units of the response; NaN where the mean cannot be estimated.
    statistic_name : str
    level : float
    ddf : str
    ddf_engine : str or None
        What computed them: "lmerTest", "pbkrtest", "exact" or "rule".
    pairwise : bool
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``ls_means(model, which, level, ddf, pairwise)`` of lmerTest. p-values of differences
    are not adjusted for their number; `emmeans` adjusts.
    """

    factor: tuple[str, ...]
    statistic_name: str
    level: float
    ddf: str
    ddf_engine: str | None = None
    pairwise: bool
    printed: Printed | None = None

    def of(self, factor: str) -> pd.DataFrame:
        """Return the rows of one term of the model.

        Raises
        ------
        ArgumentError
            For a term that has no rows here.
        """
        check_known(factor, self.factor, "term")
        return self.to_frame()[[f == factor for f in self.factor]]


class FixedTestMethods(CommonAttributes):
    """Inference on the fixed effects."""

    @strict
    def anova(
        self,
        type: TestType | None = None,
        ddf: Ddf | None = "default",
        engine: Engine | None = None,
        digits: int | None = None,
    ) -> AnovaTable:
        """Test the terms of the fixed part.

        Parameters
        ----------
        type : {3, 2, 1, "III", "II", "I"}, optional
            Marginal (III), each term after all that do not contain it (II), or sequential (I). By
            default III; I of lme4's own table.
        ddf : str or None
            By default R's own for the class: "Satterthwaite" of `lmer`, None of `glmer`, whose
            types II and III are "asymptotic".
            "Satterthwaite", "Kenward-Roger" (REML fits): F tests of lmerTest. "between-within": F
            tests with the degrees of freedom of SAS's DDFM=BW. "asymptotic": Wald chi-squared
            tests. None: lme4's own table, without p-values, which is sequential; a note says so
            where another type is asked for.
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
        Mirrors ``anova(model, type, ddf)`` of lmerTest, ``anova(model)`` of lme4 and, for type II
        of `glmer`, ``car::Anova(model)``. Type III does not depend on the coding of factors; car's
        does, and has these numbers with sum-to-zero contrasts. Kuznetsova et
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
        method = self._ddf(ddf)
        if method is None and ddf == "default" and type not in (None, "I"):
            method = "asymptotic"  # lme4's own table has no other type
        asked = type or ("I" if method is None else "III")
        found = self._ask_ddf("anova", AnovaTable, engine, type=asked, ddf=method)
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
