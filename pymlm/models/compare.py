"""Comparing models: anova, likelihood-ratio tests, and pbkrtest's tests of the means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from pymlm.arguments import choice, flag, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, ComparisonError, RError
from pymlm.models.alignment import check_same_rows, fixed_effects, larger_first, row_orders
from pymlm.models.base import Fitted
from pymlm.models.bootstrap import Draws, simulate_and
from pymlm.models.exact import SATTERTHWAITE, EngineMethods
from pymlm.models.hypotheses import hypotheses
from pymlm.models.parallel import check_jobs, check_seed, whole_number
from pymlm.models.persist import wrap
from pymlm.results.base import readonly
from pymlm.results.comparison import MeansComparison, ModelComparison
from pymlm.results.variance import ExactTest


@strict
def anova(
    m0: Any, m1: Any, *more: Any, refit: bool = True, names: Sequence[str] | None = None
) -> ModelComparison:
    """Compare models: information criteria, and likelihood-ratio tests between neighbours.

    Parameters
    ----------
    m0, m1, *more : models
        Mixed models, or `pymlm.lm` models as the smaller ones; linear, or generalized linear models
        alone; models of `pymlm.lme` and `pymlm.gls` (beside these an lm, too). In any order.
    refit : bool
        Refit REML models by maximum likelihood first, as R does. False compares REML fits as they
        are, which is allowed where their fixed effects agree. Fits of nlme are refitted only where
        that is not so: R compares them as they are.
    names : list of str, optional
        Names of the models in the table; default "m0", "m1" ...

    Returns
    -------
    ModelComparison
        Prints as R prints it. Without mixed models the tests are those of R's ``anova``: F for lm,
        and for glm F or chi-squared, as the dispersion is estimated or known. ``.notes`` says what
        R does not: refits, and that a model is not nested in the next one, which then gets no test.

    Raises
    ------
    ComparisonError
        Different rows (the message says how many), different responses, a linear against a
        generalized model, a fit by several points of quadrature against another, REML fits with
        different fixed effects and refit=False.
    ArgumentError
        For something that is no model.

    Notes
    -----
    Mirrors ``anova(m0, m1, ..., refit)`` of lme4.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("sleepstudy")
    >>> m0 = mlm.lmer("Reaction ~ Days + (1 | Subject)", d)
    >>> m1 = mlm.lmer("Reaction ~ Days + (Days | Subject)", d)
    >>> mlm.anova(m0, m1, refit=False).to_frame().round(2)[["npar", "chisq", "df"]]
        npar  chisq   df
    m0   4.0    NaN  NaN
    m1   6.0  42.84  2.0
    """
    models = (m0, m1, *more)
    _check_models("anova", *models)
    called = [f"m{i}" for i in range(len(models))] if names is None else [str(n) for n in names]
    if len(called) != len(models) or len(set(called)) != len(called):
        raise ArgumentError(f"names must be {len(models)} different names, not {names!r}")
    handles = [m._handle for m in models]
    orders = row_orders(models, called)
    found: ModelComparison = call(
        "compare_models", handles, called, flag(refit, "refit"), orders, into=ModelComparison
    )
    return found


@strict
def lrt(m0: Any, m1: Any, boundary: bool | Literal["auto"] = "auto") -> ModelComparison:
    """Test the smaller of two nested models by the likelihood ratio.

    Two REML fits with the same fixed effects are compared as REML (an lm counts as either);
    anything else by maximum likelihood.

    Parameters
    ----------
    m0, m1 : models
        As in `anova`, in either order.
    boundary : {"auto", True, False}
        Give ``p_value_boundary``, the p-value of the mixture ½χ²(df − 1) + ½χ²(df), where the test
        is one of a variance ("auto"), always, or never.

    Raises
    ------
    ComparisonError
        Different rows or responses, or models that are not nested.

    Notes
    -----
    Self & Liang 1987, doi:10.1080/01621459.1987.10478472; Stram & Lee 1994, doi:10.2307/2533455.
    For one variance alone this is Stata's ``LR test vs. linear model: chibar2(01)``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("sleepstudy")
    >>> m0 = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    >>> m1 = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    >>> mlm.lrt(m0, m1).to_frame()[["loglik", "chisq", "df"]].round(2)
        loglik  chisq   df
    m0 -893.23    NaN  NaN
    m1 -871.81  42.84  2.0
    """
    _check_models("lrt", m0, m1)
    how = choice(boundary, ("auto", True, False), "boundary")
    names, handles = ["m0", "m1"], [m0._handle, m1._handle]
    orders = row_orders((m0, m1), names)
    found: ModelComparison = call("lrt_models", handles, names, how, orders, into=ModelComparison)
    return found


@strict
def kr_modcomp(m1: Any, m0: Any, engine: str | None = None) -> MeansComparison:
    """Test the means of the smaller model m0 within m1 by Kenward-Roger's F test.

    Parameters
    ----------
    m1 : LinearMixedModel
        The larger model, a REML fit.
    m0 : LinearMixedModel, array-like or text
        The smaller model, or hypotheses as `contest` takes them. Two models may come in either
        order; the larger is the one with more fixed effects.
    engine : {"auto", "lmerTest", "exact"}, optional
        What computes the degrees of freedom, as in the models' `summary`; "lmerTest" stands for
        pbkrtest here.

    Raises
    ------
    NotSupportedError
        For an ML fit, or one whose matrices would not fit into memory.
    ComparisonError
        For models that are not nested, or have different rows.

    Notes
    -----
    Mirrors ``KRmodcomp(largeModel, smallModel)`` of pbkrtest; Halekoh & Højsgaard 2014,
    doi:10.18637/jss.v059.i09.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("nlme::Orthodont")
    >>> m1 = mlm.lmer("distance ~ age * Sex + (1 | Subject)", data)
    >>> m0 = mlm.lmer("distance ~ age + (1 | Subject)", data)
    >>> mlm.kr_modcomp(m1, m0).to_frame().round(3)
            statistic  num_df  den_df  f_scaling  p_value
    Ftest       7.695     2.0  49.941      0.987    0.001
    FtestU      7.797     2.0  49.941        NaN    0.001
    """
    return _means(m1, m0, "Kenward-Roger", engine)


@strict
def sat_modcomp(m1: Any, m0: Any, engine: str | None = None) -> MeansComparison:
    """Test the means of the smaller model m0 within m1 by Satterthwaite's F test.

    Parameters
    ----------
    m1 : LinearMixedModel
        The larger model; pbkrtest refits it by REML.
    m0 : LinearMixedModel, array-like or text
        The smaller model, or hypotheses as `contest` takes them. Two models may come in either
        order; the larger is the one with more fixed effects.
    engine : {"auto", "lmerTest", "exact"}, optional
        What computes the degrees of freedom, as in the models' `summary`; "lmerTest" stands for
        pbkrtest here.

    Raises
    ------
    ComparisonError
        For models that are not nested, or have different rows.

    Notes
    -----
    Mirrors ``SATmodcomp(largeModel, smallModel)`` of pbkrtest.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("nlme::Orthodont")
    >>> m = mlm.lmer("distance ~ age * Sex + (1 | Subject)", data)
    >>> mlm.sat_modcomp(m, "age:SexFemale = 0").to_frame()[["statistic", "den_df"]].round(3)
       statistic  den_df
    1      6.303    79.0
    """
    return _means(m1, m0, "Satterthwaite", engine)


def _means(m1: Any, m0: Any, method: str, engine: str | None) -> MeansComparison:
    _check_models("m1", m1)
    small: dict[str, Any] = {}
    note: tuple[str, ...] = ()
    if isinstance(m0, Fitted):
        pair = larger_first(m1, m0, ("m1", "m0"), fixed_effects)
        m1, note = pair.large, pair.note
        check_same_rows(m1, pair.small, pair.names)
        small |= {"small": pair.small._handle, "names": list(pair.names)}
    else:
        asked = hypotheses(m1._handle, m0)
        if any(asked.rhs):
            raise ArgumentError("a restriction of the means has right-hand side 0; use m.contest")
        small["L"] = asked.rows
    used = None
    if isinstance(m1, EngineMethods):
        # pbkrtest's Satterthwaite test refits an ML model by REML, where the closed forms are not.
        by_ml = method == SATTERTHWAITE and not m1._engine_facts.reml
        used = m1._engine(method, "lmerTest" if by_ml else engine)
    args = {"method": method, **small}
    found: MeansComparison = call(
        "call_by_engine", m1._handle, used, "mean_comparison", args, into=MeansComparison
    )
    made = "exact" if used == "exact" else "pbkrtest"
    return replace(found, ddf_engine=made, notes=(*found.notes, *note))


@strict
def pb_modcomp(
    m1: Any, m0: Any, nsim: int = 1000, seed: int | None = None, n_jobs: int = 1
) -> MeansComparison:
    """Test a smaller model by the likelihood ratio with a simulated null distribution.

    Parameters
    ----------
    m1, m0 : models
        The larger and the smaller one, in either order: of `pymlm.lm`, `glm`, `lmer`, `glmer`.
        REML fits are refitted by maximum likelihood, as pbkrtest does. Every simulated response is
        refitted by both models' own method.
    nsim : int
        Responses simulated from m0.
    seed : int, optional
        For one seed the statistics equal R's after ``set.seed(seed)`` (with ``cl = 1``), whatever
        `n_jobs`. Without it one is drawn, and stands on the result.
    n_jobs : int
        Processes; −1 for one per core.

    Returns
    -------
    MeansComparison
        Rows "LRT" (chi-squared) and "PBtest". The p-value is (1 + number of simulated statistics
        above the observed) / (1 + number above 0); with an lm or glm as m0, where statistics of 0
        belong to the null distribution, / (1 + number). Failed refits are counted, and left out.

    Raises
    ------
    ComparisonError
        When neither model is nested in the other, or rows or responses differ.
    NotSupportedError
        For models without a likelihood (quasi-families) or of other functions.

    Notes
    -----
    Mirrors ``PBmodcomp(largeModel, smallModel, nsim)`` of pbkrtest, whose own `seed` has no effect
    in version 0.5.2; Halekoh & Højsgaard 2014, doi:10.18637/jss.v059.i09.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("sleepstudy")
    >>> m1 = mlm.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False)
    >>> m0 = mlm.lmer("Reaction ~ 1 + (1 | Subject)", data, reml=False)
    >>> mlm.pb_modcomp(m1, m0, nsim=20, seed=1).to_frame()["p_value"].round(3)
    LRT       0.000
    PBtest    0.048
    Name: p_value, dtype: float64
    """
    _check_models("pb_modcomp", m1, m0)
    n, jobs, chosen = whole_number(nsim, "nsim", 1), check_jobs(n_jobs), check_seed(seed)
    pair = larger_first(m1, m0, ("m1", "m0"))
    check_same_rows(pair.large, pair.small, pair.names)
    call("check_pb", pair.large._handle, pair.small._handle, list(pair.names))
    large, small = _by_ml(pair.large), _by_ml(pair.small)
    draws = simulate_and(_TwoRefits(), (large, small), small, n, chosen, jobs)
    ref = draws.values.ravel()
    good = ref[~np.isnan(ref)]
    if not len(good):
        raise RError(f"every refit failed; the first said: {draws.errors[0]}")
    test: MeansComparison = call(
        "pb_test", large._handle, small._handle, good, into=MeansComparison
    )
    failures = tuple(dict.fromkeys(draws.errors))[:10]
    return replace(
        test, nsim=n, seed=chosen, n_failed=len(draws.errors), failures=failures,
        draws=readonly(ref), notes=(*test.notes, *pair.note),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _TwoRefits:
    """Refit both models; travels to the workers."""

    def __call__(self, simulations: Any, n: int, large: Any, small: Any) -> Draws:
        draws: Draws = call("boot_lrt", large._handle, small._handle, simulations, into=Draws)
        return draws


def _by_ml(model: Any) -> Any:
    return wrap(call("ml_fit", model._handle))


@strict
def exact_rlrt(
    m: Any, m_full: Any = None, m_null: Any = None, nsim: int = 10_000, seed: int | None = None
) -> ExactTest:
    """Test one variance against zero by its exact (simulated) null distribution.

    Parameters
    ----------
    m : LinearMixedModel
        A REML fit with one random effect; where there are more, the model with the tested one
        alone.
    m_full, m_null : LinearMixedModel, optional
        With more random effects: the whole model, and the model without the tested one, in either
        order.
    nsim : int
    seed : int, optional
        As ``set.seed(seed)`` before R's call.

    Raises
    ------
    NotSupportedError
        For ML fits, which have another null distribution.
    ArgumentError
        For several variances without `m_full` and `m_null`.
    ComparisonError
        For models that do not differ by one random effect, or have different rows.
    RPackageError
        When RLRsim is missing.

    Notes
    -----
    Mirrors ``RLRsim::exactRLRT(m, mA, m0, nsim)``; Crainiceanu & Ruppert 2004,
    doi:10.1111/j.1467-9868.2004.00438.x.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> test = mlm.exact_rlrt(m, seed=1)
    >>> round(test.statistic, 3), test.p_value < 0.05
    (6.369, True)
    """
    given = [(x, n) for x, n in ((m, "m"), (m_full, "m_full"), (m_null, "m_null")) if x is not None]
    models, names = zip(*given, strict=True)
    _check_models("exact_rlrt", *models)
    if m_full is not None and m_null is not None:
        pair = larger_first(m_full, m_null, ("m_full", "m_null"))
        m_full, m_null = pair.large, pair.small
    if any(order is not None for order in row_orders(models, names)):
        raise ComparisonError(
            "the models were fitted to the same rows in another order, and RLRsim compares row by "
            "row. Fit all to the same data frame"
        )
    found: ExactTest = call(
        "exact_rlrt",
        m._handle,
        full=None if m_full is None else m_full._handle,
        null=None if m_null is None else m_null._handle,
        nsim=whole_number(nsim, "nsim", 1),
        seed=check_seed(seed),
        into=ExactTest,
    )
    return found


def _check_models(function: str, *models: Any) -> None:
    for model in models:
        if not isinstance(model, Fitted):
            raise ArgumentError(f"{function} takes fitted models, not {type(model).__name__}")
