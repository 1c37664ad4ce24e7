"""Names are data: whatever stands in them, the numbers are those of plain names, or a refusal."""

from __future__ import annotations

import dataclasses
import operator
import re
import warnings
from typing import Any

import pytest

import pymlm as mlm
from pymlm.errors import DataError, NotSupportedError
from tests.state.by_name import difference
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

#: Every model meets other names in other places.
CHOICES = {name: 4 * i for i, name in enumerate(MODELS)}


#: What R's own packages cannot do with such names: the words of the refusal, or what differs.
OF_R = {
    "ls_means": "lmerTest's ls_means does not know .* names need backticks.* Ask emmeans",
    **dict.fromkeys(
        ("emmeans formula", "cld", "emtrends"), r"object 'a\$b' not found.*rename the column"
    ),
    "r2": r"^\.source: 'own' for 'performance'$",  # the numbers are the same
}


def answer(question: Any, *args: Any) -> Any:
    """The answer in plain values, or the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said beside an answer is tested elsewhere
        try:
            return plain(question(*args))
        except mlm.errors.PymlmError as error:
            return error


def problem(ours: Any, theirs: Any, n: Names, question: str = "") -> str | None:
    """What is wrong with an answer, given that under plain names."""
    if isinstance(theirs, Exception):
        assert "missing a required argument" not in str(theirs), "a question that asks nothing"
        same = type(ours) is type(theirs) and not isinstance(ours, mlm.errors.RError)
        return None if same else f"{ours!r:.90} for {theirs!r:.120}"
    why = str(ours) if isinstance(ours, Exception) else difference(ours, theirs, n)
    return None if why and re.search(OF_R.get(question, "^$"), why) else why


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
        q: problem(answer(ask, ours), answer(questions[q], theirs), n, q)
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
        found[k] = problem(answer(OF_DATA[asks], frame(n), n), theirs, n)
    assert {k: why for k, why in found.items() if why} == {}


#: What is asked with every name in every place.
QUICK = (
    "regression_table", "equations", "predict rows", "contest text", "variance_function",
    "group_lines", "emtrends", "emmeans formula", "ranef", "tidy", "render stata", "render sas",
    "render spss",
)  # fmt: skip


def test_every_name_in_every_place():
    """Each of a fit's four names is another; over all fits every name stood in every place."""
    response, fit = MODELS["bars"]
    first = fit(frame(PLAIN, response), PLAIN)
    methods = {name: operator.methodcaller(name) for name in ("ranef", "tidy")}
    asks = asked(first, PLAIN, whole=False) | methods
    theirs = {q: answer(asks[q], first) for q in QUICK}
    found = {}
    for k in range(len(NAMES)):
        n = Names(**{role: NAMES[(k + 13 * i) % len(NAMES)] for i, role in enumerate("yxfg")})
        model = fit(frame(n, response), n)
        asks |= asked(model, n, whole=False)
        for q in QUICK:
            if why := problem(answer(asks[q], model), theirs[q], n, q):
                found[n.y, n.x, n.f, n.g, q] = why
    assert found == {}


@pytest.mark.parametrize("name", ["...", "..1", "(weights)"])
def test_names_that_r_keeps_are_refused(name):
    n = Names(x=name)
    with pytest.raises(DataError, match="R keeps the name"):
        mlm.lm(n("{y} ~ {x}"), frame(n))


#: Patterns, and what emmeans takes for the number.
PATTERNS = ("a{b}", "a(b", "ab\\", "[", "*", "a|b", "pi", "T", "a\tb")


@pytest.mark.parametrize("role", ["f", "x"])
def test_means_by_names_that_are_patterns(role):
    """emmeans looks for names as regular expressions, and takes the column pi for the number."""
    fits = {
        "lmer": lambda d, n: mlm.lmer(n("{y} ~ {f} * {x} + (1 | {g})"), d),
        "lm": lambda d, n: mlm.lm(n("{y} ~ {f} * {x}"), d),
    }
    asks = {
        "emmeans": lambda m, n: m.emmeans(n.f, contrast="pairwise"),
        "emtrends": lambda m, n: m.emtrends(n.f, var=n.x),
        "joint_tests": lambda m, n: m.joint_tests(),
    }
    found = {}
    for name, fit in fits.items():
        first = fit(frame(PLAIN), PLAIN)
        theirs = {q: answer(ask, first, PLAIN) for q, ask in asks.items()}
        assert "interactions" in str(theirs["emmeans"]["notes"])  # said for hostile names, too
        for hostile_name in PATTERNS:
            n = Names(**{role: hostile_name})
            m = fit(frame(n), n)
            for q, ask in asks.items():
                if why := problem(answer(ask, m, n), theirs[q], n):
                    found[name, hostile_name, q] = why
    assert found == {}


def test_what_r_cannot_read_is_refused_by_its_column():
    """emmeans takes the name for a column of a data frame `a`."""
    n = Names(f="a$b")
    m = mlm.lmer(n("{y} ~ {f} + (1 | {g})"), frame(n))
    with pytest.raises(NotSupportedError, match=r"'a\$b'.*rename the column"):
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
    assert mlm.group_lines(m, n.x, by="hhq:`c~d`")["grp"].nunique() == 1 + 36
