"""Marginal means, slopes, and their contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from pymlm.argument_types import (
    Adjust,
    Contrast,
    CrossAdjust,
    Ddf,
    Engine,
    Finite,
    Infer,
    Level,
    MeansType,
    MeansWeights,
    Names,
    Regrid,
    Side,
)
from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.formula import vet
from pymlm.models.covariances import Covariance
from pymlm.models.means_arguments import (
    At,
    CovReduce,
    Nesting,
    Ref,
    Sigma,
    Specs,
    Tran,
    means_factors,
    several_specs,
)
from pymlm.models.means_tests import MeansTestMethods
from pymlm.results.emm import EmmGrid


class MeansMethods(MeansTestMethods):
    """What emmeans answers for a fitted model."""

    @overload
    def emmeans(  # type: ignore[overload-overlap]  # any other text is a factor
        self, specs: Specs, by: Names | None = ..., at: At | None = ...,
        contrast: Contrast | None = ..., adjust: Adjust | None = ..., ddf: Ddf | None = ...,
        type: MeansType = ..., level: Level | None = ..., infer: Infer | None = ...,
        weights: MeansWeights | Sequence[float] | None = ..., ref: Ref | None = ...,
        interaction: bool = ..., engine: Engine | None = ..., offset: Finite | None = ...,
        comparisons: bool = ..., *, bias_adjust: bool = ..., sigma: Sigma | None = ...,
        tran: Tran | None = ..., regrid: Regrid | None = ..., null: float | None = ...,
        delta: float | None = ..., side: Side | None = ..., simple: Literal["each"],
        contrast_options: Mapping[str, Any] | None = ..., cov_reduce: CovReduce | None = ...,
        cov_keep: Specs | None = ..., nesting: Nesting | None = ...,
        counterfactuals: Specs | None = ..., nuisance: Specs | None = ...,
        vcov: Covariance = ..., submodel: str | None = ..., cross_adjust: CrossAdjust = ...,
    ) -> dict[str, EmmGrid]: ...  # fmt: skip

    @overload
    def emmeans(
        self, specs: Specs, by: Names | None = ..., at: At | None = ...,
        contrast: Contrast | None = ..., adjust: Adjust | None = ..., ddf: Ddf | None = ...,
        type: MeansType = ..., level: Level | None = ..., infer: Infer | None = ...,
        weights: MeansWeights | Sequence[float] | None = ..., ref: Ref | None = ...,
        interaction: bool = ..., engine: Engine | None = ..., offset: Finite | None = ...,
        comparisons: bool = ..., *, bias_adjust: bool = ..., sigma: Sigma | None = ...,
        tran: Tran | None = ..., regrid: Regrid | None = ..., null: float | None = ...,
        delta: float | None = ..., side: Side | None = ..., simple: Specs | None = ...,
        contrast_options: Mapping[str, Any] | None = ..., cov_reduce: CovReduce | None = ...,
        cov_keep: Specs | None = ..., nesting: Nesting | None = ...,
        counterfactuals: Specs | None = ..., nuisance: Specs | None = ...,
        vcov: Covariance = ..., submodel: str | None = ..., cross_adjust: CrossAdjust = ...,
    ) -> EmmGrid: ...  # fmt: skip

    @overload
    def emmeans(
        self, specs: Mapping[str, Specs], by: Names | None = ..., at: At | None = ...,
        contrast: Contrast | None = ..., adjust: Adjust | None = ..., ddf: Ddf | None = ...,
        type: MeansType = ..., level: Level | None = ..., infer: Infer | None = ...,
        weights: MeansWeights | Sequence[float] | None = ..., ref: Ref | None = ...,
        interaction: bool = ..., engine: Engine | None = ..., offset: Finite | None = ...,
        comparisons: bool = ..., *, bias_adjust: bool = ..., sigma: Sigma | None = ...,
        tran: Tran | None = ..., regrid: Regrid | None = ..., null: float | None = ...,
        delta: float | None = ..., side: Side | None = ..., simple: Specs | None = ...,
        contrast_options: Mapping[str, Any] | None = ..., cov_reduce: CovReduce | None = ...,
        cov_keep: Specs | None = ..., nesting: Nesting | None = ...,
        counterfactuals: Specs | None = ..., nuisance: Specs | None = ...,
        vcov: Covariance = ..., submodel: str | None = ..., cross_adjust: CrossAdjust = ...,
    ) -> dict[str, EmmGrid]: ...  # fmt: skip

    @strict
    def emmeans(
        self,
        specs: Specs | Mapping[str, Specs],
        by: Names | None = None,
        at: At | None = None,
        contrast: Contrast | None = None,
        adjust: Adjust | None = None,
        ddf: Ddf | None = "default",
        type: MeansType = "link",
        level: Level | None = None,
        infer: Infer | None = None,
        weights: MeansWeights | Sequence[float] | None = None,
        ref: Ref | None = None,
        interaction: bool = False,
        engine: Engine | None = None,
        offset: Finite | None = None,
        comparisons: bool = False,
        *,
        bias_adjust: bool = False,
        sigma: Sigma | None = None,
        tran: Tran | None = None,
        regrid: Regrid | None = None,
        null: float | None = None,
        delta: float | None = None,
        side: Side | None = None,
        simple: Specs | None = None,
        contrast_options: Mapping[str, Any] | None = None,
        cov_reduce: CovReduce | None = None,
        cov_keep: Specs | None = None,
        nesting: Nesting | None = None,
        counterfactuals: Specs | None = None,
        nuisance: Specs | None = None,
        vcov: Covariance = None,
        submodel: str | None = None,
        cross_adjust: CrossAdjust = "none",
    ) -> EmmGrid | dict[str, EmmGrid]:
        """Return estimated marginal means, or contrasts of them.

        Parameters
        ----------
        specs : str, list of str, or dict
            Factors over whose levels the means are taken, or a formula ``"~ a | b"``. A dict of
            such specs, or a list of formulas, gives a dict of answers, as emmeans gives a list.
        by : str or list of str, optional
            Factors within whose levels contrasts and adjustments are made.
        at : dict, optional
            Values of covariates, or levels of factors, instead of the means and all levels:
            ``{"dose": [0, 1], "group": ["a", "b"]}``.
        contrast : str, dict, array or list of str, optional
            A family: "pairwise", "revpairwise", "trt.vs.ctrl", "trt.vs.ctrlk", "dunnett", "poly",
            "consec", "mean_chg", "eff", "del.eff", "identity" ...; or weights:
            ``{"name": [1, -1, 0]}``, or an array with a row a contrast, one weight a mean in the
            means' order; or ``{"name": {"A": 1, "B": -1}}`` by the means' names, the others 0.
            With `interaction` a list has a family for each factor.
        adjust : str, optional
            "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "none" ...; by default what
            emmeans uses: "tukey" for pairwise contrasts, "dunnettx" for trt.vs.ctrl, "fdr" for eff,
            "none" for means, poly and one's own. "mvt" (of consec, mean_chg) is simulated: its
            third digit changes from call to call, as in R.
        ddf : str or None
            "Satterthwaite" (default of lmer), "Kenward-Roger" (REML fits; it adjusts the standard
            errors, too) or "asymptotic" (z tests, as None; default of a GLMM). By default emmeans'
            own elsewhere: "residual" (lm), "containment" (lme), "Satterthwaite" (gls). The size of
            the data changes nothing: emmeans' own limits are not used.
        type : {"link", "response", "unlink", "mu", "marginal"}
            "response" transforms means back from a link or a transformed response; "unlink" (or
            "mu") from the link alone, where there are both. "marginal" is "response", adjusted for
            bias by the model's own variances (`bias_adjust`, sigma="total"): the mean over all
            groups, not that of a group whose effects are zero.
        level : float, optional
            Confidence level, 0.95 by default.
        infer : {"ci", "test", "both"}, optional
            By default intervals for means and tests for contrasts, as R prints them.
        weights : {"equal", "proportional", "outer", "cells", "flat"} or array, optional
            How to average over the factors left out; numbers: one for each combination of theirs.
        ref : int or str, or a list of them, optional
            The control of trt.vs.ctrl: its number, from 1, or its level; several are averaged.
        interaction : bool
            Contrasts of contrasts over several factors.
        engine : {"auto", "lmerTest", "exact"}, optional
            What computes the degrees of freedom, as in `summary`.
        offset : float, optional
            Value of the model's offset, on the scale of the linear predictor: 0 for rates per
            unit of exposure. By default it is computed, like any predictor, from its variable at
            `at` or at the mean: log(mean(t)) for ``offset(log(t))``, as emmeans since 1.8.7.
        comparisons : bool
            Add comparison arrows, adjusted: means whose arrows do not overlap differ at 1 − level.
        bias_adjust : bool
            With type="response": add half the second derivative of the inverse transformation times
            sigma², so that the mean of the response is estimated, not its median.
        sigma : float, "residual" or "total", optional
            The standard deviation of that: "total" has the random effects' variance, averaged over
            rows, and of a linear model the residual one. R's default is the residual one; of a
            generalized model there is none here (emmeans takes 1).
        tran : str or tuple, optional
            The transformation that the response had, where the formula does not show it: "log",
            "sqrt" ..., or with its numbers ``("boxcox", 0.5)``, as ``make.tran``.
        regrid : {"response", "log", "logit" ...}, optional
            Go to this scale before averaging: "response" gives means of the back-transformed cells,
            and their differences instead of ratios; "log" gives ratios of them.
        null, delta : float, optional
            Test against this value; the threshold of equivalence and its kin. Both on the scale of
            the linear predictor. They ask for tests, unless `infer` says otherwise.
        side : {"two-sided", "left", "right", "equivalence", "noninferiority", "nonsuperiority"}
            The alternative; "<" and ">" are left and right. The last three need `delta`.
        simple : str or list of str, optional
            Contrast the levels of these factors within each combination of the others; "each":
            of each factor in turn, in a dict.
        contrast_options : dict, optional
            Of the family: ``{"reverse": True}``, ``{"exclude": "B"}``, ``{"max_degree": 2}``,
            ``{"wts": [...]}``; of ``contrast()``: "ratios", "scale", "offset", "name".
        cov_reduce : {"mean", "median", "range", "min", "max", "meanint", "values"}, or dict
            Where covariates are held; "values": at all their values. A dict says it by covariate,
            or has a formula, ``{"x": "x ~ group"}``: its mean given other predictors.
        cov_keep : str or list of str, optional
            Covariates that are taken at all their values, as factors are.
        nesting : dict or False, optional
            ``{"batch": ["plant"]}``: batch is nested in plant; False: nothing is nested. emmeans
            finds nesting by itself where cells are empty.
        counterfactuals : str or list of str, optional
            Set these factors to each level in every row of the data, and average over the rows.
        nuisance : str or list of str, optional
            Factors averaged over before the grid is made, which keeps it small.
        vcov : array, DataFrame, str, result or function, optional
            Another covariance matrix of the coefficients, as in `avg_predictions`: "CR2", "HC3",
            "~ g", the result of `pymlm.cluster_robust` ... Degrees of freedom stay the model's.
        submodel : {"minimal", "type2"} or str, optional
            Means of a smaller model, projected from this one: of the factors of `specs` alone, of
            all terms that do not contain them (contrasts of type II), or of ``"~ a + b"``.
        cross_adjust : {"bonferroni", "holm", "sidak" ...}
            Adjust the p values across the groups of `by`, too, after `adjust` within them.

        Returns
        -------
        EmmGrid, or a dict of them
            Factors, then emmean (or estimate, for contrasts), std_error, df, conf_low, conf_high,
            or statistic and p_value.

        Raises
        ------
        ArgumentError
            For a variable, level or value that is not there, or a contrast of the wrong width.
        NotSupportedError
            Kenward-Roger for an ML fit, t tests for a GLMM, between-within, a nonlinear model.

        Notes
        -----
        Mirrors ``emmeans(model, specs, by, at =, lmer.df =)`` and ``contrast(..., method, adjust)``
        of emmeans.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
        >>> m.emmeans("recipe").to_frame()[["recipe", "emmean"]].round(3).values.tolist()
        [['A', 33.122], ['B', 31.644], ['C', 31.6]]
        """
        given = locals()
        each = several_specs(specs, self._source.sent)
        if each is not None:
            return {k: self._means("emmeans", given | {"specs": v}) for k, v in each.items()}
        if simple == "each" and "each" not in self._source.sent:
            factors = means_factors(specs, by, self._source.sent)
            return {f: self._means("emmeans", given | {"simple": f}) for f in factors}
        return self._means("emmeans", given)

    @strict
    def emtrends(
        self,
        specs: Specs,
        var: str,
        by: Names | None = None,
        at: At | None = None,
        contrast: Contrast | None = None,
        adjust: Adjust | None = None,
        ddf: Ddf | None = "default",
        level: Level | None = None,
        infer: Infer | None = None,
        weights: MeansWeights | Sequence[float] | None = None,
        ref: Ref | None = None,
        interaction: bool = False,
        engine: Engine | None = None,
        *,
        max_degree: int | None = None,
        regrid: Regrid | None = None,
        null: float | None = None,
        delta: float | None = None,
        side: Side | None = None,
        simple: Specs | None = None,
        contrast_options: Mapping[str, Any] | None = None,
        cov_reduce: CovReduce | None = None,
        nesting: Nesting | None = None,
        vcov: Covariance = None,
        cross_adjust: CrossAdjust = "none",
    ) -> EmmGrid:
        """Return the slope of `var` at the levels of factors or at values of a moderator.

        The simple slopes of a cross-level interaction ``x * z`` are
        ``m.emtrends("z", "x", at={"z": [-1, 0, 1]})``.

        Parameters
        ----------
        specs : str or list of str
            Factors or covariates at which the slope is taken, or a formula ``"~ a | b"``; "1" for
            one slope.
        var : str
            The covariate, or a function of one: ``"log(dose)"``.
        by, at, contrast, adjust, ddf, level, infer, weights, ref, interaction, engine, null, \
delta, side, simple, contrast_options, cov_reduce, nesting, vcov, cross_adjust
            As in `emmeans`.
        max_degree : int, optional
            Polynomial trends up to this degree, each a row.
        regrid : {"response", "log" ...}, optional
            Slopes on another scale, such as that of probabilities; with z tests.

        Returns
        -------
        EmmGrid
            Factors, then trend (or estimate, for contrasts), std_error, df, conf_low, conf_high, or
            statistic and p_value; on the scale of the linear predictor.

        Raises
        ------
        ArgumentError
            When `var` is a factor or no predictor, and as in `emmeans`.
        NotSupportedError
            As in `emmeans`.

        Notes
        -----
        Mirrors ``emtrends(model, specs, var, at =, lmer.df =)`` of emmeans, which takes difference
        quotients over a thousandth of the range of `var`.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
        >>> m.emtrends("recipe", "temp").to_frame().iloc[:, 1].round(3).to_list()
        [0.154, 0.165, 0.156]
        """
        if not isinstance(var, str):
            raise ArgumentError(f"var names one covariate, e.g. 'Days', not {var!r}")
        if var not in self._description().frame_names:
            vet(f"~ {var}")
        return self._means("emtrends", locals(), var=var)
