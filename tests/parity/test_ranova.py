"""Tests and standard errors of variance components against native R, and the mixture's p-values."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import chi2

import pymlm as mlm
from pymlm.engine import call
from pymlm.engine.to_r import Code
from pymlm.errors import ArgumentError, NotSupportedError, SingularFitWarning
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.parity.inference_models import FLAT, MODELS, fitted, r_fits, row_names
from tests.tolerances import ARITHMETIC

COLUMNS = {
    "npar": "npar", "loglik": "logLik", "aic": "AIC", "lrt": "LRT", "df": "Df",
    "p_value": "Pr(>Chisq)",
}  # fmt: skip
#: A p-value of 1e-60 magnifies the last digit of its statistic a hundredfold.
P_VALUE = 1e-9
#: Two ways to the same derivative: R's numDeriv::jacobian of the components, and the product rule.
NUMERIC_JACOBIAN = 1e-7


@pytest.fixture(scope="module")
def reference():
    return native(
        r_fits(list(MODELS))
        + """
# Independently of the bridge: VarCorr's components as a function of (theta, sigma), differentiated
# numerically, in VarCorr's own order.
component_se <- function(m) {
  lt <- suppressWarnings(as_lmerModLmerTest(m))
  cnms <- m@cnms
  components <- function(par) {
    sigma <- par[length(par)]
    v <- mkVarCorr(sigma, cnms, lengths(cnms), par[-length(par)], names(cnms))
    as.data.frame(structure(v, class = "VarCorr.merMod", useSc = TRUE))$vcov
  }
  J <- numDeriv::jacobian(components, c(m@theta, sigma(m)))
  list(vcov = components(c(m@theta, sigma(m))), se = sqrt(diag(J %*% lt@vcov_varpar %*% t(J))))
}
emit(lapply(fits, function(m) {
  r <- ranova(m); w <- ranova(m, reduce.terms = FALSE)
  list(ranova = as.data.frame(r), print = lines_of(r), whole = as.data.frame(w),
       whole_print = lines_of(w), se = component_se(m))
}))"""
    )


@pytest.fixture(scope="module")
def models():
    return {name: fitted(name) for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_ranova(models, reference, name):
    ours, theirs = models[name].ranova(), reference[name]["ranova"]
    assert list(ours.term) == row_names(theirs)
    for field, column in COLUMNS.items():
        tolerance = FLAT.get(name, P_VALUE if field == "p_value" else ROUND_TRIP)
        assert_close(getattr(ours, field), np.array(theirs[column], float), tolerance, field)
    assert str(ours) == reference[name]["print"]


@pytest.mark.parametrize("name", MODELS)
def test_ranova_of_whole_terms(models, reference, name):
    ours, theirs = models[name].ranova(reduce_terms=False), reference[name]["whole"]
    assert list(ours.term) == row_names(theirs)
    tolerance = FLAT.get(name, ROUND_TRIP)
    assert_close(ours.lrt, np.array(theirs["LRT"], float), tolerance)
    assert str(ours) == reference[name]["whole_print"]


#: Terms that a deletion tests: how many variances vanish with it.
LOST = {
    "sleepstudy": [1], "sleepstudy ML": [1], "Penicillin": [1, 1], "Pastes": [1, 1], "cake": [1],
    "InstEval": [1, 1], "ham": [1, 1], "carrots": [1], "TVbo": [1, 1, 1], "Machines": [2],
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_mixture_beside_r_s_p_value(models, name):
    ours = models[name].ranova()
    for i, lost in enumerate(LOST[name], start=1):
        lrt, df = ours.lrt[i], ours.df[i]
        below = chi2.sf(lrt, df - 1) if df > 1 else float(lrt <= 0)
        expected = (below + chi2.sf(lrt, df)) / 2 if lost == 1 else np.nan
        assert_close(ours.p_value_boundary[i], expected, ARITHMETIC)
    assert np.isnan(ours.p_value_boundary[0])


@pytest.mark.parametrize("name", MODELS)
def test_standard_errors_of_components(models, reference, name):
    ours, theirs = models[name].varcorr_se(), reference[name]["se"]
    tolerance = FLAT.get(name, NUMERIC_JACOBIAN)
    assert_close(ours.vcov, theirs["vcov"], max(tolerance, ROUND_TRIP))
    assert_close(ours.vcov, models[name].varcorr().vcov)
    assert list(ours.grp) == list(models[name].varcorr().grp)
    assert_close(ours.std_error, theirs["se"], 1e-3 if name in FLAT else tolerance)


def test_limits_of_components_by_hand(models):
    frame = models["sleepstudy"].varcorr_se(level=0.9).to_frame()
    z = 1.6448536269514722
    intercept, covariance = frame.iloc[0], frame.iloc[2]
    ratio = np.exp(z * intercept.std_error / intercept.vcov)
    assert_close(intercept.conf_low, intercept.vcov / ratio, ARITHMETIC)
    assert_close(intercept.conf_high, intercept.vcov * ratio, ARITHMETIC)
    assert covariance.var2 == "Days"
    assert_close(covariance.conf_low, covariance.vcov - z * covariance.std_error, ARITHMETIC)


def test_uncorrelated_terms_of_one_factor_stay_apart():
    data = mlm.load_dataset("sleepstudy")
    together = mlm.lmer("Reaction ~ Days + (Days || Subject)", data)
    frame = together.varcorr_se().to_frame()
    assert frame.grp.tolist() == ["Subject", "Subject.1", "Residual"]
    assert (frame.std_error > 0).all()
    assert len(together.ranova().term) == 3


def test_a_component_of_zero_has_no_standard_error():
    with pytest.warns(SingularFitWarning):
        model = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff2"))
    frame = model.varcorr_se().to_frame()
    assert np.isnan(frame.std_error[0])
    assert np.isnan(frame.conf_high[0])
    assert frame.std_error[1] > 0
    test = model.ranova()
    assert test.lrt[1] == 0
    assert test.p_value_boundary[1] == 1
    assert model.confint(parm="theta_").failures == {
        "sd_(Intercept)|Batch": "estimated as zero: no Wald interval"
    }


def test_generalized_models_are_refused():
    model = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)",
        mlm.load_dataset("cbpp"), family="binomial",
    )  # fmt: skip
    with pytest.raises(NotSupportedError, match="lrt"):
        model.ranova()
    with pytest.raises(NotSupportedError, match="profile"):
        model.varcorr_se()
    with pytest.raises(ArgumentError, match="reduce_terms"):
        model.ranova(reduce_terms="yes")


# --- which null hypotheses lie on the boundary ----------------------------------------------------

#: smaller, larger random part -> dimensions without variance; None: not nested.
PAIRS = [
    ("(1 | Subject)", "(Days | Subject)", 1),
    ("(1 | Subject)", "(Days || Subject)", 1),
    ("(Days || Subject)", "(Days | Subject)", 0),
    ("(0 + Days | Subject)", "(Days | Subject)", 1),
    ("(Days | Subject)", "(Days || Subject)", None),
    ("(1 | Subject)", "(1 | Subject) + (1 | half)", 1),
    ("(1 | Subject)", "(1 | half)", None),
    ("(1 | half)", "(1 | half/third)", 1),
    ("(1 | Subject)", "(Days + I(Days^2) | Subject)", 2),
    ("(Days | Subject)", "(Days + I(Days^2) | Subject)", 1),
    ("(1 | Subject)", "(0 + part | Subject)", 1),
    # compound symmetry is inside the unstructured matrix, not on its edge
    ("(1 | Subject) + (1 | Subject:part)", "(0 + part | Subject)", 0),
    ("(1 | Subject:part)", "(0 + part | Subject)", 0),
    ("(Days | Subject)", "(I(Days - 4.5) | Subject)", 0),
    ("(Days || Subject)", "(I(Days - 4.5) || Subject)", None),
    ("(1 | Subject)", "(I(1e6 * Days) | Subject)", 1),
]


@pytest.mark.parametrize(("small", "large", "lost"), PAIRS)
def test_boundary_of_a_null_hypothesis(sleepstudy, small, large, lost):
    data = sleepstudy.assign(
        half=(sleepstudy.Subject.cat.codes % 2).map({0: "a", 1: "b"}),
        third=(sleepstudy.Subject.cat.codes % 3).map({0: "a", 1: "b", 2: "c"}),
        part=np.where(sleepstudy.Days < 5, "early", "late"),
    )
    with warnings.catch_warnings():  # some of these fits are singular
        warnings.simplefilter("ignore")
        models = [mlm.lmer(f"Reaction ~ Days + {r}", data) for r in (small, large)]
    code = Code(
        "as.numeric(boundary_dimension(random_parts(small$model), random_parts(large$model)))"
    )
    fits = dict(zip(("small", "large"), (m._handle for m in models), strict=True))
    answer = call("eval", code, fits, into=float)
    assert (None if np.isnan(answer) else answer) == lost
