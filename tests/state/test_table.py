"""A model is one thing: in whatever state, it answers every question as a fresh fit does."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError
from tests.native import native
from tests.state.kinds import KINDS, Kind
from tests.state.questions import answer, questions
from tests.state.values import as_bytes, changed, keep
from tests.tolerances import ARITHMETIC, OTHER_OPTIMIZER

#: Numbers that are nothing but rounding (a correlation of 1e-17, a gradient at the optimum).
NOTHING = 1e-6
#: An optimizer that began elsewhere.
OF_A_REFIT = OTHER_OPTIMIZER


class Fits:
    """Fits of one kind, each made once."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.data = kind.data()
        self.fresh = kind.fit(self.data, kind.response)
        self.answers = {n: answer(self.fresh, q) for n, q in questions(self.fresh).items()}

    def again(self) -> Any:
        """Another fit to the same data."""
        return self.kind.fit(self.data, self.kind.response)


_fits: dict[str, Fits] = {}


@pytest.fixture(params=KINDS)
def fits(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if request.param not in _fits:
            _fits[request.param] = Fits(KINDS[request.param])
        yield _fits[request.param]


def differences(ours: Any, theirs: Any, tolerance: float, path: str = "") -> list[str]:
    """Where two answers are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return [f"{path}: {list(ours)[:6]} for {list(theirs)[:6]}"]
        return [d for k in ours for d in differences(ours[k], theirs[k], tolerance, f"{path}.{k}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, tolerance, f"{path}[{i}]")]
    numbers = (int, float, np.ndarray, np.number)
    if isinstance(ours, numbers) and isinstance(theirs, numbers):
        same = np.shape(ours) == np.shape(theirs) and np.allclose(
            ours, theirs, rtol=tolerance, atol=tolerance * NOTHING, equal_nan=True
        )
        return [] if same else [f"{path}: {np.ravel(ours)[:4]} for {np.ravel(theirs)[:4]}"]
    return [] if ours == theirs else [f"{path}: {str(ours)[:90]!r} for {str(theirs)[:90]!r}"]


def check(model: Any, fits: Fits, tolerance: float, apart: tuple[str, ...] = ()) -> None:
    """Compare every answer of `model` with those of a fresh fit."""
    found = []
    for name, question in questions(model).items():
        if name not in apart:
            found += differences(answer(model, question), fits.answers[name], tolerance, name)
    assert not found, "\n".join(found[:30])


#: States of other tables that are questions, too, and work on a model in place in lme4.
IN_PLACE = {
    "profile": lambda m: m.profile(),
    "all_fit": lambda m: m.all_fit(),
}


def test_asking_changes_nothing_and_a_pickle_answers(fits, tmp_path):
    model = fits.again()
    asked = {n: q for n, q in IN_PLACE.items() if hasattr(model, n)} | questions(model)
    before = as_bytes(model)
    for name, question in asked.items():
        answer(model, question)
        after = as_bytes(model)
        keep(tmp_path, name, before, after)
        before = after
    assert changed(tmp_path) == {}
    twin = pickle.loads(pickle.dumps(model))  # nothing kept: R's object answers again
    check(twin, fits, ARITHMETIC, apart=("to_r",))


#: What lme4 computes by changing a model, or by refitting it.
AFTER = {
    "profile": lambda m: m.profile(),
    "bootstrap": lambda m: m.bootstrap(nsim=2, seed=1),
    "influence": lambda m: m.influence(groups=next(iter(getattr(m, "ngroups", {})), None)),
}


@pytest.mark.parametrize("done", AFTER)
def test_after_what_works_on_a_model_in_place(fits, done):
    model = fits.again()
    try:
        AFTER[done](model)
    except (NotSupportedError, AttributeError) as error:
        pytest.skip(f"R has none for this class: {error}")
    check(model, fits, ARITHMETIC)


def test_a_change_in_place_would_be_seen(tmp_path):
    """Without apart(), profile() of lme4 1.1 writes the offset of a GLMM: here R does it alone."""
    native(
        "m <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)\n"
        f'writeBin(serialize(m, NULL), "{tmp_path / "offset.before"}")\n'
        "m@resp$setOffset(rep(0.1, nrow(cbpp)))\n"
        f'writeBin(serialize(m, NULL), "{tmp_path / "offset.after"}")\n'
        "emit(list(done = TRUE))"
    )
    assert "model@resp$offset" in changed(tmp_path)["offset"]


def test_saved_and_loaded(fits, tmp_path):
    model = mlm.load_model(fits.again().save(tmp_path / "m.rds"))
    # Rows are known by R's names, and what Python noted of the fit is not in the file.
    check(model, fits, ARITHMETIC, apart=("to_r", "advice"))


def test_the_user_s_frame_changed(fits):
    data = fits.kind.data()
    model = fits.kind.fit(data, fits.kind.response)
    for column in data.select_dtypes("float"):
        memory = data[column].to_numpy()
        memory.flags.writeable = True  # of the user's frame; pandas 3 hands it out read-only
        memory[:] = 7
        assert (data[column] == 7).all()
    for column in data.select_dtypes("number"):
        data[column] *= 2
        data.loc[data.index[:3], column] = 0
    check(model, fits, ARITHMETIC)


def test_a_refit_there_and_back(fits, tmp_path):
    kind, first = fits.kind, fits.again()
    before = as_bytes(first)
    if not kind.refits:
        pytest.skip("refit() keeps what this class estimates beside the model")
    there = first.refit(kind.refit(fits.data, kind.other))
    back = there.refit(kind.refit(fits.data, kind.response))
    check(back, fits, OF_A_REFIT, apart=("to_r", "convergence"))
    keep(tmp_path, "refit", before, as_bytes(first))
    assert changed(tmp_path) == {}  # the model that was refitted is what it was


def test_update_there_and_back(fits):
    if not fits.kind.there:
        pytest.skip("update() has no formula to change there and back, or keeps the dispersion")
    model = fits.again().update(fits.kind.there).update(fits.kind.back)
    check(model, fits, OF_A_REFIT, apart=("formula", "to_r", "convergence"))


def test_a_refit_is_a_fit_to_the_new_response(fits):
    kind = fits.kind
    if not kind.refits:
        pytest.skip("refit() keeps what this class estimates beside the model")
    other = kind.fit(fits.data, kind.other)
    model = other.refit(kind.refit(fits.data, kind.response))
    # Its own response has another name, which stands in formulas and names of columns.
    found = []
    for name, question in questions(model).items():
        if name not in ("formula", "to_r", "convergence", "augment"):
            ours = renamed(answer(model, question), kind.other, kind.response)
            found += differences(ours, fits.answers[name], OF_A_REFIT, name)
    assert not found, "\n".join(found[:30])


def renamed(value: Any, old: str, new: str) -> Any:
    """An answer with another name in its texts."""
    if isinstance(value, dict):
        return {k.replace(old, new): renamed(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(v, old, new) for v in value]
    return value.replace(old, new) if isinstance(value, str) else value


def test_dropped_rows_answer_as_complete_ones(fits):
    kind, data = fits.kind, fits.kind.data()
    rows = data.index[[1, 17, 30]]
    used = [kind.response, *kind.predictors]
    for column, row in zip(used, rows, strict=False):
        missing = data[column].astype(float) if column == kind.response else data[column].copy()
        missing.loc[row] = np.nan
        data[column] = missing
    whole = data.dropna(subset=used)
    gappy, complete = kind.fit(data, kind.response), kind.fit(whole, kind.response)
    found = []
    for name, question in questions(gappy).items():
        # These say what was dropped; those fit without a term, and then its missing rows come back,
        # which lme4 and pymlm refuse.
        if name in ("n_dropped", "to_r", "step", "drop1", "ranova"):
            continue
        ours = question_of_used_rows(gappy, question, data, whole)
        theirs = answer(complete, question)
        found += differences(numbers(ours), numbers(theirs), ARITHMETIC, name)
    assert not found, "\n".join(found[:30])


def question_of_used_rows(
    model: Any, question: Any, data: pd.DataFrame, whole: pd.DataFrame
) -> Any:
    """The answer, by row without the rows that R dropped."""

    def asked(m: Any) -> Any:
        value = question(m)
        by_row = isinstance(value, (pd.Series, pd.DataFrame)) and value.index.equals(data.index)
        return value.loc[whole.index] if by_row else value

    return answer(model, asked)


def numbers(value: Any) -> Any:
    """An answer without labels of rows and without how many were dropped."""
    if isinstance(value, dict):
        return {k: numbers(v) for k, v in value.items() if k not in ("n_dropped", "text", "title")}
    if isinstance(value, list):
        return [numbers(v) for v in value if not isinstance(v, str)]
    return value


def test_every_kind_is_asked_more_than_a_few_things():
    for name, fits in _fits.items():
        answered = [n for n, a in fits.answers.items() if not isinstance(a, str) or ": " not in a]
        assert len(answered) > 15, name
