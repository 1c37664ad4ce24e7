"""Control and starting values that are refused, with near names; R is usable afterwards."""

from __future__ import annotations

import re

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError

SLEEP = "Reaction ~ Days + (Days | Subject)"
CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


@pytest.mark.parametrize("make", [lambda c: c("stop", tol=1e-3), lambda c: c(action="stop")])
def test_a_check_is_given_whole_and_by_name(make):
    with pytest.raises(ArgumentError, match=r"by name: action=\.\.\., tol="):
        make(mlm.ConvergenceCheck)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"optimiser": "bobyqa"}, "Did you mean 'optimizer'"),
        ({"optimizer": "boybqa"}, "Did you mean 'bobyqa'"),
        ({"optimizer": "nlminb"}, "Did you mean 'nlminbwrap'"),
        ({"optimizer": ("bobyqa", "bobyqa")}, "optimizer is a name"),
        ({"optimizer": "bobyqa:x"}, "no methods"),
        ({"optimizer": 3}, "optimizer is a name"),
        ({"calc_derivs": "yes"}, "calc_derivs must be True or False"),
        ({"boundary_tol": -1}, "boundary_tol must be a number"),
        ({"boundary_tol": "a"}, "boundary_tol must be a number"),
        ({"check_nobs_vs_nlev": "stpo"}, "Did you mean 'stop'"),
        ({"check_rank_x": "drop"}, "check_rank_x='drop' is not one of"),
        ({"check_conv_grad": 0.1}, "check_conv_grad=0.1 is not one of"),
        ({"opt_ctrl": 3}, "opt_ctrl is a dict"),
        ({"n_agq0_init_step": False}, "no argument 'n_agq0_init_step'"),
    ],
)
def test_wrong_options(options, says):
    with pytest.raises(ArgumentError, match=re.escape(says)):
        mlm.LmerControl(**options)


@pytest.mark.parametrize(
    ("control", "says"),
    [
        ({"optimiser": "bobyqa"}, "Did you mean 'optimizer'"),
        ({"calc.deriv": False}, "Did you mean 'calc.derivs'"),
        ({"zzz": 1}, "It takes: optimizer, opt_ctrl"),
        ({"opt_ctrl": {"maxfun": 100}}, "nloptwrap has no option 'maxfun'"),
        ({"optimizer": "bobyqa", "opt_ctrl": {"maxfunn": 9}}, "Did you mean 'maxfun'"),
        ({"optimizer": "optimx"}, "optimx needs a method"),
        (mlm.GlmerControl(), "control is a pymlm.LmerControl"),
        ("bobyqa", "control is a pymlm.LmerControl"),
        ({"check_conv_grad": {"action": "warning", "tol": -1}}, "tol must be a number"),
        ({"check_conv_grad": {"action": "warning", "tool": 1}}, "Did you mean 'tol'"),
    ],
)
def test_wrong_control(sleepstudy, control, says):
    with pytest.raises(ArgumentError, match=re.escape(says)):
        mlm.lmer(SLEEP, sleepstudy, control=control)
    assert mlm.lmer(SLEEP, sleepstudy).nobs == 180  # R is usable


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ([1.0, 2.0], "start has the wrong length"),
        ({"tehta": [1, 0, 1]}, "Did you mean 'theta'"),
        ({"fixef": [1, 2]}, "no part 'fixef'"),
        (["a", 1, 2], "must be numbers"),
        ([1, np.nan, 1], "finite"),
        ([], "finite"),
        ([1.0, 0.0, -1.0], "cannot be negative"),
    ],
)
def test_wrong_start(sleepstudy, start, says):
    with pytest.raises(ArgumentError, match=says):
        mlm.lmer(SLEEP, sleepstudy, start=start)
    assert mlm.lmer(SLEEP, sleepstudy).nobs == 180


def test_wrong_start_of_glmer():
    with pytest.raises(ArgumentError, match="start has the wrong length"):
        mlm.glmer(CBPP, mlm.load_dataset("cbpp"), start={"theta": [1.0], "fixef": [0.0, 0.0]})
