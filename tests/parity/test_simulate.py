"""Simulated responses against native R, number by number for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from tests.native import assert_fits_close as assert_close
from tests.native import native

REFERENCE = r"""
lmer <- lme4::lmer
s <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
p <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)
mm <- lmer(Ozone ~ Temp + (1 | Month), airquality)
g <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
v <- VerbAgg[1:1500, ]
b <- glmer(r2 ~ btype + (1 | id), v, binomial, nAGQ = 0)
set.seed(99); stream <- runif(2)
emit(list(
  plain = as.list(simulate(s, nsim = 2, seed = 42)),
  use_u = simulate(s, 1, seed = 7, use.u = TRUE)[[1]],
  form = simulate(p, 1, seed = 7, re.form = ~ (1 | sample))[[1]],
  missing = simulate(mm, 1, seed = 3)[[1]],
  pairs = unname(unlist(simulate(g, 1, seed = 5)[[1]][, 1])),
  factor = as.character(simulate(b, 1, seed = 5)[[1]]), stream = stream
))
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def sleep() -> Any:
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


def test_new_random_effects(sleep: Any, reference: Any) -> None:
    ours = sleep.simulate(nsim=2, seed=42)
    assert list(ours.columns) == ["sim_1", "sim_2"]
    for name in ours:
        assert_close(ours[name], reference["plain"][name])


def test_conditional_on_the_modes(sleep: Any, reference: Any) -> None:
    assert_close(sleep.simulate(seed=7, use_u=True)["sim_1"], reference["use_u"])


def test_some_random_effects_kept(reference: Any) -> None:
    m = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))
    assert_close(m.simulate(seed=7, re_form="~ (1 | sample)")["sim_1"], reference["form"])


def test_lme4_would_take_another_term_s_variance() -> None:
    """With the plates kept, lme4 1.1-31 draws the samples with the plates' variance."""
    m = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))
    with pytest.raises(NotSupportedError, match="variances of other terms"):
        m.simulate(seed=7, re_form="~ (1 | plate)")


def test_rows_that_were_dropped_are_missing(reference: Any) -> None:
    air = mlm.load_dataset("datasets::airquality")
    m = mlm.lmer("Ozone ~ Temp + (1 | Month)", air)
    ours = m.simulate(seed=3)
    assert ours.index.equals(air.index)
    assert ours["sim_1"].isna().equals(air["Ozone"].isna())
    theirs = np.array(reference["missing"], dtype=float)
    assert_close(ours["sim_1"].dropna(), theirs[~np.isnan(theirs)])


def test_successes_and_failures(reference: Any) -> None:
    m = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp"),
        family="binomial",
    )  # fmt: skip
    ours = m.simulate(seed=5)
    assert ours.shape == (56, 2)
    assert list(ours.columns) == ["sim_1.incidence", "sim_1.V2"]  # as in as.data.frame(simulate(m))
    assert_close(ours.iloc[:, 0], reference["pairs"])
    assert (ours.sum(axis=1).to_numpy() == mlm.load_dataset("cbpp")["size"].to_numpy()).all()


def test_two_categories(reference: Any) -> None:
    data = mlm.load_dataset("VerbAgg").head(1500)
    m = mlm.glmer("r2 ~ btype + (1 | id)", data, family="binomial", n_agq=0)
    assert m.simulate(seed=5)["sim_1"].tolist() == reference["factor"]


def _r(code: str) -> Any:
    import rpy2.rinterface as ri

    from pymlm.engine.r_thread import R

    def work() -> Any:
        value = ri.baseenv["eval"](ri.parse(code)[0], ri.globalenv)
        return None if value is ri.NULL else list(value)

    return R.run(work)


def test_r_s_own_stream_is_left_alone(sleep: Any, reference: Any) -> None:
    _r("set.seed(99)")
    first = _r("runif(1)")
    sleep.simulate(nsim=3, seed=1)
    assert_close([*first, *_r("runif(1)")], reference["stream"])


def test_r_s_generator_is_put_back(sleep: Any) -> None:
    before = sleep.simulate(seed=1)
    _r("RNGkind('Wichmann-Hill')")
    try:
        pd.testing.assert_frame_equal(sleep.simulate(seed=1), before)
        assert _r("RNGkind()")[0] == "Wichmann-Hill"
    finally:
        _r("RNGkind('default')")


def test_without_seed_draws_differ(sleep: Any) -> None:
    assert (sleep.simulate() != sleep.simulate()).to_numpy().all()


def test_half_a_term_is_not_kept(sleep: Any) -> None:
    """lme4 would keep the modes of the intercept, and draw intercepts again with the slopes."""
    with pytest.raises(NotSupportedError, match="whole terms"):
        sleep.simulate(re_form="~ (1 | Subject)")


@pytest.mark.parametrize(
    "arguments",
    [
        {"nsim": 0},
        {"nsim": 2.5},
        {"seed": "x"},
        {"seed": 2**40},
        {"re_form": "~ (1 | Subj)"},
        {"use_u": True, "re_form": "NA"},
        {"use_u": 1},
        {"use_U": True},
    ],
)
def test_bad_arguments(sleep: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        sleep.simulate(**arguments)
