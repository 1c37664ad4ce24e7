"""Random frames through the whole path: lme4 fits, both engines answer, numbers agree."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import pymlm as mlm
from pymlm.errors import ConvergenceWarning, SingularFitWarning

#: lmerTest differentiates numerically. On flat likelihoods of small samples its error is larger
#: than the 1e-5 that it keeps on the data sets of tests/parity.
NUMERICAL = 1e-4
#: Kenward-Roger is closed form on both sides; pbkrtest inverts n × n matrices.
ROUNDING = 1e-7

#: Random part of each structure.
STRUCTURES = {
    "one factor": "(1 | a)",
    "slope": "(x | a)",
    "double bar": "(x || a)",
    "nested": "(1 | a/inner)",
    "crossed": "(1 | a) + (1 | b)",
    "crossed with slope": "(x | a) + (1 | b)",
    "crossed and nested": "(1 | a/inner) + (1 | b)",
}

few = settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    """Groups of unequal size, a predictor within and one between groups, a factor, weights."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, groups = draw(st.integers(60, 140)), draw(st.integers(6, 12))
    a = np.sort(rng.choice(groups, n, p=rng.dirichlet(np.full(groups, 3.0))))
    b, inner = rng.integers(0, 5, n), rng.integers(0, 3, n)
    x = rng.normal(size=n)
    effects = {k: rng.normal(size=50) for k in ("a", "b", "slope")}
    effects["inner"] = rng.normal(size=200)
    y = (
        x + effects["a"][a] + effects["b"][b] + x * 0.8 * effects["slope"][a]
        + effects["inner"][a * 3 + inner] + 0.7 * rng.normal(size=n)
    )  # fmt: skip
    return pd.DataFrame(
        {
            "y": y * draw(st.sampled_from([1.0, 30.0])),
            "x": x,
            "between": rng.normal(size=groups)[a],
            "f": pd.Categorical.from_codes(rng.integers(0, 3, n), ["low", "mid", "high"]),
            "a": [f"g{k}" for k in a],
            "b": pd.Categorical(b),
            "inner": pd.Categorical(inner),
            "w": rng.uniform(0.5, 2.0, n),
        }
    )


def fit(random: str, d: pd.DataFrame, **arguments: Any) -> mlm.LinearMixedModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", SingularFitWarning)
        return mlm.lmer(f"y ~ x + between + f + {random}", d, **arguments)


def agree(ours: Any, theirs: Any, tolerance: float) -> None:
    """Compare every number of two tables but p-values, which follow from the others."""
    a, b = ours.to_frame(), theirs.to_frame()
    assert list(a.index) == list(b.index)
    for column in b.select_dtypes("number").columns.drop("p_value"):
        np.testing.assert_allclose(
            a[column].to_numpy(float), b[column].to_numpy(float), rtol=tolerance,
            atol=tolerance * 1e-3 * np.abs(b[column]).max(), err_msg=column,
        )  # fmt: skip


def answers(m: mlm.LinearMixedModel, ddf: str, engine: str) -> tuple[Any, Any, list[str]]:
    """t tests, F tests, and what was said of them, but for the digits of eigenvalues."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fixed, anova = m.summary(ddf, engine=engine).fixed, m.anova(ddf=ddf, engine=engine)
    return fixed, anova, sorted({str(w.message).split(":")[0] for w in said})


@few
@given(
    d=frames(), random=st.sampled_from(sorted(STRUCTURES.values())), reml=st.booleans(),
    weighted=st.booleans(),
)  # fmt: skip
def test_satterthwaite(d: pd.DataFrame, random: str, reml: bool, weighted: bool) -> None:
    m = fit(random, d, reml=reml, weights="w" if weighted else None)
    # On the boundary lmerTest steps across it, and its differences are not derivatives.
    assume(not m.convergence.singular)
    fixed, anova, said = answers(m, "Satterthwaite", "lmerTest")
    assume(not said)  # a Hessian that is not positive: see tests/parity/test_engines.py
    ours = answers(m, "Satterthwaite", "exact")
    agree(ours[0], fixed, NUMERICAL)
    agree(ours[1], anova, NUMERICAL)
    assert ours[2] == said


@few
@given(d=frames(), random=st.sampled_from(sorted(STRUCTURES.values())))
def test_kenward_roger(d: pd.DataFrame, random: str) -> None:
    m = fit(random, d)
    ours, theirs = (answers(m, "Kenward-Roger", e) for e in ("exact", "lmerTest"))
    agree(ours[0], theirs[0], ROUNDING)
    agree(ours[1], theirs[1], ROUNDING)


@few
@given(d=frames(), random=st.sampled_from(sorted(STRUCTURES.values())))
def test_weights_of_one_change_nothing(d: pd.DataFrame, random: str) -> None:
    plain, weighted = fit(random, d), fit(random, d.assign(w=1.0), weights="w")
    for ddf in ("Satterthwaite", "Kenward-Roger"):
        ours, theirs = (answers(m, ddf, "exact") for m in (weighted, plain))
        agree(ours[0], theirs[0], ROUNDING)
        agree(ours[1], theirs[1], ROUNDING)
        assert ours[2] == theirs[2]
