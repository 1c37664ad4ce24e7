"""Every result goes to JSON and comes back the same: made-up ones of every class, and real ones."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from pymlm.results.base import Printed, Result
from pymlm.results.fixed import FixedEffects
from tests.native import needs_r


def classes() -> list[type[Result]]:
    """Every class of results, wherever in the package it stands."""
    for room in ("results", "models", "multilevel", "render"):
        package = importlib.import_module(f"pymlm.{room}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"pymlm.{room}.{module.name}")
    found = {c for c in _below(Result) if dataclasses.is_dataclass(c)}
    # a slotted dataclass leaves a class of the same name behind, without slots
    real = [c for c in found if getattr(importlib.import_module(c.__module__), c.__name__) is c]
    return sorted(real, key=lambda c: c.__name__)


def _below(cls: type) -> Iterator[type]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _below(sub)


def made_up(annotation: Any, name: str) -> Any:
    """A value of the annotation, with what JSON has not: NaN, infinities, arrays, tuples."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    # NDArray of numpy 2.5 is a type alias to look through.
    origin = typing.get_origin(getattr(origin, "__value__", None)) or origin
    if origin in (typing.Union, types.UnionType):
        return made_up(next(a for a in args if a is not type(None)), name)
    if annotation is np.ndarray or origin is np.ndarray:
        return np.array([[1.5, np.nan], [np.inf, -np.inf]])
    if annotation is Printed:
        return Printed("as R prints it\n  β")
    if annotation is pd.DataFrame:
        return pd.DataFrame({"x": [1.5, np.nan], "y": ["a", "b"]}, index=["r1", "r2"])
    if annotation is pd.Index:
        return pd.Index(["a", "b"])
    if dataclasses.is_dataclass(annotation):
        return an_instance(typing.cast("type[Any]", annotation))
    if origin is tuple:
        each = args[:1] * 2 if args[-1] is Ellipsis else args
        return tuple(made_up(a, name) for a in each)
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {"(Intercept)": made_up(args[1], name), "x:y": made_up(args[1], name)}
    if origin is typing.Literal:
        return args[0]
    simple: dict[Any, Any] = {float: np.pi, int: 7, bool: True, str: f"{name} β", Any: "a model"}
    return simple[annotation]


def an_instance(cls: type[Any]) -> Any:
    hints = typing.get_type_hints(cls)
    return cls(**{f.name: made_up(hints[f.name], f.name) for f in dataclasses.fields(cls)})


def same(a: Any, b: Any, where: str) -> None:
    if dataclasses.is_dataclass(a):
        assert type(a) is type(b), where
        hints = typing.get_type_hints(type(a))
        for f in dataclasses.fields(a):
            if hints[f.name] in (Any, Mapping[str, Any]):
                continue  # fitted models stay behind
            same(getattr(a, f.name), getattr(b, f.name), f"{where}.{f.name}")
    elif isinstance(a, np.ndarray):
        assert isinstance(b, np.ndarray), where
        if a.size == 0:  # JSON has no shape for nothing
            assert b.size == 0, where
        elif a.dtype.kind in "biuf":
            np.testing.assert_array_equal(a, b, err_msg=where)
        else:
            assert a.tolist() == b.tolist(), where
        assert not b.flags.writeable, where
    elif isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b, check_dtype=False)
    elif isinstance(a, pd.Index):
        assert a.tolist() == b.tolist(), where
    elif isinstance(a, tuple):
        assert isinstance(b, tuple), where
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            same(x, y, f"{where}[{i}]")
    elif isinstance(a, Mapping):
        assert list(a) == list(b), where
        for k in a:
            same(a[k], b[k], f"{where}[{k!r}]")
    elif isinstance(a, Printed):
        assert str(a) == str(b), where
    elif isinstance(a, float) and np.isnan(a):
        assert b is None or np.isnan(b), where
    else:
        assert a == b, where


@pytest.mark.parametrize("cls", classes(), ids=lambda c: c.__name__)
def test_every_class(cls: type[Result]) -> None:
    made = an_instance(cls)
    text = made.to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    same(made, cls.from_json(text), cls.__name__)
    same(made, cls.from_dict(made.to_dict()), cls.__name__)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        (None, "no JSON"),
        ("[1, 2]", "not what"),
        ("{}", "missing"),
        ('{"estimat": [1.0]}', "no field estimat"),
        ('{"term": 3}', "not what"),
    ],
)
def test_what_is_no_result_is_refused(text: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        FixedEffects.from_json(text)


def test_there_are_classes() -> None:
    names = {c.__name__ for c in classes()}
    assert {"Summary", "EmmGrid", "VarCorr", "RandomEffects", "Tidy", "Predictions"} <= names
    assert len(names) > 30


# --- real answers -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cake() -> Any:
    return mlm.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))


ANSWERS: dict[str, Callable[[Any], Result]] = {
    "summary": lambda m: m.summary(),
    "summary without df": lambda m: m.summary(ddf=None),
    "varcorr": lambda m: m.varcorr(),
    "ranef": lambda m: m.ranef(),
    "convergence": lambda m: m.convergence,
    "confint": lambda m: m.confint(),
    "emmeans": lambda m: m.emmeans("recipe"),
    "contrasts": lambda m: m.emmeans("recipe", contrast="pairwise", ddf="asymptotic"),
    "emtrends": lambda m: m.emtrends("recipe", "temp"),
    "joint_tests": lambda m: m.joint_tests(by="recipe"),
    "cld": lambda m: m.cld("recipe"),
    "predict": lambda m: m.predict(interval="prediction"),
    "tidy": lambda m: m.tidy(["fixed", "ran_pars", "ran_vals"]),
    "glance": lambda m: m.glance(),
    "influence": lambda m: m.influence("replicate"),
    "re_pca": lambda m: m.re_pca(),
    "vif": lambda m: m.vif(),
    "qq_data": lambda m: m.qq_data("random"),
    "check": lambda m: m.check("normality"),
    "outliers": lambda m: m.check("outliers"),
    "anova": lambda m: m.anova(),
    "ranova": lambda m: m.ranova(),
    "drop1": lambda m: m.drop1(),
    "contest": lambda m: m.contest("recipeB - recipeC = 0"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_real_answers(cake: Any, name: str) -> None:
    if name in ("check", "outliers"):
        needs_r("performance")
    answer = ANSWERS[name](cake)
    back = type(answer).from_json(answer.to_json())
    same(answer, back, name)
    pd.testing.assert_frame_equal(answer.to_frame(), back.to_frame(), check_dtype=False)
    assert str(back) == str(answer)


def test_index_of_predictions_comes_back() -> None:
    data = mlm.load_dataset("sleepstudy").set_index(["Subject", "Days"], drop=False)
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    found = m.predict(interval="confidence")
    back = type(found).from_json(found.to_json())
    assert back.index.tolist() == found.index.tolist()
    assert isinstance(back.index, pd.MultiIndex)
