"""Arguments of the wrong kind: what Python cannot do with them is said in words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, PymlmError

FRAME = pd.DataFrame({"a": [1.0]})
#: Values that are neither true nor false, cannot be looked up, or cannot be gone through.
ODD: dict[str, Any] = {
    "empty array": np.array([]), "matrix": np.eye(2), "series": pd.Series([1.0, 2.0]),
    "frame": FRAME, "NA": pd.NA, "dict": {"x": [0, 1]}, "set in a list": [{"Days"}],
    "list of None": [None], "number": 3, "huge": 2**70, "bytes": b"x", "object": object(),
    "function": len, "true": True, "iterator": iter("ab"), "complex": 1j,
}  # fmt: skip


@functools.cache
def fits() -> dict[str, Any]:
    data = mlm.load_dataset("sleepstudy")
    data["Half"] = pd.Categorical(np.where(data.Days < 5, "first", "last"))
    return {
        "data": data,
        "lmer": mlm.lmer("Reaction ~ Days + Half + (1 | Subject)", data),
        "lm": mlm.lm("Reaction ~ Days + Half", data),
        "lme": mlm.lme("Reaction ~ Days + (1 | Subject)", data),
    }


#: Question -> how it is asked with an odd value; values that it takes.
ASKED: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "group_lines(x)": (lambda v: mlm.group_lines(fits()["lmer"], v), set()),
    "group_lines(by)": (lambda v: mlm.group_lines(fits()["lmer"], "Days", by=v), set()),
    "group_lines(groups)": (lambda v: mlm.group_lines(fits()["lmer"], "Days", groups=v), set()),
    "group_lines(points)": (lambda v: mlm.group_lines(fits()["lmer"], "Days", points=v),
                            {"number"}),
    "prediction_lines(points)": (
        lambda v: mlm.prediction_lines(fits()["lmer"], "Days", points=v), {"number"}),
    "prediction_lines(at)": (lambda v: mlm.prediction_lines(fits()["lmer"], "Days", at=v), set()),
    "icc_of(by)": (lambda v: mlm.icc_of(fits()["data"], "Reaction", by=v), set()),
    "center(method)": (lambda v: mlm.center(fits()["data"], "Days", method=v), {"number", "huge"}),
    "center(at)": (lambda v: mlm.center(fits()["data"], "Days", method="constant", at=v),
                   {"number", "huge"}),
    "describe_levels(unit)": (lambda v: mlm.describe_levels(fits()["data"], "Subject", unit=v),
                              set()),
    "membership_weights(ids)": (lambda v: mlm.membership_weights(fits()["data"], v), set()),
    "within_between_lines(by)": (
        lambda v: mlm.within_between_lines(fits()["data"], "Reaction", "Days", by=v), set()),
    "implied_covariance(rows)": (lambda v: mlm.implied_covariance(fits()["lmer"], rows=v),
                                 {"series"}),
    "simple_slopes(moderator)": (lambda v: mlm.simple_slopes(fits()["lmer"], "Days", v), set()),
    "regression_table(column_labels)": (
        lambda v: mlm.regression_table(fits()["lmer"], column_labels=v), set()),
    "lme.avg_predictions(re_form)": (lambda v: fits()["lme"].avg_predictions(re_form=v), set()),
    "emmeans(tran)": (lambda v: fits()["lm"].emmeans("Half", tran=v), set()),
    "emmeans(by)": (lambda v: fits()["lm"].emmeans("Half", by=v), set()),
    "bootstrap(n_jobs)": (lambda v: fits()["lm"].bootstrap(nsim=2, seed=1, n_jobs=v), {"number"}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:extreme order statistics")  # of two draws
@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("question", ASKED)
def test_what_is_of_another_kind_is_refused_in_words(question: str, value: str) -> None:
    ask, takes = ASKED[question]
    if value in takes:
        ask(ODD[value])
        return
    with pytest.raises(PymlmError) as refused:
        ask(ODD[value])
    assert type(refused.value).__name__ in ("ArgumentError", "DataError", "NotSupportedError")
    assert len(str(refused.value)) < 400
    assert mlm.lm("Reaction ~ Days", fits()["data"]).nobs == 180


@pytest.mark.parametrize(
    ("y", "x", "by"), [("Days", "Days", "Subject"), ("Reaction", "Days", "Days")]
)
def test_one_column_in_two_places_is_refused(y: str, x: str, by: str) -> None:
    with pytest.raises(ArgumentError, match="three columns"):
        mlm.within_between_lines(fits()["data"], y, x, by)


def test_one_group_by_its_name() -> None:
    m = fits()["lmer"]
    one = mlm.group_lines(m, "Days", groups="308")
    pd.testing.assert_frame_equal(one, mlm.group_lines(m, "Days", groups=["308"]))
