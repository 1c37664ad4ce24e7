"""Results of tests and comparisons as JSON and back, as pickles, and in a notebook."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import pymlm as mlm


@pytest.fixture(scope="module")
def results():
    data = mlm.load_dataset("sleepstudy")
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    m0 = mlm.lmer("Reaction ~ 1 + (Days | Subject)", data)
    cake = mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
    return {
        "anova": m.anova(),
        "anova None": m.anova(ddf=None),
        "drop1": m.drop1(ddf=None),
        "contest": m.contest(["Days = 10", "Days - (Intercept)"]),
        "joint": m.contest([[1, 0], [0, 1]], joint=True),
        "ls_means": cake.ls_means(),
        "ranova": m.ranova(),
        "varcorr_se": m.varcorr_se(),
        "Wald": m.confint(parm=["theta_", "beta_"]),
        "boot": m.confint("boot", nsim=50, seed=1),
        "profile": m.profile("sigma"),
        "bootstrap": m.bootstrap(lambda f: f.sigma, nsim=50, seed=1),
        "comparison": mlm.anova(m0, m),
        "lrt": mlm.lrt(m0, m),
        "kr": mlm.kr_modcomp(m, m0),
        "pb": mlm.pb_modcomp(m, m0, nsim=5, seed=1),
        "rlrt": mlm.exact_rlrt(
            mlm.lmer("Reaction ~ Days + (1 | Subject)", data), nsim=100, seed=1
        ),
    }  # fmt: skip


NAMES = [
    "anova", "anova None", "drop1", "contest", "joint", "ls_means", "ranova", "varcorr_se", "Wald",
    "boot", "profile", "bootstrap", "comparison", "lrt", "kr", "pb", "rlrt",
]  # fmt: skip


def same(a, b):
    assert type(a) is type(b)
    left, right = a.to_frame(), b.to_frame()
    assert list(left.columns) == list(right.columns)
    assert list(left.index) == list(right.index)
    for column in left:
        if left[column].dtype.kind in "fi":
            np.testing.assert_array_equal(left[column], right[column].astype(float))
        else:
            missing = left[column].isna()
            assert list(left[column][~missing]) == list(right[column][~missing])
    assert str(a) == str(b)
    assert a.to_dict() == b.to_dict()


@pytest.mark.parametrize("name", NAMES)
def test_json_and_back(results, name):
    result = results[name]
    text = result.to_json()
    assert isinstance(json.loads(text), dict)
    same(result, type(result).from_json(text))


@pytest.mark.parametrize("name", NAMES)
def test_pickle_and_notebook(results, name):
    result = results[name]
    same(result, pickle.loads(pickle.dumps(result)))
    assert "<table" in result._repr_html_()


COLUMNS = {
    "anova": ["sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value"],
    "contest": ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"],
    "comparison": ["npar", "aic", "bic", "loglik", "deviance", "chisq", "df", "p_value",
                   "p_value_boundary"],
    "ranova": ["npar", "loglik", "aic", "lrt", "df", "p_value", "p_value_boundary"],
    "Wald": ["conf_low", "conf_high"],
}  # fmt: skip
COLUMNS |= {"drop1": [*COLUMNS["anova"], "test", "aic"], "joint": COLUMNS["anova"],
            "lrt": COLUMNS["comparison"],
            "boot": COLUMNS["Wald"], "ls_means": COLUMNS["contest"]}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_those_of_the_contract(results, name):
    assert list(results[name].to_frame().columns) == COLUMNS[name]


def test_arrays_cannot_be_changed(results):
    with pytest.raises(ValueError, match="read-only"):
        results["anova"].statistic[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        results["bootstrap"].draws[0, 0] = 1.0
    frame = results["anova"].to_frame()
    frame.iloc[0, 0] = 0.0
    assert results["anova"].sum_sq[0] != 0.0
