"""What is tested of marginal means: all terms, letters of differences, standardized effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Literal

from pymlm.argument_types import (
    Adjust,
    Contrast,
    Ddf,
    Engine,
    Finite,
    Infer,
    Level,
    MeansType,
    MeansWeights,
    Names,
)
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.models.common_attributes import CommonAttributes
from pymlm.models.covariances import Covariance, fixed_covariance
from pymlm.models.exact import KENWARD_ROGER, SATTERTHWAITE
from pymlm.models.means_arguments import (
    At,
    Ref,
    Sigma,
    Specs,
    a_sigma,
    means_at,
    means_question,
)
from pymlm.results.emm import EmmGrid, JointTests


class MeansTestMethods(CommonAttributes):
    """Tests by way of marginal means, of every class of models."""

    @strict
    def joint_tests(
        self,
        by: Names | None = None,
        at: At | None = None,
        ddf: Ddf | None = "default",
        engine: Engine | None = None,
        *,
        vcov: Covariance = None,
        submodel: Literal["type2"] | None = None,
    ) -> JointTests:
        """Return joint F tests of all terms, through the marginal means.

        Parameters
        ----------
        by : str or list of str, optional
            Test within the levels of these factors.
        at, ddf, engine, vcov
            As in `emmeans`.
        submodel : "type2", optional
            Tests of type II, each term after all that do not contain it.

        Raises
        ------
        ArgumentError, NotSupportedError
            As in `emmeans`.

        Notes
        -----
        Mirrors ``joint_tests(model, by, lmer.df =)`` of emmeans.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
        >>> m.joint_tests().to_frame()["p_value"].round(3).to_list()
        [0.781, 0.0]
        """
        return self._ask_ddf(
            "joint_tests",
            JointTests,
            engine,
            by=by,
            at=means_at(at),
            options={"vcov": self._means_vcov(vcov, ddf), "submodel": submodel},
            ddf=self._means_ddf(ddf),
        )

    @strict
    def cld(
        self,
        specs: Specs,
        by: Names | None = None,
        at: At | None = None,
        alpha: Level = 0.05,
        adjust: Adjust | None = None,
        ddf: Ddf | None = "default",
        level: Level | None = None,
        weights: MeansWeights | Sequence[float] | None = None,
        engine: Engine | None = None,
        offset: Finite | None = None,
        *,
        type: MeansType = "link",
        vcov: Covariance = None,
    ) -> EmmGrid:
        """Return marginal means, sorted, with a compact letter display of their differences.

        Parameters
        ----------
        specs, by, at, adjust, ddf, level, weights, engine, offset, type, vcov
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

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
        >>> m.cld("recipe").to_frame()["recipe"].to_list()
        ['C', 'B', 'A']
        """
        return self._means("cld", locals(), alpha=alpha)

    @strict
    def eff_size(
        self,
        specs: Specs,
        sigma: Sigma | None = None,
        edf: float | None = None,
        by: Names | None = None,
        at: At | None = None,
        contrast: Contrast = "pairwise",
        adjust: Adjust | None = None,
        ddf: Ddf | None = "default",
        level: Level | None = None,
        infer: Infer | None = None,
        weights: MeansWeights | Sequence[float] | None = None,
        ref: Ref | None = None,
        engine: Engine | None = None,
        *,
        contrast_options: Mapping[str, Any] | None = None,
        vcov: Covariance = None,
    ) -> EmmGrid:
        """Return standardized effects: contrasts of marginal means over a standard deviation.

        Parameters
        ----------
        specs, by, at, contrast, adjust, ddf, level, infer, weights, ref, engine, vcov, \
contrast_options
            As in `emmeans`.
        sigma : float, "residual" or "total"
            The standard deviation; the residual one of an `lm` by default. "total" adds the random
            effects' variance, on average over the rows. A mixed model leaves the choice to you.
        edf : float
            Degrees of freedom behind sigma, which widen the intervals; inf where sigma is known.
            Those of the residuals of an `lm` by default.

        Returns
        -------
        EmmGrid
            The effects are `estimate`: differences in units of sigma.

        Raises
        ------
        ArgumentError
            Without sigma or edf where there is a choice, and as in `emmeans`.

        Notes
        -----
        Mirrors ``eff_size(emmeans(model, specs), sigma, edf, method)`` of emmeans, whose standard
        errors add the uncertainty of sigma by the delta method.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lm("breaks ~ wool * tension", mlm.load_dataset("datasets::warpbreaks"))
        >>> m.eff_size("tension")["estimate"].round(3).tolist()
        [0.914, 1.346, 0.432]
        """
        if contrast is None:
            raise ArgumentError(
                "an effect size is a difference over a standard deviation: contrast='pairwise', "
                "'trt.vs.ctrl' ..., or weights; the means themselves are m.emmeans(...)"
            )
        return self._means(
            "eff_size",
            locals(),
            sigma=None if sigma is None else a_sigma(sigma),
            edf=None if edf is None else _edf(edf),
        )

    def _means(self, question: str, given: Mapping[str, Any], **own: Any) -> EmmGrid:
        """Ask for means; `given` are the asking method's arguments by name, `own` its own ones."""
        asked = means_question(given, self._source.sent, own)
        if given.get("vcov") is not None:
            asked["options"]["vcov"] = self._means_vcov(given["vcov"], given["ddf"])
        return self._ask_ddf(
            question, EmmGrid, given["engine"], **asked, ddf=self._means_ddf(given["ddf"])
        )

    def _means_vcov(self, vcov: Covariance, ddf: str | None) -> Any:
        if vcov is not None and self._means_ddf(ddf) == KENWARD_ROGER:
            raise NotSupportedError(
                "Kenward and Roger adjust the model's own covariance matrix, and vcov= gives "
                "another (emmeans then answers with Satterthwaite); ask for ddf='Satterthwaite' or "
                "'asymptotic'"
            )
        return fixed_covariance(self, vcov)

    def _means_ddf(self, ddf: str | None) -> str:
        method = self._ddf(ddf)  # None is z tests; a default without engines is emmeans' to choose
        if ddf == "default" and method not in (SATTERTHWAITE, KENWARD_ROGER, None):
            return "default"
        return method or "asymptotic"


def _edf(edf: Any) -> float:
    if isinstance(edf, bool) or not isinstance(edf, Real) or not float(edf) > 0:
        raise ArgumentError(f"edf is a number of degrees of freedom, above 0, or inf, not {edf!r}")
    return float(edf)
