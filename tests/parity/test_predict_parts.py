"""Predictions by parts: the random part alone, unseen groups as NaN, limits by a row's own df."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.native import assert_fits_close, native
from tests.tolerances import REOPTIMIZED

#: Satterthwaite's df come from numerical derivatives at each process's optimum.
DERIVATIVES = 1e-5

REFERENCE = r"""
s <- lmerTest::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
nd <- data.frame(Days = c(0, 4.5, 12), Subject = c("308", "372", "308"))
a <- lme4::lmer(Ozone ~ Temp + offset(Wind) + (1 | Month), airquality)
g <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
p <- lme4::lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)
k <- lmerTest::lmer(angle ~ poly(temp, 2) * recipe + (1 | recipe:replicate), cake)
rows <- function(m, X, ddf) {
  out <- do.call(rbind, lapply(seq_len(nrow(X)), function(i)
    lmerTest::contest1D(m, X[i, ], ddf = ddf, confint = TRUE, level = 0.9)))
  as.list(out)
}
X <- model.matrix(~ poly(temp, 2) * recipe, cake)
only <- function(m, ...) unname(predict(m, ..., random.only = TRUE))
emit(list(
  known = only(s, newdata = nd), own = only(s), part = only(p, re.form = ~ (1 | sample)),
  missing = only(a), link = only(g), response = only(g, type = "response"),
  new = only(s, newdata = transform(nd, Subject = c("308", "x", "372")), allow.new.levels = TRUE),
  sat = rows(k, X[c(1, 100, 250), ], "Satterthwaite"),
  kr = rows(k, X[c(1, 100, 250), ], "Kenward-Roger")
))
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def sleep() -> Any:
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


ROWS = pd.DataFrame({"Days": [0, 4.5, 12], "Subject": ["308", "372", "308"]})


def test_the_random_part_alone(sleep: Any, reference: Any) -> None:
    assert_fits_close(sleep.predict(ROWS, random_only=True), reference["known"], REOPTIMIZED)
    assert_fits_close(sleep.predict(random_only=True), reference["own"], REOPTIMIZED)
    new = ROWS.assign(Subject=["308", "x", "372"])
    ours = sleep.predict(new, random_only=True, allow_new_levels=True)
    assert_fits_close(ours, reference["new"], REOPTIMIZED)
    # With the fixed part it makes the prediction.
    both = sleep.predict(ROWS, re_form="NA") + sleep.predict(ROWS, random_only=True)
    assert_fits_close(both, sleep.predict(ROWS))


def test_the_random_part_of_other_models(reference: Any) -> None:
    p = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))
    ours = p.predict(re_form="~ (1 | sample)", random_only=True)
    assert_fits_close(ours, reference["part"], REOPTIMIZED)
    data = mlm.load_dataset("datasets::airquality")
    a = mlm.lmer("Ozone ~ Temp + offset(Wind) + (1 | Month)", data)
    found = a.predict(random_only=True)
    assert found.isna().equals(data["Ozone"].isna())
    theirs = np.asarray(reference["missing"])  # lme4 2 leaves the dropped rows out
    kept = found.notna().to_numpy() if len(theirs) == len(found) else slice(None)
    assert_fits_close(found.dropna(), theirs[kept], REOPTIMIZED)
    cbpp = mlm.load_dataset("cbpp")
    g = mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp)
    for kind in ("link", "response"):
        ours = g.predict(type=kind, random_only=True)
        assert_fits_close(ours, reference[kind], REOPTIMIZED * 10, kind)


def test_unseen_groups_as_nan(sleep: Any) -> None:
    rows = ROWS.assign(Subject=["308", "nobody", "372"])
    found = sleep.predict(rows, allow_new_levels="nan")
    assert found.isna().tolist() == [False, True, False]
    assert_fits_close(found.iloc[[0, 2]], sleep.predict(rows.iloc[[0, 2]]))
    limits = sleep.predict(rows, allow_new_levels="nan", interval="confidence").to_frame()
    assert limits.isna().all(axis=1).tolist() == [False, True, False]
    assert sleep.predict(rows, re_form="NA", allow_new_levels="nan").notna().all()
    with pytest.raises(DataError, match="'nan'"):
        sleep.predict(rows)


def test_unseen_combinations_as_nan() -> None:
    cake = mlm.load_dataset("cake")
    m = mlm.lmer("angle ~ temp + (1 | recipe:replicate)", cake.iloc[:264])
    rows = cake.iloc[[0, 269]]
    found = m.predict(rows, allow_new_levels="nan")
    assert found.isna().tolist() == [False, True]


@pytest.mark.parametrize("ddf", ["Satterthwaite", "Kenward-Roger"])
@pytest.mark.parametrize("engine", ["lmerTest", "exact"])
def test_limits_with_degrees_of_freedom(ddf: str, engine: str, reference: Any) -> None:
    cake = mlm.load_dataset("cake")
    m = mlm.lmer("angle ~ poly(temp, 2) * recipe + (1 | recipe:replicate)", cake)
    rows = cake.iloc[[0, 99, 249]]
    found = m.predict(
        rows, interval="confidence", re_form="NA", ddf=ddf, level=0.9, engine=engine
    ).to_frame()
    theirs = reference["sat" if ddf == "Satterthwaite" else "kr"]
    for ours, name in (
        ("fit", "Estimate"), ("std_error", "Std. Error"), ("df", "df"), ("conf_low", "lower"),
        ("conf_high", "upper"),
    ):  # fmt: skip
        assert_fits_close(found[ours], theirs[name], DERIVATIVES, name)
    assert found.index.equals(rows.index)
    own = m.predict(interval="confidence", re_form="NA", ddf=ddf, level=0.9, engine=engine)
    assert_fits_close(own.to_frame().loc[rows.index], found, DERIVATIVES)


def test_rows_that_miss_something_have_no_limits(sleep: Any) -> None:
    rows = ROWS.assign(Days=[1.0, np.nan, 3.0])
    found = sleep.predict(rows, interval="confidence", re_form="NA", ddf="KR").to_frame()
    assert found.isna().all(axis=1).tolist() == [False, True, False]
    data = mlm.load_dataset("datasets::airquality")
    m = mlm.lmer("Ozone ~ Temp + (1 | Month)", data)
    own = m.predict(interval="confidence", re_form="NA", ddf="Satterthwaite").to_frame()
    assert own["fit"].isna().equals(data["Ozone"].isna())
    assert_fits_close(own["fit"].dropna(), m.predict(re_form="NA").dropna())


BAD = {
    "no interval": (lambda m: m.predict(ddf="KR"), ArgumentError, "interval='confidence'"),
    "modes": (
        lambda m: m.predict(interval="confidence", ddf="KR"), NotSupportedError, "re_form='NA'"
    ),
    "new observation": (
        lambda m: m.predict(interval="prediction", re_form="NA", ddf="KR"), NotSupportedError,
        "bootstrap",
    ),
    "between": (
        lambda m: m.predict(interval="confidence", re_form="NA", ddf="BW"), NotSupportedError,
        "single coefficients",
    ),
    "random limits": (
        lambda m: m.predict(random_only=True, interval="confidence"), ArgumentError, "ranef"
    ),
    "no random part": (
        lambda m: m.predict(random_only=True, re_form="NA"), ArgumentError, "without re_form"
    ),
    "levels": (lambda m: m.predict(ROWS, allow_new_levels="na"), ArgumentError, "allow_new_levels"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case: str, sleep: Any) -> None:
    ask, error, words = BAD[case]
    with pytest.raises(error, match=words):
        ask(sleep)
    assert len(sleep.predict()) == 180
