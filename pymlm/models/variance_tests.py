"""Tests and intervals of variance components, and confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

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
from pymlm.errors import ArgumentError, RWarning, near_names, warn
from pymlm.figures import figure_of
from pymlm.models.bootstrap import Bootstrap, bootstrap_model
from pymlm.models.common_attributes import CommonAttributes
from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import ConfidenceIntervals


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RandomAnova(Result):
    """Likelihood-ratio tests of the random-effect terms, one deletion a row.

    Attributes
    ----------
    term : tuple of str, length k
        "<none>" is the model itself; "Days in (Days | Subject)" the model without that slope.
    npar : ndarray, shape (k,)
        Number of parameters.
    loglik, aic : ndarray, shape (k,)
        Restricted log-likelihood for a REML fit.
    lrt, df, p_value : ndarray, shape (k,)
        Test against the model itself, with R's own p-value, which is too large.
    p_value_boundary : ndarray, shape (k,)
        By the mixture ½χ²(df − 1) + ½χ²(df) where the deletion takes one variance (with its
        covariances); NaN where it takes several.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``ranova(model, reduce.terms)`` of lmerTest. Self & Liang 1987,
    doi:10.1080/01621459.1987.10478472; Stram & Lee 1994, doi:10.2307/2533455.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "npar", "loglik", "aic", "lrt", "df", "p_value", "p_value_boundary",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    npar: Floats
    loglik: Floats
    aic: Floats
    lrt: Floats
    df: Floats
    p_value: Floats
    p_value_boundary: Floats
    printed: Printed | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VarCorrErrors(Result):
    """Variances and covariances with standard errors and intervals, as Stata and SAS print them.

    Attributes
    ----------
    grp : tuple of str, length k
        Rows as in `VarCorr`; "Residual" last.
    var1, var2 : tuple of (str or None), length k
        var2 is None in a row that holds a variance.
    vcov : ndarray, shape (k,)
        Variance or covariance, in squared units of the response.
    std_error : ndarray, shape (k,)
        By the delta method from the Hessian in (θ, σ); NaN where a variance is estimated as zero.
    conf_low, conf_high : ndarray, shape (k,)
        exp(log v ± z·SE/v) for a variance v, plain Wald for a covariance.
    level : float

    Notes
    -----
    From lmerTest's asymptotic covariance of (θ, σ), the inverse Hessian of the deviance (of the
    REML criterion for a REML fit): with T = T(θ) and v = σ²(TT')ᵢⱼ, SE² = ∇v' cov(θ, σ) ∇v. What
    Stata's ``mixed, variance`` prints; Pinheiro & Bates 2000, doi:10.1007/b98882, ch. 2.4. There is
    no z test of a variance: its null value lies on the boundary (`lrt`, `ranova`).
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "grp", "var1", "var2", "vcov", "std_error", "conf_low", "conf_high",
    )  # fmt: skip

    grp: tuple[str, ...]
    var1: tuple[str | None, ...]
    var2: tuple[str | None, ...]
    vcov: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a component as a fresh DataFrame."""
        return pd.DataFrame(
            {
                "grp": pd.array(list(self.grp), dtype=object),
                "var1": pd.array(list(self.var1), dtype=object),
                "var2": pd.array(list(self.var2), dtype=object),
            }
            | {name: np.array(getattr(self, name)) for name in self._columns[3:]}
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Profile(Result):
    """The likelihood profile: for each parameter the curve of the signed root deviance ζ.

    Attributes
    ----------
    parameter : tuple of str, length m
        The parameter that a row fixes, e.g. "sd_(Intercept)|Subject"; `r_names` has ".sig01" ...
    zeta : ndarray, shape (m,)
        Signed square root of the deviance's increase over its minimum; 0 at the estimate.
    names : tuple of str, length k
        All parameters, the columns of `values`.
    values : ndarray, shape (m, k)
        All parameters at that point, the fixed one included: standard deviations, correlations,
        coefficients.
    r_names : tuple of str, length k

    Notes
    -----
    Mirrors ``profile(model, which, signames = FALSE)`` of lme4; Bates et al. 2015, section 5.1,
    doi:10.18637/jss.v067.i01. A REML fit is profiled by maximum likelihood, as lme4 does it.
    """

    plot = figure_of("profile")

    parameter: tuple[str, ...]
    zeta: Floats
    names: tuple[str, ...]
    values: Floats
    r_names: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return R's data: column `zeta`, one column a parameter, and `parameter`, in long form."""
        columns = {"zeta": np.array(self.zeta)}
        columns |= {name: self.values[:, i].copy() for i, name in enumerate(self.names)}
        frame = pd.DataFrame(columns)
        frame["parameter"] = pd.array(list(self.parameter), dtype=object)
        return frame

    def curve(self, parameter: str) -> pd.DataFrame:
        """Return one parameter's curve, columns value and zeta, by rising value.

        Raises
        ------
        ArgumentError
            When it was not profiled; near names are listed.
        """
        names = dict(zip(self.r_names, self.names, strict=True))
        name = names.get(parameter, parameter)
        here = np.array([p == name for p in self.parameter], dtype=bool)
        if name not in self.names or not here.any():
            raise ArgumentError(
                f"no profile of {parameter!r}."
                + near_names(parameter, self.names)
                + f" There are: {', '.join(dict.fromkeys(self.parameter))}"
            )
        frame = pd.DataFrame(
            {"value": self.values[here, self.names.index(name)], "zeta": self.zeta[here]}
        )
        return frame.sort_values("value", ignore_index=True)


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
