"""refit() to a frame: each column is the response of one fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError

#: The same optimizer on the same matrices in the same process.
SAME_FIT = 1e-10


@pytest.fixture(scope="module")
def data():
    d = mlm.load_dataset("sleepstudy")
    d.loc[[4, 90], "Reaction"] = np.nan
    d.loc[[7], "Days"] = np.nan
    d["w"] = np.linspace(0.5, 2, len(d))
    return d.set_axis(np.arange(1000, 1000 + len(d)))


@pytest.fixture(scope="module")
def responses(data):
    rng = np.random.default_rng(9)
    frame = pd.DataFrame(
        {name: data.Reaction.fillna(300) + rng.normal(0, 30, len(data)) for name in ("a", "b", "c")}
    ).set_axis(data.index)
    frame.loc[1020, "b"] = np.nan
    return frame


@pytest.mark.parametrize(
    "options", [{}, {"weights": "w"}, {"weights": None}, {"reml": False}], ids=str
)
def test_each_column_is_a_fit(data, responses, options):
    if "weights" in options and options["weights"] is None:
        options = {"weights": data["w"].to_numpy()}
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", data, **options)
    fits = m.refit(responses)
    assert isinstance(fits, mlm.ManyFits)
    assert not fits.failures
    rows = data.assign(**responses).loc[data.Reaction.notna()]
    own = {k: v if isinstance(v, (str, bool)) else "w" for k, v in options.items()}
    for name in responses:
        alone = mlm.lmer(f"{name} ~ Days + (Days | Subject)", rows, **own)
        np.testing.assert_allclose(fits.tables[name].estimate, alone.fixef(), SAME_FIT)
        assert fits[name].nobs == alone.nobs == m.nobs - (name == "b")


def test_a_frame_of_the_used_rows(data):
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    drawn = m.simulate(nsim=3, seed=2)
    fits = m.refit(drawn)
    for name in drawn:
        np.testing.assert_allclose(
            fits.tables[str(name)].estimate, m.refit(drawn[name]).fixef(), SAME_FIT
        )


def test_generalized():
    d = mlm.load_dataset("cbpp")
    d["p"] = d.incidence / d["size"]
    m = mlm.glmer("p ~ period + (1 | herd)", d, family="binomial", weights="size")
    rng = np.random.default_rng(3)
    share = np.where(d.herd.cat.codes % 3 == 0, 0.5, 0.1)
    frame = pd.DataFrame({"u": rng.binomial(d["size"], share) / d["size"], "v": d.p})
    fits = m.refit(frame)
    np.testing.assert_allclose(fits.tables["v"].estimate, m.fixef(), SAME_FIT)
    np.testing.assert_allclose(fits.tables["u"].estimate, m.refit(frame.u).fixef(), SAME_FIT)


def test_what_is_no_frame_of_responses(data, responses):
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    with pytest.raises(DataError, match="index of those"):
        m.refit(responses.iloc[1:])
    with pytest.raises(DataError, match="index of those"):
        m.refit(responses.reset_index(drop=True))
    with pytest.raises(ArgumentError, match="the formula uses"):
        m.refit(responses.rename(columns={"a": "Days"}))
    with pytest.raises(ArgumentError, match="at least one"):
        m.refit(responses[[]])
    with pytest.raises(ArgumentError, match="one response"):
        m.refit(responses, weights="w")
    failed = m.refit(responses.assign(text="x")).failures
    assert failed["text"].error == "DataError"
    with pytest.raises(NotSupportedError, match="column by column"):
        mlm.lm("Reaction ~ Days", data).refit(responses)
    with pytest.raises(ArgumentError, match="mustart"):
        mlm.fit_many("~ Days + (1 | Subject)", data, responses=["w"], family="gaussian",
                     link="log", mustart=np.ones(len(data)))  # fmt: skip
