"""Tests and intervals of variance components, and confidence intervals."""

from __future__ import annotations

from dataclasses import replace

from pymlm.argument_types import (
    BootInterval,
    ConfintMethod,
    Count,
    Engine,
    Jobs,
    Level,
    Names,
    SdOrVariance,
    Seed,
)
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import RWarning, warn
from pymlm.models.attributes import CommonAttributes
from pymlm.models.bootstrap import bootstrap_model
from pymlm.results.bootstrap import Bootstrap
from pymlm.results.fixed import ConfidenceIntervals
from pymlm.results.variance import Profile, RandomAnova, VarCorrErrors


class VarianceMethods(CommonAttributes):
    """Inference on variances, and confidence intervals of every parameter."""

    @strict
    def ranova(self, reduce_terms: bool = True) -> RandomAnova:
        """Test the random-effect terms, one deletion at a time, by likelihood ratios.

        Parameters
        ----------
        reduce_terms : bool
            ``(x | g)`` becomes ``(1 | g)``; False takes whole terms away.

        Returns
        -------
        RandomAnova
            R's p-values, and beside them those of the chi-bar-square mixture.

        Raises
        ------
        NotSupportedError
            For a model that is not linear.
        DataError
            When the model's data are not with it.

        Notes
        -----
        Mirrors ``ranova(model, reduce.terms)`` of lmerTest.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.ranova().to_frame().round(2)[["npar", "lrt", "df"]]
                                  npar    lrt   df
        <none>                     6.0    NaN  NaN
        Days in (Days | Subject)   4.0  42.84  2.0
        """
        return self._ask("ranova", RandomAnova, reduce_terms=reduce_terms)

    @strict
    def confint(
        self,
        method: ConfintMethod = "Wald",
        parm: Names | None = None,
        level: Level = 0.95,
        nsim: Count = 500,
        seed: Seed | None = None,
        n_jobs: Jobs = 1,
        boot_type: BootInterval = "perc",
        scale: SdOrVariance = "sd",
    ) -> ConfidenceIntervals:
        """Return confidence intervals of fixed effects and variance components.

        Parameters
        ----------
        method : {"Wald", "profile", "boot"}
        parm : str or list of str, optional
            Parameters by name: "(Intercept)", "sd_(Intercept)|Subject" or R's ".sig01";
            ``"beta_"`` for all fixed effects, ``"theta_"`` for all variance components. Default:
            all; for Wald, as variances have no good Wald interval, the fixed effects.
        level : float
        nsim, seed, n_jobs
            Of the bootstrap; see `bootstrap`.
        boot_type : {"perc", "basic", "norm"}
        scale : {"sd", "variance"}
            Of the variance components. Correlations stay correlations.

        Returns
        -------
        ConfidenceIntervals
            ``.failures`` says, by parameter, where an interval is missing or doubtful.

        Raises
        ------
        ArgumentError
            For a parameter that the model has not; near names are listed.
        NotSupportedError
            Profile of a singular fit that cannot be profiled.

        Notes
        -----
        Mirrors ``confint(model, parm, level, method, oldNames = FALSE)`` of lme4. Wald intervals of
        variance components, which R leaves empty, are Stata's: exp(log v ± z·SE/v), see
        `varcorr_se`. A REML fit is profiled by maximum likelihood, as lme4 does it.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.confint().to_frame().loc["Days"].round(2).to_list()
        [7.44, 13.5]
        """
        if method != "boot":
            return self._ask(
                "confint", ConfidenceIntervals, method=method, parm=parm, level=level, scale=scale
            )
        boot = bootstrap_model(self, None, nsim, seed, n_jobs, level=level, scale=scale)
        return self._boot_intervals(boot, parm, boot_type)

    def _boot_intervals(
        self, boot: Bootstrap, parm: Names | None, kind: str
    ) -> ConfidenceIntervals:
        at = call("which_parameters", self._handle, parm, into=tuple[int, ...])
        limits = boot.confint(kind).iloc[[i - 1 for i in at]]
        answer: ConfidenceIntervals = call(
            "boot_confint", self._handle, list(limits.index), limits["conf_low"].to_numpy(),
            limits["conf_high"].to_numpy(), boot.level,
            into=ConfidenceIntervals,
        )  # fmt: skip
        none = limits.index[limits["conf_low"].isna()]
        failures = dict.fromkeys(none, "too few different draws for an interval")
        if boot.n_failed:
            warn(f"some bootstrap runs failed ({boot.n_failed}/{boot.nsim})", RWarning)
        notes = (f"{boot.nsim} draws, seed {boot.seed}, {boot.n_failed} failed refits",)
        return replace(answer, notes=(*answer.notes, *notes), failures=failures)

    @strict
    def profile(self, parm: Names | None = None) -> Profile:
        """Profile the likelihood: the deviance as each parameter moves, all others at their best.

        Parameters
        ----------
        parm : str or list of str, optional
            As in `confint`; default all.

        Raises
        ------
        NotSupportedError
            For a singular fit that cannot be profiled.
        ArgumentError
            For a parameter that the model has not.

        Notes
        -----
        Mirrors ``profile(model, which, signames = FALSE)`` of lme4.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> zeta = m.profile(parm=["Days"]).to_frame()
        >>> zeta.query("parameter == 'Days' and abs(zeta) < 1e-6")["Days"].round(2).to_list()
        [10.47]
        """
        return self._ask("profile", Profile, parm=parm)

    @strict
    def varcorr_se(self, level: Level = 0.95, engine: Engine | None = None) -> VarCorrErrors:
        """Return variances and covariances with standard errors, as Stata and SAS print them.

        Parameters
        ----------
        level : float
            Of the intervals: on the log scale for variances, plain for covariances.
        engine : {"auto", "lmerTest", "exact"}, optional
            What differentiates the deviance, as for Satterthwaite's method in `summary`.

        Raises
        ------
        NotSupportedError
            For a model that is not linear.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.varcorr_se().to_frame().round(1)[["vcov", "std_error"]]
            vcov  std_error
        0  612.1      288.8
        1   35.1       14.8
        2    9.6       46.7
        3  654.9       77.2
        """
        used = self._engine("Satterthwaite", engine)
        native: VarCorrErrors = self._ask(
            "varcorr_se", VarCorrErrors, False, engine=used, level=level
        )
        return native
