"""A model owns its data and its response, and kept answers are found by exact value."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import pymlm as mlm
from pymlm.models.kept import exact_key
from tests.native import assert_close
from tests.tolerances import REOPTIMIZED

FORMULA = "Reaction ~ Days + (Days | Subject)"
QUESTIONS = {
    "df": lambda m: m.summary().fixed.df,
    "update": lambda m: m.update(reml=False).fixef(),
    "drop1": lambda m: m.drop1().statistic,
    "ranova": lambda m: m.ranova().to_frame()["lrt"].to_numpy()[1:],
    "emmeans": lambda m: m.emmeans("1").estimate,
    "script": lambda m: float(mlm.check_parity(m).ok),
}


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_refit_answers_as_a_fit_to_the_new_response(sleepstudy, what):
    d = sleepstudy.assign(y2=np.sqrt(sleepstudy["Reaction"]) + sleepstudy["Days"] % 3)
    fresh = mlm.lmer("y2 ~ Days + (Days | Subject)", d)
    refit = mlm.lmer(FORMULA, d).refit("y2")
    for model in (refit, pickle.loads(pickle.dumps(refit))):
        assert_close(QUESTIONS[what](model), QUESTIONS[what](fresh), REOPTIMIZED)


def test_what_the_user_does_to_the_frame_does_not_reach_the_model(sleepstudy):
    d = sleepstudy.copy()
    m = mlm.lmer(FORMULA, d)
    before = m.fixef()
    d["Reaction"] *= 2
    d.loc[3, "Days"] = 99
    assert_close(m.refit("Reaction").fixef(), before)


def test_keys_are_exact():
    a = np.linspace(0, 9, 1201)
    b = a.copy()
    b[600] += 1e-12
    assert exact_key("q", {"at": a}) == exact_key("q", {"at": a.copy()})
    assert exact_key("q", {"at": a}) != exact_key("q", {"at": b})
    assert exact_key("q", {"at": object()}) is None
