"""Names are data: whatever stands in them, the numbers are those of plain names, or a refusal."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import DataError, NotSupportedError
from tests.state.hostile import (
    IN_PART,
    MODELS,
    NAMES,
    OF_DATA,
    PLAIN,
    Names,
    asked,
    frame,
    hostile,
)
from tests.state.questions import plain
from tests.tolerances import BY_HAND

#: A sum that is zero, but for rounding.
NOTHING = 1e-12
#: Every model meets other names in other places.
CHOICES = {name: 4 * i for i, name in enumerate(MODELS)}


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """The numbers of an answer, in order."""
    if isinstance(value, dict):
        for i, item in enumerate(value.values()):
            yield from numbers(item, f"{path}.{i}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from numbers(item, f"{path}[{i}]")
    elif isinstance(value, (bool, int, float, np.number, np.ndarray)):
        yield path, np.ravel(np.asarray(value, dtype=float))


def difference(ours: Any, theirs: Any) -> str | None:
    pairs = list(numbers(ours)), list(numbers(theirs))
    if [p for p, _ in pairs[0]] != [p for p, _ in pairs[1]]:
        return f"{len(pairs[0])} values for {len(pairs[1])}"
    for (path, a), (_, b) in zip(*pairs, strict=True):
        if a.shape != b.shape or not np.allclose(a, b, rtol=BY_HAND, atol=NOTHING, equal_nan=True):
            return f"{path}: {a[:3]} for {b[:3]}"
    return None


def answer(question: Any, *args: Any) -> Any:
    """The answer in plain values, or the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said beside an answer is tested elsewhere
        try:
            return plain(question(*args))
        except mlm.errors.PymlmError as error:
            return error


def problem(ours: Any, theirs: Any) -> str | None:
    """What is wrong with an answer, given that under plain names."""
    if isinstance(theirs, Exception):
        assert "missing a required argument" not in str(theirs), "a question that asks nothing"
        same = type(ours) is type(theirs) and not isinstance(ours, mlm.errors.RError)
        return None if same else f"{ours!r:.90} for {theirs!r:.120}"
    if isinstance(ours, NotSupportedError):
        return None
    return f"{ours!r:.200}" if isinstance(ours, Exception) else difference(ours, theirs)


@pytest.mark.parametrize("name", MODELS)
def test_every_method_with_hostile_names(name, capfd):
    response, fit = MODELS[name]
    n = hostile(CHOICES[name])
    if name in ("lme", "gls"):  # nlme reads no others, and pymlm says so
        n = dataclasses.replace(PLAIN, x=".x", g="fitted", f="c", levels=n.levels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = fit(frame(PLAIN, response), PLAIN), fit(frame(n, response), n)
    questions = asked(theirs, PLAIN, name not in IN_PART)
    found = {
        q: problem(answer(ask, ours), answer(questions[q], theirs))
        for q, ask in asked(ours, n, name not in IN_PART).items()
    }
    assert {q: why for q, why in found.items() if why} == {}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("asks", OF_DATA)
def test_functions_of_data(asks):
    theirs = answer(OF_DATA[asks], frame(PLAIN), PLAIN)
    found = {}
    for k in (0, 17, 34):
        n = hostile(k)
        found[k] = problem(answer(OF_DATA[asks], frame(n), n), theirs)
    assert {k: why for k, why in found.items() if why} == {}


#: What is asked of every name, by the place in which it stands.
QUICK = {
    "y": ("regression_table", "equations"),
    "x": ("predict rows", "contest text", "variance_function", "group_lines", "emtrends"),
    "f": ("predict rows", "emmeans formula"),
    "g": ("predict rows", "group_lines", "ranef"),
}


@pytest.mark.parametrize("role", QUICK)
def test_every_name_in_every_place(role):
    response, fit = MODELS["bars"]
    first = fit(frame(PLAIN, response), PLAIN)
    theirs = {q: answer(asked(first, PLAIN)[q], first) for q in QUICK[role]}
    found = {}
    for name in NAMES:
        n = Names(**{role: name})
        model = fit(frame(n, response), n)
        for q in QUICK[role]:
            if why := problem(answer(asked(model, n)[q], model), theirs[q]):
                found[name, q] = why
    assert found == {}


@pytest.mark.parametrize("name", ["...", "..1", "(weights)"])
def test_names_that_r_keeps_are_refused(name):
    n = Names(x=name)
    with pytest.raises(DataError, match="R keeps the name"):
        mlm.lm(n("{y} ~ {x}"), frame(n))


def test_what_r_cannot_read_is_refused_by_its_column():
    """emmeans takes the name for a regular expression."""
    n = Names(f="a{b}")
    m = mlm.lmer(n("{y} ~ {f} + (1 | {g})"), frame(n))
    with pytest.raises(NotSupportedError, match=r"'a\{b\}'.*rename the column"):
        m.emmeans(n.f)


def test_a_column_that_augment_would_overwrite_is_refused():
    n = Names(x=".weights")
    m = mlm.lmer(n("{y} ~ {x} + (1 | {g})"), frame(n))
    with pytest.raises(DataError, match=r"'\.weights'.*rename"):
        m.augment()


def test_labels_are_the_user_s_own():
    n = Names(x="a:b", f="a|b", g="c~d")
    m = mlm.lmer(n("{y} ~ {f} * {x} + ({x} | {g}/{h})"), frame(n))
    assert m.emmeans(n("~ {f}")).to_frame().columns[0] == n.f
    assert m.emtrends(n.f, var=n.x).to_frame().columns[0] == n.f
    assert "a:b" in mlm.render(m, "spss")
    assert "a*b" not in mlm.render(m, "sas")
    assert mlm.group_lines(m, n.x, by="hh:`c~d`")["grp"].nunique() == 1 + 36
