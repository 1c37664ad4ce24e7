"""What R would refuse in words of its own: where it is, and what to do, stands in the error."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import (
    ArgumentError,
    DataError,
    FitError,
    NotSupportedError,
    PymlmError,
)


@pytest.fixture(scope="module")
def d() -> pd.DataFrame:
    data = mlm.load_dataset("sleepstudy")
    return data.assign(
        f=np.where(data.Days % 3 == 0, "u", "v"), one="k", alone="s", const=3.0,
        twice=2 * data.Days, huge=data.Reaction * 1e300, far=data.Days * 1e300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def m(d: pd.DataFrame) -> Any:
    return mlm.lmer("Reaction ~ Days * f + (1 | Subject)", d)


ONE_GROUP = "all complete rows are in one 'alone'"
FITS: dict[str, tuple[Callable[[pd.DataFrame], Any], type[PymlmError], str]] = {
    "lme, a factor of one level": (
        lambda d: mlm.lme("Reaction ~ Days + one + (1 | Subject)", d), DataError, "'one' is 'k'"),
    "gls, a factor of one level": (
        lambda d: mlm.gls("Reaction ~ Days + one", d), DataError, "'one' is 'k'"),
    "lme, a constant column": (
        lambda d: mlm.lme("Reaction ~ Days + const + (1 | Subject)", d), FitError,
        "determine 'const'.*Take them out"),
    "gls, a constant column": (
        lambda d: mlm.gls("Reaction ~ Days + const", d), FitError, "determine 'const'"),
    "gls, a column twice": (
        lambda d: mlm.gls("Reaction ~ Days + twice", d), FitError, "determine 'twice'"),
    "lme, a constant response": (
        lambda d: mlm.lme("const ~ Days + (1 | Subject)", d), FitError, "response is 3 in every"),
    "gls, a constant response": (
        lambda d: mlm.gls("const ~ Days", d), FitError, "response is 3 in every"),
    "lme, a huge predictor": (
        lambda d: mlm.lme("Reaction ~ far + (1 | Subject)", d), FitError, "scale them"),
    "lme, a huge response": (
        lambda d: mlm.lme("huge ~ Days + (1 | Subject)", d), FitError, "scale them"),
    "lme, an infinite predictor": (
        lambda d: mlm.lme("Reaction ~ log(Days) + (1 | Subject)", d), DataError,
        "'log.Days.' is infinite in 18"),
    "lme, one group": (
        lambda d: mlm.lme("Reaction ~ Days + (1 | alone)", d), DataError, "in one 'alone'"),
    "lmer, one group": (
        lambda d: mlm.lmer("Reaction ~ Days + (1 | alone)", d), FitError, ONE_GROUP),
    **{
        f"pooling {vary}, one group": (
            lambda d, vary=vary: mlm.pooling("Reaction ~ Days", d, "alone", vary), DataError,
            ONE_GROUP)
        for vary in ("all", "intercept", "slope")
    },
}  # fmt: skip


@pytest.mark.parametrize("case", FITS)
def test_a_fit_that_cannot_be(d: pd.DataFrame, case: str) -> None:
    fit, kind, said = FITS[case]
    with pytest.raises(kind, match=said) as refused:
        fit(d)
    assert type(refused.value) is kind
    assert mlm.gls("Reaction ~ Days", d).nobs == 180


@pytest.mark.parametrize("left", [["Reaction"], ["Reaction", "Days", "f"], ["Days", "Subject"]])
def test_effect_types_of_other_data_names_what_is_missing(
    m: Any, d: pd.DataFrame, left: list[str]
) -> None:
    with pytest.raises(DataError, match=r"data has no column '(Days|f|Subject)'"):
        mlm.effect_types(m, data=d[left])
    assert len(mlm.effect_types(m, data=d.drop(columns="Reaction"), warn=False).term) == 4


TAKE_ONE_MODEL: dict[str, Callable[[Any, Any], Any]] = {
    "kr_modcomp": mlm.kr_modcomp, "sat_modcomp": mlm.sat_modcomp,
    "pb_modcomp": lambda a, b: mlm.pb_modcomp(a, b, nsim=2), "lrt": mlm.lrt, "anova": mlm.anova,
    "exact_lrt": mlm.exact_lrt, "exact_rlrt": lambda a, b: mlm.exact_rlrt(b, a),
}  # fmt: skip


@pytest.mark.parametrize("question", TAKE_ONE_MODEL)
def test_a_list_of_models_is_not_compared_as_one(m: Any, d: pd.DataFrame, question: str) -> None:
    several = mlm.lm_list("Reaction ~ Days | Subject", d)
    for pair in ((several, several), (m, several), (several, m)):
        with pytest.raises(NotSupportedError, match=f"{question} is not defined for LmList"):
            TAKE_ONE_MODEL[question](*pair)


@pytest.mark.parametrize("theta", [1e12, 1e100, [[1.0], [1e12]]])
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_a_deviance_that_cannot_be_computed(d: pd.DataFrame, kind: str, theta: Any) -> None:
    fits = {
        "lmer": lambda: mlm.lmer("Reaction ~ Days + (1 | Subject)", d),
        "glmer": lambda: mlm.glmer("I(Reaction > 300) ~ Days + (1 | Subject)", d),
    }
    fit = fits[kind]()
    with pytest.raises(ArgumentError, match=r"Subject.\(Intercept\) = 1e\+1"):
        fit.deviance_at(theta)
    assert np.isfinite(fit.deviance_at(fit.theta))


ODD: dict[str, list[Any]] = {
    "tuples": [(1, 2), (1, 3)],
    "Decimals": [decimal.Decimal(1), decimal.Decimal(2)],
    "bytes": [b"a", b"b"],
    "periods": list(pd.period_range("2020", periods=2, freq="D")),
    "intervals": list(pd.interval_range(0, 2)),
    "mixed": [1, "a"],
    "True and None": [True, None],
    "dates": [dt.date(2020, 1, 1), dt.date(2020, 1, 2)],
    "text": ["a", "b"],
    "logical": [True, False],
}


@pytest.mark.parametrize("place", ["group", "predictor"])
@pytest.mark.parametrize("values", ODD)
@pytest.mark.filterwarnings("ignore::pymlm.errors.PymlmWarning")  # two groups are few
def test_levels_are_of_columns_that_a_fit_takes(d: pd.DataFrame, values: str, place: str) -> None:
    data = d[["Reaction", "Days", "Subject"]].assign(odd=ODD[values] * 90)

    def fit() -> Any:
        x, g = ("Days", "odd") if place == "group" else ("odd", "Subject")
        return mlm.lmer(f"Reaction ~ {x} + (1 | {g})", data)

    def describe() -> Any:
        return mlm.describe_levels(data, "odd" if place == "group" else "Subject")

    if values in ("dates", "text", "logical"):
        fit()
        describe()
        return
    said = []
    for ask in (fit, describe):
        with pytest.raises(DataError) as refused:
            ask()
        said.append(str(refused.value))
    assert said[0] == said[1]
