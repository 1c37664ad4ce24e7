"""Confidence intervals and profiles against native R."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError, RWarning
from tests.native import ROUND_TRIP, has_structures, native
from tests.native import assert_fits_close as assert_close
from tests.parity.inference_models import FLAT, fitted, r_fits
from tests.tolerances import ARITHMETIC, OTHER_OPTIMIZER

NAMES = ["sleepstudy", "sleepstudy ML", "Penicillin", "Pastes"]
#: The profile's optimizations start where the fit ended, and magnify its last digits.
PROFILE = 1e-7
#: ... and those of a flat optimum (inference_models.FLAT) a hundredfold, near zeta = 0.
FLAT_PROFILE = 1e-4
#: lme4 reads limits off a spline through a few points of the curve; here against a root search.
SPLINE = 1e-4


def profile_tolerance(name):
    return FLAT_PROFILE if name in FLAT else PROFILE


@pytest.fixture(scope="module")
def reference():
    return native(
        r_fits(NAMES)
        + """
emit(lapply(fits, function(m) {
  limits <- function(ci) list(ci = ci, print = lines_of(ci))
  p <- suppressWarnings(profile(m, which = 1:2, signames = FALSE))
  list(
    wald = limits(confint(m, method = "Wald", parm = "beta_")),
    wald90 = confint(m, method = "Wald", parm = "beta_", level = 0.9),
    profile = limits(suppressMessages(suppressWarnings(confint(m, oldNames = FALSE)))),
    old_names = rownames(confint(m, method = "Wald")),
    some = suppressMessages(suppressWarnings(
      confint(m, parm = c(".sigma", ".sig01"), level = 0.9))),
    curves = as.data.frame(p))
}))"""
    )


@pytest.fixture(scope="module")
def models():
    return {name: fitted(name) for name in NAMES}


def same_limits(ours, matrix, rtol=ROUND_TRIP):
    values = np.array(matrix["values"], dtype=float)
    assert list(ours.term) == np.atleast_1d(matrix["rows"]).tolist()
    assert_close(ours.conf_low, values[:, 0], rtol)
    assert_close(ours.conf_high, values[:, 1], rtol)


@pytest.mark.parametrize("name", NAMES)
def test_wald(models, reference, name):
    ours = models[name].confint()
    exact = FLAT.get(name, ROUND_TRIP)
    same_limits(ours, reference[name]["wald"]["ci"], exact)
    assert str(ours) == reference[name]["wald"]["print"]
    same_limits(models[name].confint(level=0.9), reference[name]["wald90"], exact)


def test_wald_of_variances_is_stata_s(models):
    """R leaves these empty; the limits of the variance are those of varcorr_se."""
    m = models["sleepstudy"]
    ours = m.confint(parm=["theta_"], scale="variance")
    se = m.varcorr_se().to_frame()
    variances = ["var_(Intercept)|Subject", "var_Days|Subject", "sigma^2"]
    assert set(ours.term) == {*variances, "cor_Days.(Intercept)|Subject"}
    at = [ours.term.index(name) for name in variances]
    assert_close(ours.conf_low[at], se.conf_low[[0, 1, 3]], ARITHMETIC)
    assert_close(ours.conf_high[at], se.conf_high[[0, 1, 3]], ARITHMETIC)
    assert "profile" in ours.failures["cor_Days.(Intercept)|Subject"]
    roots = m.confint(parm="theta_")
    assert_close(roots.conf_low[at] ** 2, ours.conf_low[at], ARITHMETIC)


@pytest.mark.parametrize("name", NAMES)
def test_profile_intervals(models, reference, name):
    ours, theirs = models[name].confint("profile"), reference[name]["profile"]
    same_limits(ours, theirs["ci"], profile_tolerance(name))
    assert str(ours) == theirs["print"]
    assert list(ours.r_names) == reference[name]["old_names"]
    assert ours.failures == {}
    assert ("ML fit" in " ".join(ours.notes)) == models[name].reml


@pytest.mark.parametrize("name", NAMES)
def test_profile_of_some_parameters_by_r_s_names(models, reference, name):
    ours = models[name].confint("profile", parm=[".sigma", ".sig01"], level=0.9)
    theirs = dict(zip(reference[name]["some"]["rows"], reference[name]["some"]["values"],
                      strict=True))  # fmt: skip
    assert list(ours.r_names) == [".sigma", ".sig01"]
    for i, r_name in enumerate(ours.r_names):
        limits = [ours.conf_low[i], ours.conf_high[i]]
        assert_close(limits, theirs[r_name], profile_tolerance(name), r_name)


def test_variance_scale_squares(models):
    m = models["Penicillin"]
    sd, variance = m.confint("profile"), m.confint("profile", scale="variance")
    assert list(variance.term)[:3] == ["var_(Intercept)|plate", "var_(Intercept)|sample", "sigma^2"]
    assert_close(variance.conf_high[:3], sd.conf_high[:3] ** 2)
    assert_close(variance.conf_high[3], sd.conf_high[3])
    assert list(variance.r_names) == list(sd.r_names)


@pytest.mark.parametrize("name", NAMES)
def test_profile_curves(models, reference, name):
    names = models[name].confint("profile", parm=["theta_"]).term[:2]
    ours = models[name].profile(list(names))
    theirs = reference[name]["curves"]
    assert list(ours.parameter) == theirs[".par"]
    exact = profile_tolerance(name)
    assert_close(ours.zeta, theirs[".zeta"], exact)
    for i, parameter in enumerate(ours.names):
        assert_close(ours.values[:, i], theirs[parameter], exact, parameter)
    curve = ours.curve(names[0])
    assert np.all(np.diff(curve.value) >= 0)
    here = ours.to_frame().query("parameter == @names[0]")
    assert_close(curve.zeta, here.zeta[np.argsort(here[names[0]].to_numpy(), kind="stable")])


def test_zeta_is_zero_at_the_estimate(models):
    m = models["sleepstudy ML"]
    profile = m.profile(["Days", "sigma"])
    for name, estimate in (("Days", m.fixef()["Days"]), ("sigma", m.sigma)):
        curve = profile.curve(name)
        assert_close(np.interp(0, curve.zeta, curve.value), estimate, OTHER_OPTIMIZER)
    assert_close(profile.curve(".sigma").zeta, profile.curve("sigma").zeta)
    with pytest.raises(ArgumentError, match="'sigma'"):
        profile.curve("sigm")
    with pytest.raises(ArgumentError, match="no profile of"):
        profile.curve("sd_Days|Subject")


def test_boundary_profiles_say_what_is_missing(sleepstudy):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mlm.lmer(
            "Reaction ~ Days + (Days | Subject) + (0 + twin | Subject)",
            sleepstudy.assign(twin=sleepstudy.Days),
        )
    assert model.convergence.singular
    ours = model.confint("profile")
    table = ours.to_frame()
    assert table.loc["sd_twin|Subject", "conf_low"] == 0
    if has_structures():  # lme4 2 finds its way along this ridge to one end
        assert table.loc["sd_twin|Subject", "conf_high"] > table.loc["sd_Days|Subject", "conf_low"]
        return
    assert np.isinf(table.loc["sd_twin|Subject", "conf_high"])
    assert "non-monotonic profile" in ours.failures["sd_twin|Subject"]
    assert "Days" not in ours.failures
    assert np.isfinite(table.loc["Days"]).all()
    assert str(ours).splitlines()[-1].startswith("sd_twin|Subject: non-monotonic profile")


def test_profile_with_prior_weights():
    """lme4 1.1-31 forgets the weights where it profiles fixed effects (its issue 192)."""
    weighted = native("""
sleepstudy$w <- rep(c(0.5, 2, 1), 60)
sleepstudy$o <- sleepstudy$Days^2
m <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy, weights = w, offset = o, REML = FALSE)
away <- function(b) sqrt(max(0, 2 * (logLik(m) - logLik(lmer(Reaction ~ 1 + (1 | Subject),
  sleepstudy, weights = w, offset = o + b * Days, REML = FALSE)))))
half <- function(b) uniroot(function(x) away(x) - qnorm(0.975), sort(c(fixef(m)[2], b)),
                            tol = 1e-10)$root
emit(list(slope = c(half(fixef(m)[2] - 5), half(fixef(m)[2] + 5)),
          sigma = unname(confint(m, parm = "sigma", oldNames = FALSE)[1, ])))""")
    data = mlm.load_dataset("sleepstudy")
    data = data.assign(w=[0.5, 2.0, 1.0] * 60, o=data.Days**2)
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data, weights="w", offset="o")
    before = m.anova(engine="lmerTest").den_df
    ours = m.confint("profile").to_frame()
    assert_close(m.anova(engine="exact").den_df, before, PROFILE)  # the model is left as it was
    assert_close(ours.loc["Days"], weighted["slope"], SPLINE)
    assert_close(ours.loc["sigma"], weighted["sigma"], SPLINE)


def test_bootstrap_without_an_interval_says_so(models):
    ours = models["sleepstudy ML"].confint("boot", nsim=1, seed=1)
    assert "too few different draws" in ours.failures["sigma"]
    assert "sigma: too few different draws" in str(ours)


def test_unknown_parameters(models):
    m = models["sleepstudy"]
    with pytest.raises(ArgumentError, match=r"Did you mean 'sd_Days\|Subject'"):
        m.confint("profile", parm="sd_Day|Subject")
    with pytest.raises(ArgumentError, match="'Days'"):
        m.confint(parm="Dayz")
    with pytest.raises(ArgumentError, match="method"):
        m.confint("wild")
    with pytest.raises(ArgumentError, match="level"):
        m.confint(level=95)
    with pytest.raises(ArgumentError, match="scale"):
        m.confint(scale="log")


# --- by bootstrap ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def boot_reference():
    return native(
        r_fits(["sleepstudy", "Pastes"])
        + """
emit(lapply(fits, function(m) lapply(c(perc = "perc", basic = "basic", norm = "norm"), function(k) {
  set.seed(7)
  ci <- suppressMessages(confint(m, method = "boot", nsim = 60, boot.type = k, oldNames = FALSE,
                                 seed = 7, level = 0.9))
  list(ci = ci, print = lines_of(ci))
})))"""
    )


@pytest.mark.parametrize("kind", ["perc", "basic", "norm"])
@pytest.mark.parametrize("name", ["sleepstudy", "Pastes"])
def test_bootstrap_intervals(models, boot_reference, name, kind):
    ours = models[name].confint("boot", nsim=60, seed=7, boot_type=kind, level=0.9)
    same_limits(ours, boot_reference[name][kind]["ci"], PROFILE)
    assert str(ours) == boot_reference[name][kind]["print"]
    assert "60 draws, seed 7" in ours.notes[0]


def test_bootstrap_of_one_parameter(models):
    m = models["Pastes"]
    whole = m.confint("boot", nsim=60, seed=7).to_frame()
    one = m.confint("boot", parm="sigma", nsim=60, seed=7)
    assert list(one.term) == ["sigma"]
    assert_close(one.conf_low, whole.loc["sigma", "conf_low"])
    with pytest.warns(RWarning, match="extreme order statistics"):
        m.confint("boot", nsim=20, seed=1)


def test_profiling_leaves_a_generalized_model_as_it_was():
    """lme4's profile() writes into the model: ranef() after it answers for another theta."""
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    m, twin = (mlm.glmer(formula, mlm.load_dataset("cbpp")) for _ in range(2))
    m.profile(parm="sd_(Intercept)|herd")
    assert_close(m.ranef().to_frame()["condval"], twin.ranef().to_frame()["condval"])


def test_an_estimated_scale_cannot_be_profiled():
    data = mlm.load_dataset("sleepstudy")
    m = mlm.glmer("Reaction ~ 1 + (1 | Subject)", data, family="Gamma", link="log")
    with pytest.raises(NotSupportedError, match="scale is estimated"):
        m.confint(method="profile")
    with pytest.raises(NotSupportedError, match=r"^standard errors of variance components"):
        m.confint(parm="theta_")
