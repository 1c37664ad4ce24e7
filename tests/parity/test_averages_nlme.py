"""Averages over the data of lme and gls, against the delta method by hand in native R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import DataError, NotSupportedError
from tests.native import assert_fits_close, native

#: Central differences with a step of 1e-5 of the range leave about nine digits.
DIFFERENCES = 1e-6

REFERENCE = r"""
library(nlme)
o <- as.data.frame(Orthodont)
o$Subject <- factor(as.character(o$Subject))
o$u <- o$age - 11
o$w <- rep(1:5, length.out = nrow(o))
o$distance[c(2, 50)] <- NA
delta <- function(X1, X0, b, V, m1 = 0, m0 = 0, w = 1) {
  J <- colMeans(X1 - X0) / w
  c(mean(drop(X1 %*% b) + m1 - drop(X0 %*% b) - m0) / w, sqrt(drop(J %*% V %*% J)))
}
fits <- list(
  lme = lme(distance ~ u * Sex + log(w), o, ~ u | Subject, na.action = na.omit),
  ml = lme(distance ~ u * Sex + log(w), o, ~ 1 | Subject, method = "ML", na.action = na.omit,
           correlation = corAR1(form = ~ 1 | Subject), weights = varIdent(form = ~ 1 | Sex)),
  gls = gls(distance ~ u * Sex + log(w), o, na.action = na.omit,
            correlation = corCompSymm(form = ~ 1 | Subject)))
rows <- o[!is.na(o$distance), ]
at <- function(d) {
  female <- as.numeric(d$Sex == "Female")
  cbind(1, d$u, female, log(d$w), d$u * female)
}
out <- lapply(fits, function(m) {
  b <- if (inherits(m, "lme")) fixef(m) else coef(m)
  V <- vcov(m)
  # as summary() and anova() of nlme take it
  if (m$method == "ML") V <- V * nrow(rows) / (nrow(rows) - length(b))
  z <- function(d) if (inherits(m, "lme"))
    as.numeric(predict(m, d, level = 1)) - as.numeric(predict(m, d, level = 0)) else 0
  up <- transform(rows, u = u + 1)
  female <- transform(rows, Sex = factor("Female", levels(Sex)))
  male <- transform(rows, Sex = factor("Male", levels(Sex)))
  boys <- rows$Sex == "Male"
  none <- at(rows) * 0
  list(step = delta(at(up), at(rows), b, V, z(up), z(rows)),
       step_na = delta(at(up), at(rows), b, V),
       sex = delta(at(female), at(male), b, V),
       mean = delta(at(rows), none, b, V, z(rows), 0),
       boys = delta(at(rows)[boys, ], none[boys, ], b, V, rep_len(z(rows), nrow(rows))[boys]),
       df = min(if (inherits(m, "lme")) m$fixDF$X[c(2, 5)] else m$dims$N - m$dims$p))
})
emit(out)
"""

KINDS = ("lme", "ml", "gls")
CASES = {
    "step": lambda m: m.avg_comparisons({"u": 1}),
    "step_na": lambda m: m.avg_comparisons({"u": 1}, re_form="NA"),
    "sex": lambda m: m.avg_comparisons("Sex"),
    "mean": lambda m: m.avg_predictions(),
    "boys": lambda m: m.avg_predictions(by="Sex"),
}


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    data = mlm.load_dataset("nlme::Orthodont")
    data.iloc[[1, 49], data.columns.get_loc("distance")] = np.nan
    return data.assign(
        u=data["age"] - 11, Subject=data["Subject"].astype(str),
        w=np.resize([1.0, 2.0, 3.0, 4.0, 5.0], len(data)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def models(rows: pd.DataFrame) -> dict[str, Any]:
    f = "distance ~ u * Sex + log(w)"
    return {
        "lme": mlm.lme(f, rows, random="~ u | Subject"),
        "ml": mlm.lme(f, rows, random="~ 1 | Subject", correlation="ar1", variance_by="Sex",
                      reml=False),
        "gls": mlm.gls(f, rows, correlation="cs", group="Subject"),
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_the_delta_method_by_hand(case: str, kind: str, models: Any, reference: Any) -> None:
    found = CASES[case](models[kind]).to_frame()
    row = found[found["Sex"] == "Male"] if case == "boys" else found
    assert len(row) == 1
    ours = [row["estimate"].iloc[0], row["std_error"].iloc[0]]
    assert_fits_close(ours, reference[kind][case], DIFFERENCES)


@pytest.mark.parametrize("kind", KINDS)
def test_degrees_of_freedom_are_the_class_s_own(kind: str, models: Any, reference: Any) -> None:
    own = models[kind].avg_comparisons({"u": 1}, ddf="default").to_frame()
    assert own["df"].iloc[0] == np.ravel(reference[kind]["df"])[0]
    with pytest.raises(NotSupportedError, match="Satterthwaite degrees of freedom are not there"):
        models[kind].avg_comparisons("u", ddf="Satterthwaite")


@pytest.mark.parametrize("kind", KINDS)
def test_new_rows(kind: str, models: Any, rows: pd.DataFrame) -> None:
    model, some = models[kind], rows.iloc[4:9]
    expected = model.predict(some).to_numpy()
    each = model.predictions(newdata=some)
    assert_fits_close(each.to_frame()["estimate"].to_numpy(), expected, DIFFERENCES)
    with pytest.raises(DataError, match="no column 'u'"):
        model.predictions(newdata=some.drop(columns="u"))


def test_groups_that_the_model_has_not_are_refused(models: Any, rows: pd.DataFrame) -> None:
    other = rows.head(3).assign(Subject="nobody")
    with pytest.raises(DataError, match="re_form='NA'"):
        models["lme"].avg_predictions(newdata=other)
    fixed = models["lme"].avg_predictions(newdata=other, re_form="NA")
    assert np.isfinite(fixed.to_frame()["estimate"]).all()
    with pytest.raises(NotSupportedError, match="re_form=None"):
        models["lme"].avg_predictions(re_form="~ (1 | Subject)")
