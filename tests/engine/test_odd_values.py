"""Values that no argument means: each ends in an error of pymlm's, never in Python's own or R's."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import PymlmError, RError


@pytest.fixture(scope="module")
def given():
    d = mlm.load_dataset("sleepstudy")
    return {
        "d": d, "lm": mlm.lm("Reaction ~ Days", d),
        "lmer": mlm.lmer("Reaction ~ Days + (Days | Subject)", d),
        "ml": mlm.lmer("Reaction ~ Days + (1 | Subject)", d, reml=False),
    }  # fmt: skip


ODD = {
    "an object": object(), "a list of lists": [[1], [2, 3]], "bytes": b"x", "NA": pd.NA,
    "an array": np.array([[1, 2]]), "a frame": pd.DataFrame({"a": [1, 2]}), "mixed": [1, "a"],
}  # fmt: skip

FORMULA = "Reaction ~ Days"
ASK = {
    "mixture_critical_value.df": lambda g, v: mlm.mixture_critical_value(v),
    "mixture_critical_value.weights": lambda g, v: mlm.mixture_critical_value((1, 2), v),
    "mixture_critical_value.level": lambda g, v: mlm.mixture_critical_value(level=v),
    "mixture_p_value": lambda g, v: mlm.mixture_p_value(v),
    "anova.names": lambda g, v: mlm.anova(g["lm"], g["ml"], names=v),
    "icc": lambda g, v: mlm.icc(v),
    "icc.at": lambda g, v: mlm.icc(g["lmer"], at=v),
    "icc.approximation": lambda g, v: mlm.icc(g["lmer"], approximation=v),
    "icc.mean": lambda g, v: mlm.icc(g["lmer"], mean=v),
    "compare_performance": lambda g, v: mlm.compare_performance(g["lm"], v),
    "compare_performance.names": lambda g, v: mlm.compare_performance(g["lm"], g["ml"], names=v),
    "compare_performance.estimator": lambda g, v: mlm.compare_performance(g["lm"], estimator=v),
    "robust_errors": lambda g, v: mlm.robust_errors(v),
    "robust_errors.type": lambda g, v: mlm.robust_errors(g["lm"], v),
    "robust_errors.lag": lambda g, v: mlm.robust_errors(g["lm"], "HAC", lag=v),
    "robust_errors.order_by": lambda g, v: mlm.robust_errors(g["lm"], "HAC", order_by=v),
    "robust_errors.nsim": lambda g, v: mlm.robust_errors(g["lm"], "bootstrap", nsim=v),
    "cluster_robust.by": lambda g, v: mlm.cluster_robust(g["lm"], v, "bootstrap"),
    "exact_lrt": lambda g, v: mlm.exact_lrt(v, g["lm"]),
    "exact_lrt.m0": lambda g, v: mlm.exact_lrt(g["ml"], v),
    "kr_modcomp": lambda g, v: mlm.kr_modcomp(v, g["ml"]),
    "pooling.formula": lambda g, v: mlm.pooling(v, g["d"], "Subject"),
    "pooling.by": lambda g, v: mlm.pooling(FORMULA, g["d"], v),
    "pooling.vary": lambda g, v: mlm.pooling(FORMULA, g["d"], "Subject", vary=v),
    "effect_types": lambda g, v: mlm.effect_types(v, g["d"]),
    "effect_types.by": lambda g, v: mlm.effect_types(f"{FORMULA} + (1 | Subject)", g["d"], v),
    "design_effect.icc": lambda g, v: mlm.design_effect(icc=v, n=3),
    "design_effect.n_groups": lambda g, v: mlm.design_effect(icc=0.1, n=3, n_groups=v),
    "covariances": lambda g, v: g["lmer"].ranef().covariances(v),
    "stack_outcomes": lambda g, v: mlm.stack_outcomes(g["d"], v),
    "latent_centering.outcome": lambda g, v: mlm.latent_centering(v, "Days", g["d"], "Subject"),
    "latent_centering.within": lambda g, v: mlm.latent_centering(
        "Reaction", "Days", g["d"], "Subject", within=v
    ),
    "equations": lambda g, v: mlm.equations(v),
    "lme.correlation_by": lambda g, v: mlm.lme(
        FORMULA, g["d"], random="~ 1 | Subject", correlation="ar1", correlation_by=v
    ),
}


@pytest.mark.parametrize("name", ASK)
def test_odd_values_are_refused(given, name):
    for value in ODD.values():
        with pytest.raises(PymlmError) as said:
            ASK[name](given, value)
        assert not isinstance(said.value, RError)


def test_right_values_are_taken_afterwards(given):
    assert given["lmer"].ranef().covariances("Subject").shape == (36, 2)
    assert mlm.anova(given["lm"], given["ml"], names=["a", "b"]).term == ("a", "b")
