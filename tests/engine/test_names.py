"""Words that people bring along: options of lectures and other systems, names of other packages."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.arguments import ALL_DDF, check_ddf, choice
from pymlm.errors import ArgumentError
from pymlm.hints import MODEL_NAMES, MODULE_NAMES, RESULT_NAMES
from pymlm.multilevel.correlated import CORRELATIONS
from pymlm.multilevel.panel import MODELS
from pymlm.synonyms import SYNONYMS


@pytest.fixture(scope="module")
def sleep() -> pd.DataFrame:
    return mlm.load_dataset("sleepstudy")


@pytest.fixture(scope="module")
def model(sleep: pd.DataFrame) -> Any:
    return mlm.lmer("Reaction ~ Days + (1 | Subject)", sleep)


# --- options --------------------------------------------------------------------------------------

DDF = {
    "KR": "Kenward-Roger", "kr": "Kenward-Roger", "KROGER": "Kenward-Roger",
    "kenward_roger": "Kenward-Roger", "Kenward Roger": "Kenward-Roger",
    "satterth": "Satterthwaite", "BW": "between-within", "between within": "between-within",
    "z": "asymptotic", "Satterthwaite": "Satterthwaite",
}  # fmt: skip


@pytest.mark.parametrize("word", DDF)
def test_words_for_degrees_of_freedom(word: str, model: Any) -> None:
    assert check_ddf(word) == DDF[word]
    own = model.summary(ddf=DDF[word]).fixed
    assert model.summary(ddf=word).fixed.to_frame().equals(own.to_frame())


#: Hoffman's words for centring.
CENTRING = {
    "group": "cluster", "Cluster-MC": "cluster", "C-MC": "cluster", "cluster mean": "cluster",
    "variable": "cluster", "cluster-mean-centering": "cluster", "Grand-MC": "grand",
    "grand mean": "grand", "grand-mean-centering": "grand", "GMC": "grand",
}  # fmt: skip


@pytest.mark.parametrize("word", CENTRING)
def test_hoffman_s_words_for_centring(word: str) -> None:
    d = pd.DataFrame({"c": list("aabb"), "x": [2.0, 4.0, 6.0, 8.0]})
    by = None if CENTRING[word] == "grand" else "c"
    ours = mlm.center(d, "x", by=by, method=word)
    assert ours.equals(mlm.center(d, "x", by=by, method=CENTRING[word]))
    constant = mlm.center(d, "x", method="Constant-Centering", at=5)
    assert constant["x_centered"].tolist() == [-3, -1, 1, 3]


@pytest.mark.parametrize("word", ["Huber-White", "huber white", "sandwich", "SANDWICH"])
def test_the_sandwich_with_clusters_and_without(word: str, sleep: pd.DataFrame) -> None:
    lm = mlm.lm("Reaction ~ Days", sleep)
    rows = mlm.robust_errors(lm, type=word).std_error
    assert (rows == mlm.robust_errors(lm, type="HC0").std_error).all()
    groups = mlm.cluster_robust(lm, by="Subject", type=word).std_error
    assert (groups == mlm.cluster_robust(lm, by="Subject", type="CR0").std_error).all()
    with pytest.raises(ArgumentError, match="'Huber-White' for 'HC0', 'sandwich' for 'HC0'"):
        mlm.robust_errors(lm, type="HC9")


def test_gee_says_what_its_correlation_is_called(sleep: pd.DataFrame) -> None:
    with pytest.raises(ArgumentError, match="Here it is corstr="):
        mlm.gee("Reaction ~ Days", sleep, by="Subject", correlation="compound-symmetry")


def test_digits_are_of_the_print(model: Any) -> None:
    for ask in (model.varcorr, model.ranova, lambda digits: mlm.icc(model, digits=digits)):
        with pytest.raises(ArgumentError, match=r"mlm.options\(digits=3\)"):
            ask(digits=3)


def test_other_words_stand_in_the_error_of_a_wrong_one(model: Any) -> None:
    with pytest.raises(ArgumentError, match=r"'KR' for 'Kenward-Roger'.*'BW' for 'between-within'"):
        model.summary(ddf="kenwrad")
    with pytest.raises(ArgumentError, match="'group' for 'cluster'"):
        mlm.center(pd.DataFrame({"x": [1.0]}), "x", method="grpup")
    with pytest.raises(ArgumentError, match="'fe' for 'within'"):
        mlm.panel("Reaction ~ Days", mlm.load_dataset("sleepstudy"), by="Subject", model="fx")


def test_every_synonym_names_an_option_that_some_function_takes() -> None:
    for words in SYNONYMS.values():
        for word, option in words.items():
            assert word != option
    for word, option in SYNONYMS["ddf"].items():
        assert option in ALL_DDF
        assert choice(word.upper(), ALL_DDF, "ddf") == option
    assert set(SYNONYMS["model"].values()) <= set(MODELS)
    assert set(SYNONYMS["correlation"].values()) <= set(CORRELATIONS)


@pytest.mark.parametrize(("word", "own"), [("fe", "within"), ("re", "random"), ("be", "between")])
def test_stata_s_words_for_panels(word: str, own: str, sleep: pd.DataFrame) -> None:
    sleep = sleep.assign(late=(sleep["Subject"].astype(int) > 340) * sleep["Days"])
    ours = mlm.panel("Reaction ~ late", sleep, by="Subject", model=word).to_frame()
    assert ours.equals(mlm.panel("Reaction ~ late", sleep, by="Subject", model=own).to_frame())


@pytest.mark.parametrize("word", ["Huber-White", "sandwich", "liang-zeger"])
def test_the_sandwich_by_its_names(word: str, model: Any, sleep: pd.DataFrame) -> None:
    line = mlm.lm("Reaction ~ Days", sleep)
    for fit, by in ((model, None), (line, "Subject")):
        own = mlm.cluster_robust(fit, by=by, type="CR0").to_frame()
        assert mlm.cluster_robust(fit, by=by, type=word).to_frame().equals(own)


def test_compound_symmetry_in_words(sleep: pd.DataFrame) -> None:
    fits = [
        mlm.gls("Reaction ~ Days", sleep, correlation=c, group="Subject").fixef()
        for c in ("compound-symmetry", "cs")
    ]
    assert fits[0].equals(fits[1])


def test_words_for_centring() -> None:
    data = pd.DataFrame({"g": list("aabb"), "x": [2.0, 4.0, 6.0, 8.0]})
    assert mlm.center(data, "x", by="g", method="group").equals(mlm.center(data, "x", by="g"))
    grand = mlm.center(data, "x", method="grand")["x_centered"]
    assert mlm.center(data, "x", method="constant")["x_centered"].equals(grand)
    assert mlm.center(data, "x", method="constant", at=5)["x_centered"].tolist() == [-3, -1, 1, 3]
    assert mlm.center(data, "x", method=5)["x_centered"].tolist() == [-3, -1, 1, 3]
    with pytest.raises(ArgumentError, match="constant"):
        mlm.center(data, "x", method="grand", at=5)


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_model_says_what_a_name_is_called_here(name: str, model: Any) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(model, name)
    words = str(caught.value)
    assert "here it is" in words
    hint = words.split("here it is ")[1]
    works(hint, model)


def works(hint: str, model: Any) -> None:
    """What a hint names exists: the method of the model, or the function of the module."""
    start = hint.replace("a method of the model: ", "").split("(")[0].split(",")[0].split(" ")[0]
    if start.startswith("m."):
        parts = start.split(".")[1:]
        assert hasattr(model, parts[0]), hint
    elif start.startswith("mlm."):
        assert hasattr(mlm, start.split(".")[1]), hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [("AIC", "aic"), ("BIC", "bic"), ("VarCorr", "varcorr"), ("logLik", "loglik"),
     ("conf_int", "confint"), ("fixeff", "fixef"), ("Residuals", "residuals")],
)  # fmt: skip
def test_spelled_otherwise(name: str, hint: str, model: Any) -> None:
    with pytest.raises(AttributeError, match=hint):
        getattr(model, name)


def test_a_hint_names_nothing_that_the_class_has_not(sleep: pd.DataFrame) -> None:
    line = mlm.lm("Reaction ~ Days", sleep)
    with pytest.raises(AttributeError) as caught:
        line.rand  # noqa: B018  # asked for
    assert "ranova" not in str(caught.value)
    with pytest.raises(AttributeError, match=r"m\.fixef"):
        line.params  # noqa: B018


@pytest.mark.parametrize("name", RESULT_NAMES)
def test_a_result_says_what_a_name_is_called_here(name: str, model: Any) -> None:
    results = [model.summary().fixed, model.summary(), model.glance(), model.tidy(),
               model.ranef()]  # fmt: skip
    having = [r for r in results if RESULT_NAMES[name] in dir(r) and name not in dir(r)]
    assert having
    for result in having:
        with pytest.raises(AttributeError, match=f"here it is .{RESULT_NAMES[name]}"):
            getattr(result, name)


@pytest.mark.parametrize("name", [n for n in MODULE_NAMES if n.isidentifier()])
def test_the_module_says_what_a_name_is_called_here(name: str, model: Any) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(mlm, name)
    works(str(caught.value).split("here it is ")[1], model)


@pytest.mark.parametrize(
    "name", ["emmeans", "fixef", "ranef", "VarCorr", "confint", "summary", "predict"]
)
def test_methods_are_not_functions_of_the_module(name: str) -> None:
    with pytest.raises(AttributeError, match=r"here it is .*m\."):
        getattr(mlm, name)


def test_what_is_there_stays_and_copies_travel(model: Any) -> None:
    result = model.summary().fixed
    for thing in (result, model):
        assert not hasattr(thing, "params")
        assert not hasattr(thing, "__array__")
        again = pickle.loads(pickle.dumps(thing))
        assert type(copy.copy(thing)) is type(copy.deepcopy(thing)) is type(again)
    assert np.allclose(pickle.loads(pickle.dumps(model)).fixef(), model.fixef())


def test_the_error_of_a_property_is_its_own(model: Any) -> None:
    class Broken(type(model)):  # type: ignore[misc]  # a class made at run time
        @property
        def wobbly(self) -> Any:
            return self.no_such_thing_inside

    broken = object.__new__(Broken)
    broken.__dict__.update(model.__dict__)
    with pytest.raises(AttributeError, match="no_such_thing_inside"):
        broken.wobbly  # noqa: B018
