"""Rules of comparing models: what differs, what is nested, and which test is then valid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from pymlm.argument_types import Flavour, RowsOrGroups
from pymlm.arguments import strict
from pymlm.errors import ComparisonError, NotSupportedError
from pymlm.models.inside import call_on, is_linear
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.asked_model import mixed
from pymlm.multilevel.fixed_part import fixed_part, same_rows
from pymlm.multilevel.random_part import random_part
from pymlm.render import criteria
from pymlm.results.base import Floats, Result

#: Which of two models has the fewer parameters of a kind.
Relation = Literal["same", "first", "second", "apart"]


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


@strict
def compare_rules(m0: MixedModel, m1: MixedModel) -> ComparisonRules:
    """Say how two models differ, and by which tests they may be compared.

    Parameters
    ----------
    m0, m1 : LinearMixedModel
        In any order.

    Returns
    -------
    ComparisonRules
        ``print`` it for the verdict in words.

    Raises
    ------
    ComparisonError
        When the models were fitted to different rows or outcomes, or with different prior weights
        or offsets: nothing can be compared.
    NotSupportedError
        For models that are not linear.

    Notes
    -----
    Lecture S4's table, all on the same observations:

    ===========  =======================  =====================  =================
    differ in    means                    variances              both
    ===========  =======================  =====================  =================
    nested       p-values of ML or REML,  REML −2ΔLL             ML −2ΔLL
                 or ML −2ΔLL              (ML, if N is large)
    not nested   ML AIC, BIC              REML AIC, BIC          ML AIC, BIC
                                          (ML, if N is large)
    ===========  =======================  =====================  =================

    Fixed parts are compared by the column space of their model matrices, random parts by the names
    of their variances and covariances. lme4's ``anova(refit = FALSE)`` checks none of this.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("sleepstudy")
    >>> a = mlm.lmer("Reaction ~ Days + (1 | Subject)", d)
    >>> b = mlm.lmer("Reaction ~ Days + (Days | Subject)", d)
    >>> rules = mlm.compare_rules(a, b)
    >>> rules.differ_in, rules.nested, rules.lrt, rules.boundary
    ('variances', True, True, True)
    """
    a, b = mixed(m0, "compare_rules"), mixed(m1, "compare_rules")
    for m in (a, b):
        if not is_linear(m):
            raise NotSupportedError("the rules are those of linear mixed models (ML and REML)")
    at = same_rows(a, b)
    _check_given(a, b, at)
    x = a.model_matrix()
    y = b.model_matrix().iloc[at]
    return _verdict(_compare_means(x, y), _compare_variances(a, b), (a.reml, b.reml),
                    _same_columns(x, y))  # fmt: skip


def _check_given(a: MixedModel, b: MixedModel, at: Sequence[int]) -> None:
    """Refuse other prior weights or another offset: no parameter makes the difference."""
    one, other = fixed_part(a), fixed_part(b)
    for name in ("weights", "offset"):
        if not np.allclose(getattr(one, name), getattr(other, name)[at]):
            raise ComparisonError(
                f"the models have different {name}: neither is the other with parameters left out, "
                f"and the rules compare what is estimated. Fit both with the same {name}"
            )


def _rank(x: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int:
    scale = np.linalg.norm(x, axis=0)
    return int(np.linalg.matrix_rank(x / np.where(scale > 0, scale, 1.0)))


def _compare_means(a: pd.DataFrame, b: pd.DataFrame) -> Relation:
    x, y = a.to_numpy(dtype=float), b.to_numpy(dtype=float)
    together = _rank(np.hstack([x, y]))
    return _relation(_rank(y) == together, _rank(x) == together)


def _relation(first_within: bool, second_within: bool) -> Relation:
    if first_within and second_within:
        return "same"
    return "first" if first_within else "second" if second_within else "apart"


def _same_columns(x: pd.DataFrame, y: pd.DataFrame) -> bool:
    if x.shape != y.shape:
        return False
    return any(
        np.allclose(x.to_numpy(dtype=float)[:, order], y.to_numpy(dtype=float))
        for order in [[list(x.columns).index(c) for c in y.columns if c in x.columns]]
        if len(order) == x.shape[1]
    )


def _parameters(m: MixedModel) -> set[tuple[str, str, str]]:
    """Variances and covariances that the model estimates, by name."""
    out = set()
    for t in random_part(m).terms:
        for i, one in enumerate(t.terms):
            out |= {(t.group, *sorted((one, other))) for other in t.terms[i:]}
    return out  # type: ignore[return-value]  # sorted() of two is two


def _compare_variances(a: MixedModel, b: MixedModel) -> Relation:
    x, y = _parameters(a), _parameters(b)
    return _relation(x <= y, y <= x)


def _verdict(
    means: Relation, variances: Relation, reml: tuple[bool, bool], same_columns: bool
) -> ComparisonRules:
    differ = {
        (True, True): "nothing", (False, True): "means",
        (True, False): "variances", (False, False): "both",
    }[means == "same", variances == "same"]  # fmt: skip
    smaller = {means, variances} - {"same"}  # one model must have the fewer of both
    nested = "apart" not in smaller and len(smaller) < 2
    # REML likelihoods are comparable for one and the same set of columns only.
    comparable = reml[0] == reml[1] and (not all(reml) or (means == "same" and same_columns))
    boundary = variances != "same" and nested
    return ComparisonRules(
        differ_in=differ,
        nested=nested,
        estimation=tuple("REML" if r else "ML" for r in reml),
        lrt=comparable and nested and differ != "nothing",
        wald=differ == "means" and nested,
        criteria=comparable,
        boundary=boundary,
        refit=_refit(differ, reml, comparable),
        reasons=_reasons(differ, reml, nested, boundary, same_columns),
    )


def _reasons(
    differ: str, reml: tuple[bool, bool], nested: bool, boundary: bool, same_columns: bool
) -> tuple[str, ...]:
    one_method, by_reml = reml[0] == reml[1], all(reml)
    reasons = ["All observations are the same in both models."]
    if not one_method:
        reasons.append("One fit is by REML, one by ML: their likelihoods cannot be compared.")
    if by_reml and differ in ("means", "both"):
        reasons.append(
            "REML likelihoods of models with different fixed effects index different data: no "
            "−2ΔLL, AIC or BIC from them. Refit by ML: m.update(reml=False)."
        )
    elif by_reml and not same_columns:
        reasons.append(
            "The fixed parts say the same in other columns, which changes the REML criterion by a "
            "constant. Refit by ML, or write both with the same columns."
        )
    if differ == "variances" and one_method and not by_reml:
        reasons.append(
            "Variances are compared by REML; ML is fine when there are many groups (about 100)."
        )
    if boundary:
        reasons.append(
            "A variance cannot be negative: the naive chi² is conservative. Use the chi-bar-square "
            "p-value of pymlm.lrt, or pymlm.exact_rlrt; there is no Wald p-value for it."
        )
    if differ == "means" and nested:
        reasons.append("The fixed effects' own p-values will do, of ML or of REML.")
    if not nested:
        reasons.append("Neither model is a subset of the other: no test, compare AIC and BIC.")
    if differ == "nothing":
        reasons.append("The models are the same: there is nothing to test.")
    return tuple(reasons)


def _refit(differ: str, reml: tuple[bool, bool], comparable: bool) -> str | None:
    if differ == "nothing":
        return None
    if differ == "variances":
        return None if comparable and all(reml) else "REML" if not all(reml) else "ML"
    return None if not any(reml) else "ML"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    reml: bool
    nobs: int
    n_groups: Floats
    nested: bool
    loglik: float
    n_zero: int
    n_theta: int
    rank_x: int


#: The systems that count in their own ways, as `pymlm.render` prints them.
_COUNTED = {"SAS": criteria.sas, "SPSS": criteria.spss, "Mplus": criteria.mplus}


@strict
def information_criteria(
    m: MixedModel, flavour: Flavour = "R", n: RowsOrGroups | None = None
) -> InformationCriteria:
    """Return AIC and BIC as one system or another computes them.

    Parameters
    ----------
    m : MixedModel
    flavour : {"R", "Stata", "SAS", "SPSS", "Mplus"}
        R, Stata and Mplus count all parameters; SAS and SPSS, for a REML fit, those of the
        variances only, SAS without those that are estimated as 0.
    n : {None, "rows", "groups"}
        BIC's sample size. None, the default, is the system's own: rows (R, Stata, Mplus), rows less
        the rank of X for a REML fit (SPSS), subjects, the groups of the outermost level (SAS; 1
        where factors are crossed, which have no subject). "rows" and "groups" take those instead.

    Returns
    -------
    InformationCriteria

    Raises
    ------
    NotSupportedError
        SAS, SPSS or Mplus for a model that is not linear; Mplus for a REML fit, which it has not.

    Notes
    -----
    Lecture S4: "What parameters means depends on flavor". AIC = −2LL + 2k, BIC = −2LL + log(n)·k.
    SAS/STAT User's Guide, The MIXED Procedure; IBM SPSS Statistics Algorithms, MIXED; Mplus User's
    Guide. The numbers are those that `pymlm.render` prints.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> [round(mlm.information_criteria(m, flavour=f).bic, 1) for f in ("R", "SAS", "SPSS")]
    [1774.8, 1755.2, 1764.4]
    """
    model = mixed(m, "information_criteria")
    reml = bool(model.reml)
    if flavour == "Mplus" and reml:
        raise NotSupportedError(
            "Mplus has no REML, so no criteria of this fit. Refit by ML: m.update(reml=False)"
        )
    k, size, deviance = model.npar, float(model.nobs), -2 * model.loglik
    room = size - k - 1
    aicc = deviance + 2 * k * size / room if room > 0 else math.nan
    if flavour in _COUNTED:
        counted = _COUNTED[flavour](call_on(model, "counts_for_criteria", _Counts))
        k, size, aicc = counted.parameters, counted.n, counted.aicc
    if n is not None:
        size = float(model.nobs if n == "rows" else min(model.ngroups.values()))
    return InformationCriteria(
        aic=deviance + 2 * k,
        aicc=aicc,
        bic=deviance + math.log(size) * k,
        minus_2ll=deviance,
        npar=k,
        n=size,
        flavour=flavour,
        reml=reml,
    )
