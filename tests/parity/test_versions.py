"""Parameters are found by name on every lme4: a name's value is VarCorr()'s, wherever it stands."""

from __future__ import annotations

import numpy as np
import pytest

import pymlm as mlm
from tests.native import assert_fits_close, native
from tests.tolerances import BY_HAND, SAME_PATH

#: boot.ci interpolates between draws; squares are interpolated elsewhere.
INTERPOLATED = 1e-3

SLOPES = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def m(sleepstudy):
    return mlm.lmer(SLOPES, sleepstudy)


def by_name(found):
    """name -> (low, high) of intervals."""
    return dict(zip(found.term, zip(found.conf_low, found.conf_high, strict=True), strict=True))


def components(model):
    """name, as confint has it -> value, from VarCorr."""
    out = {}
    for row in model.varcorr().to_frame().itertuples():
        if row.grp == "Residual":
            out["sigma"] = row.sdcor
        elif isinstance(row.var2, str):
            out[f"cor_{row.var2}.{row.var1}|{row.grp}"] = row.sdcor
        else:
            out[f"sd_{row.var1}|{row.grp}"] = row.sdcor
    return out


def test_every_method_s_intervals_hold_the_component_they_are_named_after(m):
    truth = components(m)
    for method in ("Wald", "profile", "boot"):
        more = {"nsim": 40, "seed": 1} if method == "boot" else {}
        found = by_name(m.confint(method, parm="theta_", **more))
        assert set(found) == set(truth)
        for name, (low, high) in found.items():
            if method == "Wald" and name.startswith("cor_"):
                assert np.isnan(low)
            else:
                assert low < truth[name] < high, (method, name)


def test_profile_limits_are_native_r_s_by_name(m):
    """R's argument for readable names is called oldNames in lme4 1.1, signames in 2."""
    theirs = native(
        f"""
m <- lme4::lmer({SLOPES}, sleepstudy)
p <- suppressWarnings(profile(m, which = "theta_", signames = FALSE))
ci <- confint(p)
emit(list(names = rownames(ci), low = unname(ci[, 1]), high = unname(ci[, 2])))"""
    )
    ours = by_name(m.confint("profile", parm="theta_"))
    assert list(ours) == theirs["names"]
    for name, low, high in zip(theirs["names"], theirs["low"], theirs["high"], strict=True):
        assert_fits_close(ours[name], (low, high), SAME_PATH)


# Quantiles of 40 draws are their extremes, R says.
@pytest.mark.filterwarnings("ignore:extreme order statistics:pymlm.errors.RWarning")
def test_bootstrap_estimates_are_varcorr_s_by_name(m):
    found = m.bootstrap(nsim=40, seed=1)
    estimates = dict(zip(found.term, found.estimate, strict=True))
    for name, value in components(m).items():
        assert_fits_close(estimates[name], value, BY_HAND)
    limits, squared = (
        by_name(m.confint("boot", parm="theta_", nsim=40, seed=1, scale=scale))
        for scale in ("sd", "variance")
    )
    squares = np.square(limits["sd_Days|Subject"])
    assert_fits_close(squared["var_Days|Subject"], squares, INTERPOLATED)
    assert_fits_close(squared["sigma^2"], np.square(limits["sigma"]), INTERPOLATED)
    correlation = "cor_Days.(Intercept)|Subject"
    assert_fits_close(squared[correlation], limits[correlation], BY_HAND)


# Gamma stops a hair above lme4 1.1's tolerance of the gradient; the rows are what is asked here.
@pytest.mark.filterwarnings("ignore::pymlm.errors.ConvergenceWarning")
@pytest.mark.parametrize("family", ["Gamma", "inverse.gaussian"])
def test_wald_rows_of_a_family_with_a_scale_stand_under_their_names(sleepstudy, family):
    m = mlm.glmer("Reaction ~ Days + (1 | Subject)", sleepstudy, family, "log")
    found = by_name(m.confint("Wald"))
    fixed = m.fixef()
    assert set(found) == set(fixed.index)
    for name, value in fixed.items():
        assert found[name][0] < value < found[name][1]


def test_the_deviance_has_one_name_on_every_lme4(sleepstudy):
    m0 = mlm.lmer("Reaction ~ 1 + (Days | Subject)", sleepstudy, reml=False)
    m1 = mlm.lmer(SLOPES, sleepstudy, reml=False)
    assert_fits_close(mlm.anova(m0, m1).deviance, [m0.deviance, m1.deviance])
    criteria = m1.summary().criteria
    assert {"AIC", "BIC", "logLik", "deviance"} <= set(criteria)
    assert criteria["deviance"] == pytest.approx(m1.deviance)


def test_no_advice_to_developers_reaches_a_user(m, sleepstudy, recwarn):
    """Moved or renamed functions of lme4 warn wherever they are called."""
    mlm.lmer("Reaction ~ Days + (Days || Subject)", sleepstudy).ranova()
    m.predict(sleepstudy.head(3), re_form="~ (1 | Subject)")
    m.confint("Wald")
    m.influence(groups=["Subject"])
    m.simulate(1, seed=1)
    said = [str(w.message) for w in recwarn]
    assert not [s for s in said if "moved" in s or "deprecated" in s], said
