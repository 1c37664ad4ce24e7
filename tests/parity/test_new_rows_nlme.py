"""New rows of lme and gls: rows that miss something, and what the fit has not seen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import DataError
from tests.native import assert_close, native

#: nlme's iterations stop at a difference.
ITERATED = 1e-6

FITS: dict[str, str] = {
    "lme": "lme(distance ~ age + Sex, d, ~ 1 | Subject)",
    "slopes": "lme(distance ~ age + Sex, d, ~ age | Subject)",
    "slope alone": "lme(distance ~ Sex, d, ~ dose | Subject)",
    "nested": "lme(distance ~ age + Sex, d, ~ 1 | Sex / Subject)",
    "ar1": "lme(distance ~ age + Sex, d, ~ 1 | Subject, corAR1())",
    "gls": "gls(distance ~ age + Sex, d, corCompSymm(form = ~ 1 | Subject))",
    "gls weights": "gls(distance ~ age + Sex, d, weights = varIdent(form = ~ 1 | Sex))",
    "basis": "lme(distance ~ log(age) + Sex, d, ~ 1 | Subject)",
}


@functools.cache
def data() -> pd.DataFrame:
    d = mlm.load_dataset("nlme::Orthodont")
    d["dose"] = np.cos(np.arange(len(d)))
    return d


@functools.cache
def fitted(name: str) -> Any:
    fits: dict[str, Callable[[], Any]] = {
        "lme": lambda: mlm.lme("distance ~ age + Sex + (1 | Subject)", data()),
        "slopes": lambda: mlm.lme("distance ~ age + Sex + (1 + age | Subject)", data()),
        "slope alone": lambda: mlm.lme("distance ~ Sex", data(), random="~ dose | Subject"),
        "nested": lambda: mlm.lme("distance ~ age + Sex", data(), random="~ 1 | Sex / Subject"),
        "ar1": lambda: mlm.lme("distance ~ age + Sex + (1 | Subject)", data(), correlation="ar1"),
        "gls": lambda: mlm.gls("distance ~ age + Sex", data(), correlation="cs", group="Subject"),
        "gls weights": lambda: mlm.gls("distance ~ age + Sex", data(), variance_by="Sex"),
        "basis": lambda: mlm.lme("distance ~ log(age) + Sex + (1 | Subject)", data()),
    }
    return fits[name]()


#: Rows asked for, and what the first of them misses.
ROWS = [10, 11, 60, 90]


def asked(missing: str | None) -> pd.DataFrame:
    rows = data().iloc[ROWS].copy()
    if missing is not None:
        rows[missing] = rows[missing].where(np.arange(len(rows)) > 0)
    return rows


@pytest.fixture(scope="module")
def r() -> Any:
    code = """
    suppressMessages(library(nlme))
    d <- Orthodont; d$dose <- cos(seq_len(nrow(d)) - 1); rows <- d[c(11, 12, 61, 91), ]
    out <- list()
    """
    for name, fit in FITS.items():
        code += f"""
        m <- {fit}
        out[['{name}']] <- list(own = as.numeric(predict(m, rows)), fixed = as.numeric(
          if (inherits(m, "lme")) predict(m, rows, level = 0) else predict(m, rows)))
        """
    return native(code + "emit(out)")


def predicted(name: str, rows: pd.DataFrame, level: int | None) -> Any:
    return fitted(name).predict(rows, level=level).to_numpy()


@pytest.mark.parametrize("level", [None, 0])
@pytest.mark.parametrize("missing", [None, "age", "Sex", "dose"])
@pytest.mark.parametrize("name", FITS)
def test_a_row_that_misses_a_predictor(
    r: Any, name: str, missing: str | None, level: int | None
) -> None:
    if name.startswith("gls") and level == 0:
        pytest.skip("gls has no levels")
    theirs = np.array(r[name]["own" if level is None else "fixed"])
    ours = predicted(name, asked(missing), level)
    assert_close(ours[1:], theirs[1:], ITERATED)
    used = fitted(name).formula + ("dose" if name == "slope alone" and level is None else "")
    group = missing == "Sex" and name == "nested" and level is None
    if missing is not None and (missing in used or group):
        assert np.isnan(ours[0])
    else:
        assert_close(ours[0], theirs[0], ITERATED)


@pytest.mark.parametrize("name", FITS)
def test_rows_that_all_miss_it(name: str) -> None:
    assert np.isnan(predicted(name, data().iloc[ROWS].assign(Sex=None), None)).all()


@pytest.mark.parametrize("name", FITS)
def test_what_the_fit_has_not_seen_is_a_data_error(name: str) -> None:
    rows = data().iloc[ROWS]
    with pytest.raises(DataError, match="level 'Other'"):
        fitted(name).predict(rows.assign(Sex="Other"))
    if name != "slope alone":
        with pytest.raises(DataError, match="text or categories"):
            fitted(name).predict(rows.assign(age="8"))
    assert fitted(name).predict(rows).notna().all()


@pytest.mark.parametrize("level", [None, 1])
@pytest.mark.parametrize("name", ["lme", "slopes", "ar1", "basis"])
def test_groups_that_the_fit_has_not_seen(r: Any, name: str, level: int | None) -> None:
    rows = asked(None)
    rows["Subject"] = ["new", *rows["Subject"].astype(str)[1:]]
    with pytest.raises(DataError, match="'new', which the model has not seen"):
        predicted(name, rows, level)
    own, fixed = np.array(r[name]["own"]), np.array(r[name]["fixed"])
    left = fitted(name).predict(rows, level=level, allow_new_levels="nan").to_numpy()
    assert np.isnan(left[0])
    assert_close(left[1:], own[1:], ITERATED)
    known = fitted(name).predict(rows, level=level, allow_new_levels=True).to_numpy()
    assert_close(known, [fixed[0], *own[1:]], ITERATED)
    assert_close(predicted(name, rows, 0), fixed, ITERATED)
    none = fitted(name).predict(rows.assign(Subject="new"), allow_new_levels=True)
    assert_close(none.to_numpy(), fixed, ITERATED)


def test_an_inner_group_that_the_fit_has_not_seen(r: Any) -> None:
    """It is predicted at the mean of its outer group; the outer factor alone needs no inner one."""
    rows = asked(None)
    rows["Subject"] = ["new", *rows["Subject"].astype(str)[1:]]
    with pytest.raises(DataError, match="/new', which the model has not seen"):
        predicted("nested", rows, None)
    outer = predicted("nested", rows, 1)
    known = fitted("nested").predict(rows, allow_new_levels=True).to_numpy()
    assert_close(known, [outer[0], *r["nested"]["own"][1:]], ITERATED)


@pytest.mark.parametrize("allowed", [False, "nan"])
def test_a_row_without_a_group_is_nan(r: Any, allowed: Any) -> None:
    rows = asked("Subject")
    some = fitted("lme").predict(rows, allow_new_levels=allowed).to_numpy()
    assert np.isnan(some[0])
    assert_close(some[1:], r["lme"]["own"][1:], ITERATED)


@pytest.mark.parametrize("name", ["lme", "gls"])
def test_averages_leave_such_rows_out_and_say_so(name: str) -> None:
    with pytest.warns(mlm.errors.AdviceWarning, match="1 of 4 rows"):
        some = fitted(name).avg_predictions(newdata=asked("age"), re_form="NA")
    known = fitted(name).avg_predictions(newdata=asked(None).iloc[1:], re_form="NA")
    assert_close(some.estimate, known.estimate)
    assert_close(some.std_error, known.std_error)


@pytest.mark.parametrize("kind", ["lm", "glm", "gls"])
def test_no_random_effects_to_ask_for(kind: str) -> None:
    fits = {
        "lm": lambda: mlm.lm("distance ~ age", data()),
        "glm": lambda: mlm.glm("distance ~ age", data(), family="Gamma"),
        "gls": lambda: mlm.gls("distance ~ age", data()),
    }
    m = fits[kind]()
    for effects in ("ran_pars", "ran_vals", ["ran_pars", "ran_vals"]):
        with pytest.raises(mlm.errors.NotSupportedError, match="random effects"):
            m.tidy(effects)
    with pytest.raises(mlm.errors.NotSupportedError):
        m.bootstrap(nsim=2, seed=1, use_u=True)
    assert len(m.tidy(["fixed", "ran_pars"]).term) == 2
