"""tidy, glance and augment against broom.mixed in native R."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning, ArgumentError, NotSupportedError, RWarning
from tests.native import assert_fits_close as assert_close
from tests.native import has_structures, native, rscript
from tests.tolerances import ARITHMETIC, BY_HAND, REOPTIMIZED, SAME_PATH, half_unit

#: Satterthwaite's df come from numerical derivatives.
DERIVATIVES = 1e-8
#: A profile's ends are interpolated.
PROFILE = 1e-6

REFERENCE = r"""
suppressMessages(library(broom.mixed))
m <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
t <- lmerTest::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
p <- lme4::lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin, REML = FALSE)
k <- lme4::lmer(log(angle) ~ recipe + temp + (1 | recipe:replicate), cake)
g <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
a <- lme4::lmer(Ozone ~ Temp + (1 | Month), airquality)
d <- function(x) as.list(as.data.frame(x))
emit(list(
  lme4 = d(tidy(m, conf.int = TRUE)), lmerTest = d(tidy(t, conf.int = TRUE)),
  glmer = d(tidy(g, conf.int = TRUE, exponentiate = TRUE)),
  crossed = d(tidy(p)), vcov = d(tidy(m, effects = "ran_pars", scales = "vcov")),
  vals = d(tidy(m, effects = "ran_vals", conf.int = TRUE)),
  coefs = d(tidy(m, effects = "ran_coefs")),
  profile = d(tidy(m, conf.int = TRUE, conf.method = "profile")),
  glance = d(glance(m)), glance_ml = d(glance(p)), glance_glmer = d(glance(g)),
  augment = d(augment(m)), augment_log = d(augment(k)), augment_glmer = d(augment(g)),
  augment_na = d(augment(a))
))
"""

NAMES = {
    "std.error": "std_error", "p.value": "p_value", "conf.low": "conf_low",
    "conf.high": "conf_high", "logLik": "loglik", "AIC": "aic", "BIC": "bic",
    "REMLcrit": "reml_criterion", "df.residual": "df_residual",
}  # fmt: skip


@pytest.fixture(scope="module")
def reference() -> Any:
    if "TRUE" not in rscript('cat(requireNamespace("broom.mixed", quietly = TRUE))'):
        pytest.skip("R package broom.mixed is not installed; it is the reference here")
    return native(REFERENCE)


@pytest.fixture(scope="module")
def sleep() -> Any:
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


@pytest.fixture(scope="module")
def cbpp() -> Any:
    return mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp"),
        family="binomial",
    )  # fmt: skip


def agree(ours: pd.DataFrame, theirs: dict[str, Any], tolerance: float) -> None:
    """Every column that broom.mixed has; with lme4 2 correlations are the last of its rows."""
    keys = [k for k in ("effect", "group", "level", "term") if k in theirs]
    if "term" in keys:
        rows = list(zip(*(map(str, theirs[k]) for k in keys), strict=True))
        of_ours = zip(*(ours[k].astype(object).fillna("None") for k in keys), strict=True)
        order = [rows.index(tuple(map(str, row))) for row in of_ours]
        assert sorted(order) == list(range(len(rows)))
        theirs = {name: [values[i] for i in order] for name, values in theirs.items()}
    for name, expected in theirs.items():
        column = ours[NAMES.get(name, name)]
        values = np.atleast_1d(expected) if not isinstance(expected, list) else expected
        if column.dtype.kind in "fi":
            assert_close(column, np.array(values, dtype=float), tolerance, name)
        else:
            assert [None if pd.isna(x) else x for x in column] == list(values), name


def test_without_degrees_of_freedom(sleep: Any, reference: Any) -> None:
    ours = sleep.tidy(conf_int=True, ddf=None)
    agree(ours.to_frame(), reference["lme4"], ARITHMETIC)
    assert np.isnan(ours.df).all()


def test_with_degrees_of_freedom(sleep: Any, reference: Any) -> None:
    agree(sleep.tidy(conf_int=True).to_frame(), reference["lmerTest"], DERIVATIVES)


def test_columns_never_change(sleep: Any, cbpp: Any) -> None:
    columns = [
        "effect", "group", "term", "estimate", "std_error", "df", "statistic", "p_value",
        "conf_low", "conf_high",
    ]  # fmt: skip
    for table in (sleep.tidy(), sleep.tidy("fixed", ddf=None), cbpp.tidy(conf_int=True)):
        assert list(table.to_frame().columns) == columns
    assert sleep.tidy().to_frame().loc["Days", "estimate"] == pytest.approx(
        10.467, abs=half_unit(3)
    )


def test_glmer_exponentiated(cbpp: Any, reference: Any) -> None:
    agree(cbpp.tidy(conf_int=True, exponentiate=True).to_frame(), reference["glmer"], REOPTIMIZED)


def test_crossed_ml(reference: Any) -> None:
    m = mlm.lmer(
        "diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"), reml=False
    )
    agree(m.tidy(ddf=None).to_frame(), reference["crossed"], DERIVATIVES)
    agree(m.glance().to_frame(), reference["glance_ml"], ARITHMETIC)
    assert m.glance().reml_criterion is None


def test_variances(sleep: Any, reference: Any) -> None:
    agree(sleep.tidy("ran_pars", scale="vcov").to_frame(), reference["vcov"], ARITHMETIC)


def test_conditional_modes_and_coefficients(sleep: Any, reference: Any) -> None:
    agree(sleep.tidy("ran_vals", conf_int=True).to_frame(), reference["vals"], ARITHMETIC)
    agree(sleep.tidy("ran_coefs").to_frame(), reference["coefs"], ARITHMETIC)


def test_profile_intervals(sleep: Any, reference: Any) -> None:
    ours = sleep.tidy(conf_int=True, conf_method="profile", ddf=None)
    agree(ours.to_frame(), reference["profile"], PROFILE)


def test_glance(sleep: Any, cbpp: Any, reference: Any) -> None:
    agree(sleep.glance().to_frame(), reference["glance"], ARITHMETIC)
    agree(cbpp.glance().to_frame(), reference["glance_glmer"], SAME_PATH)
    assert list(sleep.glance().to_frame().columns) == [
        "nobs", "sigma", "loglik", "aic", "bic", "reml_criterion", "deviance", "df_residual",
    ]  # fmt: skip
    assert sleep.glance().deviance == sleep.deviance


def test_augment(sleep: Any, reference: Any) -> None:
    ours = sleep.augment()
    assert list(ours.columns) == list(reference["augment"])
    agree(ours, reference["augment"], ARITHMETIC)


def test_augment_of_a_transformed_response(reference: Any) -> None:
    m = mlm.lmer("log(angle) ~ recipe + temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
    ours = m.augment()
    assert list(ours.columns) == list(reference["augment_log"])
    agree(ours, reference["augment_log"], BY_HAND)


def test_augment_of_a_glmm(cbpp: Any, reference: Any) -> None:
    with pytest.warns(RWarning, match="hat matrix"):
        ours = cbpp.augment()
    theirs = dict(reference["augment_glmer"])
    pair = theirs.pop("cbind(incidence, size - incidence)")
    assert_close(ours.iloc[:, :2], pair["values"])
    assert ours.columns[0] == "cbind(incidence, size - incidence).incidence"
    theirs.pop(".std.resid", None)  # new in broom.mixed 0.2.9.7
    assert list(ours.columns[2:]) == list(theirs)
    if has_structures():  # there broom.mixed finds nothing of what lme4's response module holds
        assert None in theirs[".mu"]
        assert_close(ours[".mu"], cbpp.fitted())
        theirs = {name: values for name, values in theirs.items() if None not in values}
        assert {".fitted", ".resid"} <= set(theirs)
    agree(ours, theirs, REOPTIMIZED)


def test_augment_keeps_the_index(reference: Any) -> None:
    air = mlm.load_dataset("datasets::airquality")
    air.index = [f"day {i}" for i in range(len(air))]
    ours = mlm.lmer("Ozone ~ Temp + (1 | Month)", air).augment()
    assert list(ours.index) == list(air.index[air["Ozone"].notna()])
    theirs = {k: v for k, v in reference["augment_na"].items() if not k.startswith(".rownames")}
    agree(ours, theirs, BY_HAND)


def test_bad_arguments(sleep: Any, cbpp: Any) -> None:
    with pytest.raises(ArgumentError, match="ran_pars"):
        sleep.tidy("ran_par")
    with pytest.raises(ArgumentError, match="list of names"):
        sleep.tidy([])
    with pytest.raises(ArgumentError, match="conf_level"):
        sleep.tidy(conf_level=95)
    with pytest.raises(NotSupportedError, match="asymptotic"):
        cbpp.tidy(ddf="Satterthwaite")
    with pytest.raises(NotSupportedError, match="reml=True"), warnings.catch_warnings():
        sleep.update(reml=False).tidy(ddf="Kenward-Roger")


@pytest.mark.parametrize("kind", ["lm", "lmer", "lme", "gls", "probit"])
def test_exponentiated_without_a_log_or_logit_link_is_said(kind: str) -> None:
    """As broom::tidy(exponentiate = TRUE) warns; a response on the log scale has ratios."""
    d = mlm.load_dataset("sleepstudy").assign(up=lambda d: (d.Reaction > 300).astype(int))
    fits: dict[str, Any] = {
        "lm": lambda y: mlm.lm(f"{y} ~ Days", d),
        "lmer": lambda y: mlm.lmer(f"{y} ~ Days + (1 | Subject)", d),
        "lme": lambda y: mlm.lme(f"{y} ~ Days + (1 | Subject)", d),
        "gls": lambda y: mlm.gls(f"{y} ~ Days", d),
        "probit": lambda _: mlm.glm("up ~ Days", d, family="binomial", link="probit"),
    }
    m = fits[kind]("Reaction")
    with pytest.warns(AdviceWarning, match="log or logit link"):
        found = m.tidy("fixed", exponentiate=True)
    assert_close(found.estimate, np.exp(m.fixef().to_numpy()))
    if kind != "probit":
        fits[kind]("log(Reaction)").tidy("fixed", exponentiate=True)
