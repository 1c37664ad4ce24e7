"""pbkrtest's tests: F tests of the means of two models, and the parametric bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from pymlm.argument_types import Count, Engine, Jobs, Seed
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, RError
from pymlm.models.alignment import check_models, check_same_rows, fixed_effects, larger_first
from pymlm.models.base import Fitted
from pymlm.models.bootstrap import Draws, simulate_and
from pymlm.models.exact import KENWARD_ROGER, SATTERTHWAITE, EngineMethods
from pymlm.models.hypotheses import hypotheses
from pymlm.models.lmer import LinearMixedModel
from pymlm.models.parallel import check_seed
from pymlm.models.persist import wrap
from pymlm.results.base import Floats, Printed, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MeansComparison(Result):
    """A test of the means of two models by pbkrtest.

    Attributes
    ----------
    term : tuple of str, length k
        Kinds of the test: "Ftest" and "FtestU" (unscaled) for Kenward-Roger; "LRT", "PBtest",
        "Gamma", "Bartlett" and "F" for the parametric bootstrap.
    statistic, num_df, den_df, f_scaling, p_value : ndarray, shape (k,), or None
    method : str
    ddf_engine : str or None
        What computed the degrees of freedom: "pbkrtest" or "exact".
    n_extreme, n_positive : float or None
        Parametric bootstrap: simulated statistics above the observed one, and above 0.
    pb_std_error : float or None
        Monte Carlo standard error of PBtest's p-value.
    nsim, n_failed : int or None
        Simulations asked for, and refits that failed and are not counted.
    seed : int or None
    failures : tuple of str
        R's messages of failed refits, at most ten different ones.
    draws : ndarray, shape (nsim,), or None
        Simulated likelihood-ratio statistics; NaN where a refit failed.
    printed : Printed or None
        R's own print, without the time that it took.

    Notes
    -----
    Mirrors ``KRmodcomp``, ``SATmodcomp`` and ``PBmodcomp`` of pbkrtest; Halekoh & Højsgaard 2014,
    doi:10.18637/jss.v059.i09.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "statistic", "num_df", "den_df", "f_scaling", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    statistic: Floats
    num_df: Floats
    den_df: Floats | None = None
    f_scaling: Floats | None = None
    p_value: Floats
    method: str
    ddf_engine: str | None = None
    n_extreme: float | None = None
    n_positive: float | None = None
    pb_std_error: float | None = None
    nsim: int | None = None
    n_failed: int | None = None
    seed: int | None = None
    failures: tuple[str, ...] = ()
    draws: Floats | None = None
    printed: Printed | None = None

    def _remarks(self) -> list[str]:
        if not self.n_failed:
            return Result._remarks(self)
        return [
            *Result._remarks(self),
            f"failed refits: {self.n_failed} of {self.nsim}, left out; {self.failures[0]}",
        ]


@strict
def kr_modcomp(m1: Any, m0: Any, engine: Engine | None = None) -> MeansComparison:
    """Test the means of the smaller model m0 within m1 by Kenward-Roger's F test.

    Parameters
    ----------
    m1 : LinearMixedModel
        The larger model; an ML fit is refitted by REML, as pbkrtest does, and a note says so.
    m0 : LinearMixedModel, array-like or text
        The smaller model, or hypotheses as `contest` takes them. Two models may come in either
        order; the larger is the one with more fixed effects.
    engine : {"auto", "lmerTest", "exact"}, optional
        What computes the degrees of freedom, as in the models' `summary`; "lmerTest" stands for
        pbkrtest here.

    Raises
    ------
    NotSupportedError
        For a model that is not linear, or whose matrices would not fit into memory.
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
def sat_modcomp(m1: Any, m0: Any, engine: Engine | None = None) -> MeansComparison:
    """Test the means of the smaller model m0 within m1 by Satterthwaite's F test.

    Parameters
    ----------
    m1 : LinearMixedModel
        The larger model; pbkrtest refits it by REML.
    m0, engine
        As in `kr_modcomp`.

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


def _means(m1: Any, m0: Any, method: str, engine: Engine | None) -> MeansComparison:
    question = "kr_modcomp" if method == KENWARD_ROGER else "sat_modcomp"
    check_models(question, m1, *([m0] if isinstance(m0, Fitted) else []))
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
    # Without fixed effects REML is ML, and R refuses the test in words.
    refitted = isinstance(m1, LinearMixedModel) and not m1.reml and len(m1.fixef()) > 0
    if method == KENWARD_ROGER and refitted:
        name = pair.names[0] if isinstance(m0, Fitted) else "m1"
        m1 = m1.update(reml=True)
        note = (*note, f"{name} was fitted by ML, and refitted by REML for the test")
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
    m1: Any, m0: Any, nsim: Count = 1000, seed: Seed | None = None, n_jobs: Jobs = 1
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
        The rows of R's summary: "LRT" (chi-squared), "PBtest", and from the mean and variance of
        the simulated statistics above 0 "Gamma", "Bartlett" and "F". PBtest's p-value is (1 +
        number of simulated statistics above the observed) / (1 + number above 0); with an lm or glm
        as m0, where statistics of 0 belong to the null distribution, / (1 + number). Failed refits
        are counted, and left out.

    Raises
    ------
    ComparisonError
        When neither model is nested in the other, or rows or responses differ.
    NotSupportedError
        For models without a likelihood (quasi-families) or of other functions.

    Notes
    -----
    Mirrors ``summary(PBmodcomp(largeModel, smallModel, nsim))`` of pbkrtest, whose
    own `seed` has no effect in version 0.5.2; Halekoh & Højsgaard 2014, doi:10.18637/jss.v059.i09.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("sleepstudy")
    >>> m1 = mlm.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False)
    >>> m0 = mlm.lmer("Reaction ~ 1 + (1 | Subject)", data, reml=False)
    >>> mlm.pb_modcomp(m1, m0, nsim=20, seed=1).to_frame()["p_value"].round(3)
    LRT         0.000
    PBtest      0.048
    Gamma       0.000
    Bartlett    0.000
    F           0.000
    Name: p_value, dtype: float64
    """
    check_models("pb_modcomp", m1, m0)
    chosen = check_seed(seed)
    pair = larger_first(m1, m0, ("m1", "m0"))
    check_same_rows(pair.large, pair.small, pair.names)
    call("check_pb", pair.large._handle, pair.small._handle, list(pair.names))
    large, small = _by_ml(pair.large), _by_ml(pair.small)
    draws = simulate_and(_TwoRefits(), (large, small), small, nsim, chosen, n_jobs)
    ref = draws.values.ravel()
    good = ref[~np.isnan(ref)]
    if not len(good):
        raise RError(f"every refit failed; the first said: {draws.errors[0]}")
    test: MeansComparison = call(
        "pb_test", large._handle, small._handle, good, into=MeansComparison
    )
    failures = tuple(dict.fromkeys(draws.errors))[:10]
    return replace(
        test, nsim=nsim, seed=chosen, n_failed=len(draws.errors), failures=failures,
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
