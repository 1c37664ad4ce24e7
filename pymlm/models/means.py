"""Marginal means and their contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from pymlm.arguments import choice, finite, flag, fraction, strict, text_list
from pymlm.errors import ArgumentError
from pymlm.formula import vet
from pymlm.models.attributes import CommonAttributes
from pymlm.models.exact import KENWARD_ROGER, SATTERTHWAITE
from pymlm.models.parallel import whole_number
from pymlm.results.emm import EmmGrid, JointTests

MeansType = Literal["link", "response"]

#: Contrast families of emmeans, by the names under which R knows them.
CONTRASTS = (
    "pairwise", "revpairwise", "tukey", "consec", "mean_chg", "eff", "del.eff", "trt.vs.ctrl",
    "trt.vs.ctrl1", "trt.vs.ctrlk", "dunnett", "poly", "identity",
)  # fmt: skip
ADJUSTMENTS = (
    "none", "tukey", "scheffe", "sidak", "dunnettx", "mvt", "bonferroni", "holm", "hochberg",
    "hommel", "BH", "fdr", "BY",
)  # fmt: skip
WEIGHTS = ("equal", "proportional", "outer", "cells", "flat")

Specs = str | Sequence[str]
At = Mapping[str, Any]
Contrast = str | Mapping[str, Sequence[float]] | Any


class MeansMethods(CommonAttributes):
    """What emmeans answers for a fitted model."""

    @strict
    def emmeans(
        self,
        specs: Specs,
        by: Specs | None = None,
        at: At | None = None,
        contrast: Contrast | None = None,
        adjust: str | None = None,
        ddf: str | None = "default",
        type: MeansType = "link",
        level: float | None = None,
        infer: Literal["ci", "test", "both"] | None = None,
        weights: str | None = None,
        ref: int | str | None = None,
        interaction: bool = False,
        engine: str | None = None,
        offset: float | None = None,
        comparisons: bool = False,
    ) -> EmmGrid:
        """Return estimated marginal means, or contrasts of them.

        Parameters
        ----------
        specs : str or list of str
            Factors over whose levels the means are taken, or a formula ``"~ a | b"``.
        by : str or list of str, optional
            Factors within whose levels contrasts and adjustments are made.
        at : dict, optional
            Values of covariates, or levels of factors, instead of the means and all levels:
            ``{"dose": [0, 1], "group": ["a", "b"]}``.
        contrast : str, dict or array, optional
            "pairwise", "revpairwise", "trt.vs.ctrl", "trt.vs.ctrlk", "poly", "consec", "eff" ...;
            or the coefficients: ``{"name": [1, -1, 0]}``, or an array with a row a contrast. One
            coefficient a mean, in the means' order.
        adjust : str, optional
            "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "none" ...; by default what
            emmeans uses: "tukey" for pairwise contrasts, "dunnettx" for trt.vs.ctrl, "fdr" for eff,
            "none" for means, poly and one's own.
        ddf : str or None
            "Satterthwaite" (default of lmer), "Kenward-Roger" (REML fits; it adjusts the standard
            errors, too) or "asymptotic" (z tests, as None; default of a GLMM). By default emmeans'
            own elsewhere: "residual" (lm), "containment" (lme), "Satterthwaite" (gls). The size of
            the data changes nothing: emmeans' own limits are not used.
        type : {"link", "response"}
            "response" transforms means back from a link or a transformed response.
        level : float, optional
            Confidence level, 0.95 by default.
        infer : {"ci", "test", "both"}, optional
            By default intervals for means and tests for contrasts, as R prints them.
        weights : {"equal", "proportional", "outer", "cells", "flat"}, optional
            How to average over the factors left out.
        ref : int or str, optional
            The control of trt.vs.ctrl: its number, from 1, or its level.
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

        Returns
        -------
        EmmGrid
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
        return self._ask_ddf(
            "emmeans",
            EmmGrid,
            engine,
            specs=_specs(specs),
            by=text_list(by, "by"),
            at=_at(at),
            contrast=_contrast(contrast, ref, interaction),
            options=_options(adjust, type, level, infer, weights, ref, interaction, offset)
            | {"comparisons": flag(comparisons, "comparisons")},
            ddf=self._means_ddf(ddf),
        )

    @strict
    def emtrends(
        self,
        specs: Specs,
        var: str,
        by: Specs | None = None,
        at: At | None = None,
        contrast: Contrast | None = None,
        adjust: str | None = None,
        ddf: str | None = "default",
        level: float | None = None,
        infer: Literal["ci", "test", "both"] | None = None,
        weights: str | None = None,
        ref: int | str | None = None,
        interaction: bool = False,
        engine: str | None = None,
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
        by, at, contrast, adjust, ddf, level, infer, weights, ref, interaction, engine
            As in `emmeans`.

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
        """
        if not isinstance(var, str):
            raise ArgumentError(f"var names one covariate, e.g. 'Days', not {var!r}")
        if var not in self._description().frame_names:
            vet(f"~ {var}")
        return self._ask_ddf(
            "emtrends",
            EmmGrid,
            engine,
            specs=_specs(specs),
            var=var,
            by=text_list(by, "by"),
            at=_at(at),
            contrast=_contrast(contrast, ref, interaction),
            options=_options(adjust, None, level, infer, weights, ref, interaction),
            ddf=self._means_ddf(ddf),
        )

    @strict
    def joint_tests(
        self,
        by: Specs | None = None,
        at: At | None = None,
        ddf: str | None = "default",
        engine: str | None = None,
    ) -> JointTests:
        """Return joint F tests of all terms, through the marginal means.

        Parameters
        ----------
        by : str or list of str, optional
            Test within the levels of these factors.
        at, ddf, engine
            As in `emmeans`.

        Raises
        ------
        ArgumentError, NotSupportedError
            As in `emmeans`.

        Notes
        -----
        Mirrors ``joint_tests(model, by, lmer.df =)`` of emmeans.
        """
        return self._ask_ddf(
            "joint_tests",
            JointTests,
            engine,
            by=text_list(by, "by"),
            at=_at(at),
            ddf=self._means_ddf(ddf),
        )

    @strict
    def cld(
        self,
        specs: Specs,
        by: Specs | None = None,
        at: At | None = None,
        alpha: float = 0.05,
        adjust: str | None = None,
        ddf: str | None = "default",
        level: float | None = None,
        weights: str | None = None,
        engine: str | None = None,
        offset: float | None = None,
    ) -> EmmGrid:
        """Return marginal means, sorted, with a compact letter display of their differences.

        Parameters
        ----------
        specs, by, at, adjust, ddf, level, weights, engine, offset
            As in `emmeans`.
        alpha : float
            Significance level of the comparisons.

        Returns
        -------
        EmmGrid
            With `group`: means that share a symbol are not shown to differ.

        Raises
        ------
        RPackageError
            When multcomp or multcompView is not installed.

        Notes
        -----
        Mirrors ``multcomp::cld(emmeans(model, specs, by), alpha)``; Piepho 2004,
        doi:10.1198/1061860043515.
        """
        return self._ask_ddf(
            "cld",
            EmmGrid,
            engine,
            specs=_specs(specs),
            by=text_list(by, "by"),
            at=_at(at),
            alpha=fraction(alpha, "alpha"),
            options=_options(adjust, None, level, None, weights, None, False, offset),
            ddf=self._means_ddf(ddf),
        )

    def _means_ddf(self, ddf: str | None) -> str:
        method = self._ddf(ddf)  # None is z tests; a default without engines is emmeans' to choose
        if ddf == "default" and method not in (SATTERTHWAITE, KENWARD_ROGER, None):
            return "default"
        return method or "asymptotic"


def _specs(specs: Specs) -> list[str]:
    if isinstance(specs, str) and "~" in specs:
        formula = vet(specs)
        if formula.two_sided:
            left = specs.split("~")[0].strip()
            raise ArgumentError(
                f"specs={specs!r}: write the contrast as an argument, contrast={left!r}, and specs "
                "as a one-sided formula or names"
            )
        return [specs]
    names = text_list(specs, "specs")
    if names is None:
        raise ArgumentError("specs names no factor; write e.g. emmeans('treatment')")
    for name in names:
        if name.lstrip().startswith("~"):
            raise ArgumentError(f"specs: give the formula {name!r} alone, not in a list")
    return names


def _at(at: At | None) -> dict[str, Any] | None:
    if at is None:
        return None
    if not isinstance(at, Mapping):
        raise ArgumentError(f"at maps a predictor to its values, e.g. {{'x': [0, 1]}}, not {at!r}")
    out: dict[str, Any] = {}
    for name, values in at.items():
        array = np.atleast_1d(np.asarray(values))
        if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "biufUO":
            raise ArgumentError(f"at: {name!r} must have one or more numbers or levels")
        if array.dtype.kind in "iuf" and not np.isfinite(array).all():
            raise ArgumentError(f"at: {name!r} has a missing or infinite value")
        if array.dtype.kind in "bUO":
            out[str(name)] = [_level(v) for v in array.tolist()]
        else:
            out[str(name)] = array.astype(float)
    return out


def _level(value: Any) -> str:
    return str(value).upper() if isinstance(value, bool) else str(value)


def _contrast(contrast: Contrast | None, ref: int | str | None, interaction: bool) -> Any:
    """R's name of a contrast family, or named coefficients."""
    controlled = isinstance(contrast, str) and contrast.casefold() in ("trt.vs.ctrl", "dunnett")
    if ref is not None and not controlled:
        raise ArgumentError(f"ref names the control of contrast='trt.vs.ctrl', not of {contrast!r}")
    if contrast is None:
        if interaction:
            raise ArgumentError("interaction=True needs contrast=, e.g. 'pairwise'")
        return None
    if isinstance(contrast, str):
        return choice(contrast, CONTRASTS, "contrast")
    try:
        if isinstance(contrast, Mapping):
            rows = {str(k): np.asarray(v, dtype=float) for k, v in contrast.items()}
        else:
            matrix = np.atleast_2d(np.asarray(contrast, dtype=float))
            rows = {f"c{i + 1}": row for i, row in enumerate(matrix)}
    except (TypeError, ValueError):
        raise ArgumentError(
            f"contrast is a name such as 'pairwise' or holds numbers, not {contrast!r}"
        ) from None
    for name, row in rows.items():
        if row.ndim != 1 or not np.isfinite(row).all():
            raise ArgumentError(f"contrast {name!r} must be a list of finite numbers")
    if not rows:
        raise ArgumentError("contrast has no coefficients")
    return rows


def _options(
    adjust: str | None,
    kind: str | None,
    level: float | None,
    infer: str | None,
    weights: str | None,
    ref: int | str | None,
    interaction: bool,
    offset: float | None = None,
) -> dict[str, Any]:
    """What was asked for beyond emmeans' defaults."""
    options: dict[str, Any] = {}
    if adjust is not None:
        options["adjust"] = choice(adjust, ADJUSTMENTS, "adjust")
    if choice(kind, ("link", "response", None), "type") == "response":
        options["type"] = "response"
    if level is not None:
        options["level"] = fraction(level, "level")
    if infer is not None:
        which = choice(infer, ("ci", "test", "both"), "infer")
        options["infer"] = [which in ("ci", "both"), which in ("test", "both")]
    if weights is not None:
        options["weights"] = choice(weights, WEIGHTS, "weights")
    if ref is not None:
        options["ref"] = ref if isinstance(ref, str) else whole_number(ref, "ref", 1)
    if flag(interaction, "interaction"):
        options["interaction"] = True
    if offset is not None:
        options["offset"] = finite(offset, "offset")
    return options
