"""Rows that R dropped are a state of the model: its answers are those on the complete rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.native import ROUND_TRIP, assert_close

# R's own remarks on a handful of draws, and on any hat matrix of a GLMM.
pytestmark = [
    pytest.mark.filterwarnings("ignore:extreme order statistics"),
    pytest.mark.filterwarnings("ignore:the hat matrix may not make sense"),
]

MISSING = ("y", "x", "g", "w", "o")


def _data(missing: str | None) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n = 120
    d = pd.DataFrame({"g": np.repeat([f"g{i:02d}" for i in range(12)], 10)})
    d["x"], d["w"], d["o"] = rng.normal(size=n), rng.uniform(0.5, 2, n), rng.normal(size=n)
    group = np.repeat(rng.normal(size=12), 10)
    slope = np.repeat(rng.normal(size=12), 10)
    d["y"] = d["o"] + (1 + slope) * d["x"] + group + rng.normal(size=n)
    d["k"] = rng.poisson(np.exp(0.3 * d["o"] + 0.2 * d["x"] + 0.4 * group))
    if missing is not None:
        d.loc[[3, 57, 118], missing] = np.nan
    return d


def _fit(kind: str, d: pd.DataFrame) -> Any:
    if kind == "lmer":
        return mlm.lmer("y ~ x + (x | g)", d, weights="w", offset="o")
    return mlm.glmer("k ~ x + (1 | g)", d, family="poisson", offset="o")


QUESTIONS = {
    "predict": lambda m: m.predict(),
    "predict part": lambda m: m.predict(re_form="~ (1 | g)"),
    "predict none": lambda m: m.predict(re_form="NA"),
    "interval": lambda m: m.predict(interval="confidence").to_frame(),
    "interval part": lambda m: m.predict(re_form="~ (1 | g)", interval="confidence").to_frame(),
    "simulate": lambda m: m.simulate(2, seed=3),
    "simulate use_u": lambda m: m.simulate(2, seed=3, use_u=True),
    "augment": lambda m: m.augment()[[".fitted", ".resid", ".fixed", ".offset", ".cooksd"]],
    "residuals": lambda m: m.residuals(),
}
DRAWS = {
    "bootstrap": lambda m: m.bootstrap(nsim=3, seed=1).draws_frame(),
    "bootstrap use_u": lambda m: m.bootstrap(nsim=3, seed=1, use_u=True).draws_frame(),
    "bootstrap residuals": lambda m: m.bootstrap(
        nsim=3, seed=1, use_u=True, type="semiparametric"
    ).draws_frame(),
}
PAIRS = [("lmer", v) for v in MISSING] + [("glmer", v) for v in ("k", "x", "g", "o")]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda p: "-".join(p))
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    kind, missing = request.param
    d = _data(missing)
    return _fit(kind, d), _fit(kind, d.dropna())


@pytest.mark.parametrize("question", QUESTIONS)
def test_by_row(pair: tuple[Any, Any], question: str) -> None:
    with_holes, complete = (QUESTIONS[question](m) for m in pair)
    assert_close(with_holes.dropna(), complete, ROUND_TRIP, question)
    if question != "augment":
        assert set(with_holes.index[with_holes.isna().to_numpy().reshape(120, -1)[:, 0]]) == {
            3, 57, 118
        }  # fmt: skip


@pytest.mark.parametrize("question", DRAWS)
def test_draws(pair: tuple[Any, Any], question: str) -> None:
    if "residuals" in question and hasattr(pair[0], "family"):
        return  # bootMer has it of linear models
    with_holes, complete = (DRAWS[question](m) for m in pair)
    assert_close(with_holes, complete, ROUND_TRIP, question)


def test_part_of_several_terms() -> None:
    """simulate(re_form=) keeps one term and draws the other."""
    rng = np.random.default_rng(6)
    d = _data("y").assign(h=rng.permutation(np.tile([f"h{i}" for i in range(6)], 20)))
    d["y"] += 2 * d["h"].map(lambda h: int(h[1])) / 5
    text = "y ~ x + (1 | g) + (1 | h)"
    one, two = mlm.lmer(text, d), mlm.lmer(text, d.dropna())
    for form in ("~ (1 | g)", "~ (1 | h)"):
        assert_close(one.predict(re_form=form).dropna(), two.predict(re_form=form), ROUND_TRIP)
    form = "~ (1 | h)"  # lme4 draws by the first variances of theta
    ours = one.simulate(1, seed=1, re_form=form).dropna()
    assert_close(ours, two.simulate(1, seed=1, re_form=form), ROUND_TRIP)
