"""What is asked of models with a covariance structure (lme4 2) is what native R says of them."""

from __future__ import annotations

import numpy as np
import pytest

import pymlm as mlm
from tests.native import assert_fits_close, has_structures, native, needs_r
from tests.tolerances import OTHER_OPTIMIZER, SAME_PATH

pytestmark = pytest.mark.skipif(not has_structures(), reason="covariance structures need lme4 2.0")

TERMS = {
    "cs(hom=True)": "cs(Days | Subject, hom = TRUE)",
    "cs": "cs(Days | Subject)",
    "diag": "diag(Days | Subject)",
    "us": "us(Days | Subject)",
}
NSIM = 20
each = pytest.mark.parametrize("name", TERMS)


@pytest.fixture(scope="module")
def models(sleepstudy):
    return {name: mlm.lmer(f"Reaction ~ Days + {term}", sleepstudy) for name, term in TERMS.items()}


@pytest.fixture(scope="module")
def reference():
    needs_r("emmeans")
    fits = ", ".join(
        f'"{name}" = lmerTest::lmer(Reaction ~ Days + {term}, sleepstudy)'
        for name, term in TERMS.items()
    )
    return native(
        f"""
fits <- list({fits})
quiet <- function(x) suppressMessages(suppressWarnings(x))
limits <- function(ci) list(low = unname(ci[, 1]), high = unname(ci[, 2]))
emit(lapply(fits, function(m) {{
  # lme4 2.1 stops at structures with one standard deviation: it makes a name for each coefficient.
  p <- tryCatch(limits(quiet(confint(profile(m, which = "theta_", signames = FALSE)))),
                error = function(e) NULL)
  e <- as.data.frame(emmeans::emmeans(m, "Days", at = list(Days = c(0, 5)),
                                      lmer.df = "satterthwaite"))
  list(
    wald = limits(confint(m, parm = "beta_", method = "Wald")),
    profile = p,
    predict = unname(predict(m)), fixed = unname(predict(m, re.form = NA)),
    boot = unname(quiet(bootMer(m, fixef, nsim = {NSIM}, seed = 7))$t),
    mean = e$emmean, se = e$SE, df = e$df
  )
}}))"""
    )


@each
def test_varcorr_names_the_structure(models, name):
    assert [x.structure for x in models[name].varcorr().matrices] == [name]


@each
def test_wald_intervals(models, reference, name):
    ours = models[name].confint("Wald", parm="beta_")
    assert_fits_close(ours.conf_low, reference[name]["wald"]["low"])
    assert_fits_close(ours.conf_high, reference[name]["wald"]["high"])


@each
def test_profile_intervals(models, reference, name):
    ours = models[name].confint("profile", parm="theta_")
    if name.endswith("(hom=True)"):
        assert reference[name]["profile"] is None
        sd = models[name].varcorr().sdcor[0]
        i = next(i for i, term in enumerate(ours.term) if term.startswith("sd_"))
        assert ours.conf_low[i] < sd < ours.conf_high[i]
        return
    assert_fits_close(ours.conf_low, reference[name]["profile"]["low"], SAME_PATH)
    assert_fits_close(ours.conf_high, reference[name]["profile"]["high"], SAME_PATH)


@pytest.mark.filterwarnings("ignore:.*extreme order statistics")  # few draws
@each
def test_bootstrap_of_fixed_effects(models, reference, name):
    ours = models[name].bootstrap(nsim=NSIM, seed=7).draws_frame()
    theirs = np.array(reference[name]["boot"]["values"], dtype=float)
    assert_fits_close(ours[["(Intercept)", "Days"]], theirs, OTHER_OPTIMIZER)


@each
def test_predictions(models, sleepstudy, reference, name):
    m = models[name]
    assert_fits_close(m.predict(), reference[name]["predict"])
    assert_fits_close(m.predict(re_form=None), reference[name]["predict"])
    assert_fits_close(m.predict(re_form="~0"), reference[name]["fixed"])
    assert_fits_close(m.predict(sleepstudy), reference[name]["predict"])
    assert_fits_close(m.predict(sleepstudy, re_form=f"~ {TERMS[name]}"), reference[name]["predict"])


@each
def test_marginal_means(models, reference, name):
    ours = models[name].emmeans("Days", at={"Days": [0, 5]}, ddf="Satterthwaite").to_frame()
    assert_fits_close(ours["emmean"], reference[name]["mean"])
    assert_fits_close(ours["std_error"], reference[name]["se"])
    assert_fits_close(ours["df"], reference[name]["df"], OTHER_OPTIMIZER)


@each
def test_the_model_of_the_other_class_keeps_bounds_and_structure(models, sleepstudy, name):
    """A refit and a likelihood after as() are those of the structure."""
    m = models[name]
    before = m.loglik
    m.summary(ddf="Satterthwaite")  # makes lmerTest's model of it
    assert m.refit(sleepstudy["Reaction"]).loglik == pytest.approx(before, rel=OTHER_OPTIMIZER)
    assert [x.structure for x in m.refit(sleepstudy["Reaction"]).varcorr().matrices] == [name]


@each
def test_parity_report(models, name):
    assert mlm.check_parity(models[name]).ok
