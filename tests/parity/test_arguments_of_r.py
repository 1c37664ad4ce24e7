"""Smaller arguments of lme4's and broom.mixed's functions, against native R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.native import assert_close, assert_fits_close, native
from tests.tolerances import REOPTIMIZED

#: Profiles interpolate splines between steps that start at each process's own optimum.
PROFILED = 1e-5

REFERENCE = r"""
d <- transform(sleepstudy, twice = 2 * Days, w = Days + 1)
dropped <- suppressMessages(lme4::lmer(Reaction ~ twice + Days + (1 | Subject), d))
l <- lm(Reaction ~ twice + Days, d)
s <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
other <- transform(d, Reaction = rev(Reaction))
weighted <- lme4::lmer(Reaction ~ Days + (Days | Subject), d, weights = w)
both <- lme4::lmer(Reaction ~ Days + (1 | Subject), other, weights = w)
p <- confint(profile(s, signames = FALSE, which = "theta_"))
fixed <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy, start = c(1, .1, .3),
  control = lmerControl(optimizer = NULL))
g <- function(...) glmer(incidence ~ period + (1 | herd), cbpp, poisson, ...)
mu <- cbpp$incidence + .5
named <- function(b) list(names = names(b), values = unname(b))
emit(list(
  dropped = named(fixef(dropped, add.dropped = TRUE)), lm = named(coef(l)),
  weighted = unname(fixef(weighted)), both = unname(c(fixef(both), sigma(both))),
  profile = as.list(as.data.frame(t(p))),
  fixed = list(theta = unname(getME(fixed, "theta")), beta = unname(fixef(fixed)),
               crit = REMLcrit(fixed), sigma = sigma(fixed)),
  mustart = unname(fixef(g(mustart = mu))), etastart = unname(fixef(g(etastart = log(mu)))),
  glm = unname(coef(glm(incidence ~ period, poisson, cbpp, mustart = mu)))
))
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    sleep = mlm.load_dataset("sleepstudy")
    return sleep.assign(twice=2.0 * sleep["Days"], w=sleep["Days"] + 1.0)


@pytest.mark.filterwarnings("ignore::pymlm.errors.RWarning")
def test_dropped_fixed_effects(data: pd.DataFrame, reference: Any) -> None:
    formula = "Reaction ~ twice + Days"
    for m, theirs in (
        (mlm.lmer(f"{formula} + (1 | Subject)", data), reference["dropped"]),
        (mlm.lm(formula, data), reference["lm"]),
    ):
        found = m.fixef(add_dropped=True)
        assert list(found.index) == theirs["names"]
        known = [v is not None for v in theirs["values"]]
        assert found.notna().tolist() == known
        assert_fits_close(found[known], [v for v in theirs["values"] if v is not None], REOPTIMIZED)
        assert len(m.fixef()) == len(found) - 1
    whole = mlm.gls("Reaction ~ Days", data)
    assert whole.fixef(add_dropped=True).equals(whole.fixef())


def test_refit_with_weights(data: pd.DataFrame, reference: Any) -> None:
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    assert_fits_close(m.refit(weights="w").fixef(), reference["weighted"], REOPTIMIZED)
    assert_fits_close(
        m.refit(data["Reaction"], weights=data["w"]).fixef(), reference["weighted"], REOPTIMIZED
    )
    one = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    both = one.refit(data["Reaction"].to_numpy()[::-1], weights=data["w"].to_numpy())
    assert_fits_close([*both.fixef(), both.sigma], reference["both"], REOPTIMIZED)
    # What is asked later is of both, and the first model stays.
    assert_fits_close(both.update(reml=False).update(reml=True).sigma, both.sigma, REOPTIMIZED)
    assert one.sigma != both.sigma
    with pytest.raises(ArgumentError, match="other weights"):
        m.refit()
    with pytest.raises(DataError, match="above 0"):
        m.refit(weights=np.zeros(180))
    with pytest.raises(DataError, match="'v'"):
        m.refit(weights="v")
    for other in (
        mlm.gls("Reaction ~ Days", data), mlm.lme("Reaction ~ Days", data, random="~ 1 | Subject")
    ):  # fmt: skip
        with pytest.raises(NotSupportedError, match="variance_by"):
            other.refit(weights="w")


def test_variances_with_profile_intervals(data: pd.DataFrame, reference: Any) -> None:
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    found = m.tidy("ran_pars", conf_int=True, conf_method="profile", scale="vcov").to_frame()
    for term, row in (
        ("var__(Intercept)", "sd_(Intercept)|Subject"), ("var__Days", "sd_Days|Subject"),
        ("var__Observation", "sigma"),
    ):  # fmt: skip
        limits = np.square(reference["profile"][row])
        ours = found.loc[found["term"] == term, ["conf_low", "conf_high"]].to_numpy()[0]
        assert_fits_close(ours, limits, PROFILED, term)
    covariance = found[found["term"].str.startswith("cov__")]
    assert covariance[["conf_low", "conf_high"]].isna().all(axis=None)
    assert covariance["estimate"].notna().all()
    sds = m.tidy("ran_pars", conf_int=True, conf_method="profile").to_frame()
    squares = sds.loc[sds["term"] == "sd__Days", ["conf_low", "conf_high"]] ** 2
    days = found.loc[found["term"] == "var__Days", ["conf_low", "conf_high"]]
    assert_fits_close(days.to_numpy(), squares.to_numpy(), PROFILED)


def test_no_optimizer(data: pd.DataFrame, reference: Any) -> None:
    theirs = reference["fixed"]
    for control in (mlm.LmerControl(optimizer=None), {"optimizer": None}):
        m = mlm.lmer(
            "Reaction ~ Days + (Days | Subject)", data, start=[1, 0.1, 0.3], control=control
        )
        assert_close(m.theta, theirs["theta"])
        assert_fits_close(m.fixef(), theirs["beta"])
        assert_fits_close([m.reml_criterion, m.sigma], [theirs["crit"], theirs["sigma"]])
        assert m.convergence.optimizer == ("none",)
        assert not m.convergence.ok
        assert "optimizer = NULL" in m.to_r()
    plain = mlm.lmer("Reaction ~ Days + (Days | Subject)", data, control=mlm.LmerControl())
    assert plain.convergence.ok
    assert mlm.LmerControl().r_arguments() == {}
    for refused in (mlm.GlmerControl, mlm.NlmerControl):
        with pytest.raises(ArgumentError, match="deviance_at"):
            refused(optimizer=None)


def test_starts_of_the_rows(reference: Any) -> None:
    cbpp = mlm.load_dataset("cbpp")
    mu = cbpp["incidence"] + 0.5
    formula = "incidence ~ period + (1 | herd)"
    with_mu = mlm.glmer(formula, cbpp.assign(mu=mu), family="poisson", mustart="mu")
    assert "mustart = mu" in with_mu.to_r()
    assert_fits_close(with_mu.fixef(), reference["mustart"], REOPTIMIZED)
    with_eta = mlm.glmer(formula, cbpp, family="poisson", etastart=np.log(mu))
    assert_fits_close(with_eta.fixef(), reference["etastart"], REOPTIMIZED)
    assert with_eta.predict(cbpp.head(2)).notna().all()
    assert with_eta.update(". ~ . - period").nobs == with_eta.nobs
    line = mlm.glm("incidence ~ period", cbpp, family="poisson", mustart=mu.to_numpy())
    assert_fits_close(line.fixef(), reference["glm"], REOPTIMIZED)
    with pytest.raises(DataError, match="mustart"):
        mlm.glmer(formula, cbpp, family="poisson", mustart=[1, 2])
    with pytest.raises(DataError, match="etastart"):
        mlm.glmer(formula, cbpp, family="poisson", etastart="no_such")
