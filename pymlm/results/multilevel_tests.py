"""Tests side by side, rules of comparison, information criteria, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from pymlm.results.base import Floats, Result, check_known


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DdfTable(Result):
    """Tests of every fixed effect by every rule of denominator degrees of freedom.

    Attributes
    ----------
    term, ddf : tuple of str, length k
        Coefficient and rule: "asymptotic" (z, the same as chi² with 1 df), "residual",
        "between-within", "Satterthwaite", "Kenward-Roger".
    estimate, std_error, df, statistic, p_value : ndarray, shape (k,)
        NaN where the rule does not apply to this model; `notes` says why. Kenward-Roger has
        standard errors of its own.
    chisq : ndarray, shape (k,)
        statistic².
    notes : dict of str to str
        Rule -> why it has no numbers.

    Notes
    -----
    Lecture S4 (significance of fixed effects; DDF methods); Kuznetsova et al. 2017,
    doi:10.18637/jss.v082.i13; Halekoh & Højsgaard 2014, doi:10.18637/jss.v059.i09. Between-within
    as SAS's DDFM=BW: level 2 has groups − level-2 effects, level 1 rows − groups − level-1 effects.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "ddf", "estimate", "std_error", "df", "statistic", "chisq", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    ddf: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    chisq: Floats
    p_value: Floats
    # By rule, where other results have texts.
    notes: Mapping[str, str]  # type: ignore[assignment]

    def _remarks(self) -> list[str]:
        return [f"{rule}: {why}" for rule, why in self.notes.items()]

    def wide(self, what: str = "df") -> pd.DataFrame:
        """Return one column a rule: its `what` ("df", "p_value", "std_error" ...).

        Raises
        ------
        ArgumentError
            For a column that there is not.
        """
        check_known(what, self._columns, "column")
        frame = self.to_frame()
        rules = {rule: frame.loc[frame["ddf"] == rule, what] for rule in dict.fromkeys(self.ddf)}
        return pd.DataFrame(rules)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class JointWald(Result):
    """Multivariate Wald test of several fixed effects, by chi² and by F, side by side.

    Attributes
    ----------
    ddf : tuple of str, length k
    statistic : ndarray, shape (k,)
        chi² for "asymptotic", else F.
    num_df, den_df : ndarray, shape (k,)
        den_df is infinite for chi².
    p_value : ndarray, shape (k,)
    terms : tuple of str
        The coefficients tested against 0.
    notes : dict of str to str

    Notes
    -----
    Lecture S4: numerator DF > 1. ``lmerTest::contestMD``; Wald's chi² is b'V⁻¹b.
    """

    _columns: ClassVar[tuple[str, ...]] = ("statistic", "num_df", "den_df", "p_value")
    _index: ClassVar[str | None] = "ddf"

    ddf: tuple[str, ...]
    statistic: Floats
    num_df: Floats
    den_df: Floats
    p_value: Floats
    terms: tuple[str, ...]
    # By rule, where other results have texts.
    notes: Mapping[str, str]  # type: ignore[assignment]

    def _remarks(self) -> list[str]:
        return [f"{rule}: {why}" for rule, why in self.notes.items()]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ComparisonRules(Result):
    """What may be compared between two models, and how: S4's table of rules as data.

    Attributes
    ----------
    differ_in : str
        "means" (fixed effects), "variances" (random effects), "both" or "nothing".
    nested : bool
        One model is a subset of the other.
    estimation : tuple of str, length 2
        "ML" or "REML", of each model.
    lrt : bool
        A likelihood ratio test of these two fits is valid.
    wald : bool
        The fixed effects may be tested by their own p-values instead.
    criteria : bool
        AIC and BIC of these two fits may be compared.
    boundary : bool
        Variances are tested: chi-bar-square p-values, or exact_rlrt.
    refit : str or None
        "ML" or "REML": how to refit both for the preferred comparison; None when they are right.
    reasons : tuple of str
        The rules that were applied, in words.

    Notes
    -----
    Lecture S4, "Summary of rules for comparing models" and "LRTs using ML vs. REML in a nutshell".
    """

    differ_in: str
    nested: bool
    estimation: tuple[str, ...]
    lrt: bool
    wald: bool
    criteria: bool
    boundary: bool
    refit: str | None
    reasons: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        names = ("differ_in", "nested", "lrt", "wald", "criteria", "boundary", "refit")
        row = {n: getattr(self, n) for n in names}
        return pd.DataFrame([row | {"estimation": " / ".join(self.estimation)}])

    def _body(self) -> str:
        """The verdict in words."""
        yes = {True: "yes", False: "no"}
        head = (
            f"differ in: {self.differ_in}; nested: {yes[self.nested]}; estimation: "
            f"{' / '.join(self.estimation)}\n"
            f"likelihood ratio test: {yes[self.lrt]}; Wald p-values of fixed effects: "
            f"{yes[self.wald]}; AIC, BIC: {yes[self.criteria]}"
        )
        return "\n".join([head, *(f"- {r}" for r in self.reasons)])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Performance(Result):
    """How well models fit, one row a model.

    Attributes
    ----------
    term : tuple of str, length k
        Names of the models.
    nobs, npar : ndarray, shape (k,)
        Rows used, and parameters that the criteria count.
    loglik, aic, aicc, bic : ndarray, shape (k,)
        aicc is NaN where there are no more rows than parameters.
    aic_weight, aicc_weight, bic_weight : ndarray, shape (k,)
        exp(−Δ/2), scaled to add to 1: the evidence for each among these models.
    r2_marginal, r2_conditional, icc : ndarray, shape (k,)
        Of models with random effects, else NaN; icc is the adjusted one.
    r2, r2_adjusted : ndarray, shape (k,)
        Of an lm, else NaN.
    rmse : ndarray, shape (k,)
        Root of the mean squared residual, in units of the response.
    sigma : ndarray, shape (k,)
        Residual standard deviation.
    formulas : tuple of str, length k

    Notes
    -----
    ``performance::compare_performance``, Lüdecke et al. 2021, doi:10.21105/joss.03139.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "nobs", "npar", "aic", "aic_weight", "aicc", "aicc_weight", "bic", "bic_weight",
        "r2_conditional", "r2_marginal", "icc", "r2", "r2_adjusted", "rmse", "sigma",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    nobs: Floats
    npar: Floats
    loglik: Floats
    aic: Floats
    aic_weight: Floats
    aicc: Floats
    aicc_weight: Floats
    bic: Floats
    bic_weight: Floats
    r2_conditional: Floats
    r2_marginal: Floats
    icc: Floats
    r2: Floats
    r2_adjusted: Floats
    rmse: Floats
    sigma: Floats
    formulas: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class InformationCriteria(Result):
    """AIC and BIC in the flavour of one system.

    Attributes
    ----------
    aic, bic : float
        Smaller is better.
    aicc : float
        AIC corrected for few rows, −2LL + 2·npar·rows/(rows − npar − 1), with the rows that the
        system counts; NaN where these are too few, and of Mplus, which has none.
    minus_2ll : float
        −2 log-likelihood (restricted, for a REML fit).
    npar : int
        Parameters counted: all of them in R, Stata and Mplus; in SAS and SPSS the variance
        parameters only for a REML fit.
    n : float
        What the logarithm in BIC is taken of: rows, groups of the outermost level, or (SPSS, REML)
        rows less the rank of X.
    flavour : str
    reml : bool

    Notes
    -----
    Lecture S4: AIC = −2LL + 2·npar, BIC = −2LL + log(n)·npar.
    """

    aic: float
    aicc: float
    bic: float
    minus_2ll: float
    npar: int
    n: float
    flavour: str
    reml: bool

    _columns: ClassVar[tuple[str, ...]] = (
        "aic", "aicc", "bic", "minus_2ll", "npar", "n", "flavour",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AssumptionChecks(Result):
    """Checks of a model's assumptions, and the data to plot them.

    Attributes
    ----------
    check : tuple of str, length k
        "linearity", "normal residuals", "constant residual variance", "equal residual variance
        across g", "independence within g" and "normal random effects g: term".
    statistic : ndarray, shape (k,)
        Where the check has one, else NaN.
    p_value : ndarray, shape (k,)
        Small values speak against the assumption. With many rows tiny departures get small ones:
        look at the plots.
    method : tuple of str
    residuals : DataFrame
        One row per row used: fitted, residual (scaled), normal_quantile, and the groups.
    random_effects : DataFrame
        One row per mode: effect, mode, normal_quantile.

    Notes
    -----
    Lectures S0 and S1: linear predictor, independence, constant variance, normal errors at every
    level. Normal residuals: ``performance::check_normality``, Lüdecke et al. 2021,
    doi:10.21105/joss.03139; constant variance: Cook & Weisberg 1983, doi:10.1093/biomet/70.1.1.
    Normality of modes: Shapiro-Wilk; equality across groups: Fligner-Killeen; independence:
    products of successive residuals within groups in the data's order, less their expectation.
    """

    _columns: ClassVar[tuple[str, ...]] = ("statistic", "p_value", "method")
    _index: ClassVar[str | None] = "check"

    check: tuple[str, ...]
    statistic: Floats
    p_value: Floats
    method: tuple[str, ...]
    residuals: pd.DataFrame
    random_effects: pd.DataFrame
