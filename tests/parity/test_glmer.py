"""Generalized linear mixed models against native Rscript: one test per model and quantity."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import PymlmWarning, RWarning
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.parity.glmm_cases import CBPP_R, GLMMS, data_of, fitted
from tests.parity.one_process import native_answers, report
from tests.tolerances import FLAT_TAIL, OTHER_OPTIMIZER, SAME_PATH

#: Standard deviations and the RX matrix are computed anew from the fit, by sparse solves.
SOLVED = 1e-9

FACTS = """
say <- function(x) paste(capture.output(print(x)), collapse = "\\n")
facts <- function(m) {
  s <- summary(m)
  r <- as.data.frame(ranef(m, condVar = TRUE))
  list(fixef = fixef(m), theta = getME(m, "theta"), coefs = coef(s), vcov = as.matrix(vcov(m)),
       rx = as.matrix(suppressWarnings(vcov(m, use.hessian = FALSE))),
       loglik = as.numeric(logLik(m)), aic = AIC(m), bic = BIC(m), df_residual = df.residual(m),
       deviance = minus_two_loglik(s), conditional = deviance(m), sigma = sigma(m),
       response = residuals(m, "response"), pearson = residuals(m, "pearson"),
       working = residuals(m, "working"), dev = residuals(m, "deviance"),
       fitted = unname(fitted(m)), link = unname(predict(m)),
       none = unname(predict(m, re.form = NA, type = "response")),
       grp = as.character(r$grp), condval = r$condval, condsd = r$condsd,
       vc = as.data.frame(VarCorr(m))$sdcor, nobs = nobs(m),
       wald = as.matrix(confint(m, parm = names(fixef(m)), method = "Wald")),
       gradient = m@optinfo$derivs$gradient, feval = m@optinfo$feval,
       family = family(m)$family, linkname = family(m)$link,
       summary = say(s), shown = say(m), call = paste(deparse(m@call, 500), collapse = "\\n"))
}
"""


@pytest.fixture(scope="module")
def r():
    code = FACTS + "data(Contraception, package = 'mlmRev')\n" + CBPP_R + "out <- list()\n"
    for name, (data, formula, _, arguments) in GLMMS.items():
        code += (
            f"out[['{name}']] <- suppressWarnings(facts(suppressMessages(glmer("
            f"formula = {formula}, data = {data}, {arguments.replace(chr(39), chr(34))}))))\n"
        )
    return native(code + "emit(out)")


def matrix(found):
    return np.array(found["values"], dtype=float)


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        return function(*args, **kwargs)


each = pytest.mark.parametrize("name", GLMMS)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    return native_answers({name: fitted(name) for name in GLMMS}, tmp_path_factory.mktemp)


@each
def test_every_number_of_check_parity_agrees(answers, name):
    found = report(fitted(name), answers[name])
    assert found.ok, str(found)
    assert len(found.what) > 15


@each
def test_fixef(r, name):
    assert_close(fitted(name).fixef(), list(r[name]["fixef"].values()))
    assert list(fitted(name).fixef().index) == list(r[name]["fixef"])


@each
def test_theta(r, name):
    theta = r[name]["theta"]
    assert_close(fitted(name).theta, list(theta.values()))
    assert list(fitted(name).theta.index) == list(theta)


@each
def test_summary_table(r, name):
    ours = quiet(fitted(name).summary).fixed
    theirs = matrix(r[name]["coefs"])
    assert ours.df is None
    assert_close(ours.estimate, theirs[:, 0], what="estimate")
    assert_close(ours.std_error, theirs[:, 1], what="std_error")
    assert_close(ours.statistic, theirs[:, 2], what="statistic")
    assert_close(ours.p_value, theirs[:, 3], what="p_value")
    assert f"{ours.statistic_name} value" == r[name]["coefs"]["cols"][2]


@each
def test_print(r, name):
    assert str(quiet(fitted(name).summary)) == r[name]["summary"]
    assert str(fitted(name)) == r[name]["shown"]


@each
def test_call_is_what_a_person_writes(r, name):
    ours = fitted(name)._described.call
    assert ours == r[name]["call"]


@each
def test_vcov(r, name):
    m = fitted(name)
    assert_close(quiet(m.vcov), matrix(r[name]["vcov"]), SOLVED)
    assert_close(quiet(m.vcov, use_hessian=False), matrix(r[name]["rx"]), SOLVED)


@each
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("loglik", "loglik"), ("aic", "aic"), ("bic", "bic"), ("deviance", "deviance"),
     ("conditional_deviance", "conditional"), ("sigma", "sigma"), ("df_residual", "df_residual"),
     ("nobs", "nobs")],
)  # fmt: skip
def test_scalar(r, name, ours, theirs):
    assert_close(getattr(fitted(name), ours), r[name][theirs])


@each
@pytest.mark.parametrize(
    ("type", "theirs"),
    [("response", "response"), ("pearson", "pearson"), ("working", "working"),
     ("deviance", "dev")],
)  # fmt: skip
def test_residuals(r, name, type, theirs):
    values = r[name][theirs]
    theirs = list(values.values()) if isinstance(values, dict) else values
    assert_close(fitted(name).residuals(type), theirs)
    if type == "deviance":  # R's default for a GLMM
        assert_close(fitted(name).residuals(), theirs)


@each
def test_fitted_and_predicted(r, name):
    m = fitted(name)
    assert_close(m.fitted(), r[name]["fitted"], what="fitted")
    assert_close(m.predict(), r[name]["fitted"], what="response")
    assert_close(m.predict(type="link"), r[name]["link"], what="link")
    assert_close(m.predict(re_form="NA"), r[name]["none"], what="without random effects")


@each
def test_ranef(r, name):
    ours = fitted(name).ranef().to_frame()
    assert list(ours["grp"]) == r[name]["grp"]
    assert_close(ours["condval"], r[name]["condval"])
    assert_close(ours["condsd"], r[name]["condsd"], SOLVED)


@each
def test_varcorr(r, name):
    assert_close(fitted(name).varcorr().to_frame()["sdcor"], r[name]["vc"])


@each
def test_wald_intervals(r, name):
    ours = quiet(fitted(name).confint, method="Wald", parm=list(fitted(name).fixef().index))
    assert_close(ours.to_frame(), matrix(r[name]["wald"]))


@each
def test_family_link_and_convergence(r, name):
    m = fitted(name)
    assert (m.family, m.link) == (r[name]["family"], r[name]["linkname"])
    assert m.convergence.evaluations == r[name]["feval"]
    gradient = r[name]["gradient"]
    if gradient is None:
        assert np.isnan(m.convergence.max_gradient)
    else:
        assert_close(m.convergence.max_gradient, np.max(np.abs(gradient)))


# --- two ways to standard errors, scale, degrees of freedom ---------------------------------------


def test_summary_without_the_hessian(r):
    m = fitted("cbpp cbind")
    with pytest.warns(RWarning, match=r"consider .use.hessian=TRUE"):
        s = m.summary(use_hessian=False)
    se = np.sqrt(np.diag(matrix(r["cbpp cbind"]["rx"])))
    assert_close(s.fixed.std_error, se)
    assert not np.allclose(s.fixed.std_error, m.summary().fixed.std_error, rtol=FLAT_TAIL)
    assert_close(m.summary(use_hessian=True).fixed.std_error, m.summary().fixed.std_error)


def test_no_hessian_with_agq_0():
    with pytest.raises(mlm.errors.NotSupportedError, match="n_agq of 1 or more"):
        fitted("cbpp agq 0").vcov(use_hessian=True)
    with pytest.raises(mlm.errors.NotSupportedError, match="no Hessian"):
        fitted("cbpp agq 0").summary(use_hessian=True)


def test_scale_is_said():
    s = fitted("cbpp cbind").summary()
    assert (s.family, s.link, s.scale) == ("binomial", "logit", "link")
    assert "estimates on the link scale" in s._repr_html_()
    assert json.loads(s.to_json())["scale"] == "link"
    again = type(s).from_json(s.to_json())
    assert_close(again.fixed.estimate, s.fixed.estimate)


@pytest.mark.parametrize("ddf", ["Satterthwaite", "Kenward-Roger", "between-within"])
def test_degrees_of_freedom_are_refused(ddf):
    m = fitted("cbpp cbind")
    with pytest.raises(mlm.errors.NotSupportedError, match="asymptotic"):
        m.summary(ddf=ddf)
    with pytest.raises(mlm.errors.NotSupportedError, match="asymptotic"):
        m.vcov(ddf=ddf)
    assert_close(m.summary(ddf="asymptotic").fixed.p_value, m.summary().fixed.p_value)


def test_tests_default_to_r_s_for_a_glmm(r_more):
    m = fitted("cbpp cbind")
    assert str(m.anova()) == r_more["anova"]
    assert m.anova().type == "I"  # lme4's own table is sequential
    assert_close(m.drop1().statistic[1], r_more["lrt"])
    assert_close(m.contest("period2 = 0").p_value, m.summary().fixed.p_value[1])
    with pytest.raises(mlm.errors.NotSupportedError, match="asymptotic"):
        m.anova(ddf="Satterthwaite")


# --- forms of one response are one model ----------------------------------------------------------


def test_forms_of_a_binomial_response_agree():
    cbind, proportions = fitted("cbpp cbind"), fitted("cbpp proportions")
    assert_close(cbind.loglik, proportions.loglik, SAME_PATH)  # two runs of an optimizer
    levels = fitted("cbpp two levels")
    data = data_of("cbpp")
    for response in (data["incidence"] > 0, (data["incidence"] > 0).astype(int),
                     data["any"].astype(str)):  # fmt: skip
        m = quiet(mlm.glmer, "y ~ period + (1 | herd)", data.assign(y=response))
        assert_close(m.fixef(), levels.fixef())


def test_a_text_response_is_named_by_its_second_level():
    """R: the first level is failure. Reversed levels reverse the signs."""
    data = data_of("cbpp").copy()
    data["any"] = data["any"].cat.reorder_categories(["some", "none"])
    m = quiet(mlm.glmer, "any ~ period + (1 | herd)", data)
    assert_close(
        m.fixef(), -fitted("cbpp two levels").fixef(), OTHER_OPTIMIZER
    )  # two optimizer runs


def test_offset_and_weights_as_arrays_and_columns():
    data = data_of("cbpp")
    offset = np.log(data["size"].to_numpy(dtype=float))
    m = mlm.glmer("incidence ~ period + (1 | herd)", data, "poisson", offset=offset)
    assert_close(m.fixef(), fitted("cbpp offset").fixef())
    m = mlm.glmer("p ~ period + (1 | herd)", data, weights=data["size"].to_numpy())
    assert_close(m.fixef(), fitted("cbpp proportions").fixef())


# --- other fits from one --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def r_more():
    return native(
        """
        m <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
        out <- list(drop = fixef(update(m, . ~ . - period)), agq = fixef(update(m, nAGQ = 5)),
                    link = fixef(update(m, family = binomial("probit"))))
        y <- cbind(rev(cbpp$incidence), cbpp$size)
        out$refit2 <- fixef(update(m, y ~ .))
        out$anova <- paste(capture.output(print(anova(m))), collapse = "\\n")
        out$lrt <- drop1(m, test = "Chisq")$LRT[2]
        g <- glmer(TICKS ~ YEAR + (1 | BROOD), grouseticks, poisson)
        out$refit1 <- fixef(update(g, rev(TICKS) ~ .))
        cb <- cbpp; cb$y <- cb$incidence > 0; cb$period[c(2, 9)] <- NA
        h <- glmer(y ~ period + (1 | herd), cb, binomial)
        out$holes <- fixef(h); out$hres <- unname(residuals(h))
        cb$y2 <- rev(cb$y)
        out$hrefit <- fixef(update(h, y2 ~ .))
        nb <- suppressWarnings(glmer.nb(TICKS ~ cHEIGHT + (1 | BROOD), data = grouseticks))
        out$nb <- fixef(nb); out$nbtheta <- getME(nb, "glmer.nb.theta")
        out$nbll <- as.numeric(logLik(nb)); out$nbse <- unname(coef(summary(nb))[, 2])
        out$nbshown <- paste(capture.output(print(summary(nb))), collapse = "\\n")
        out$nbdrop <- fixef(update(nb, . ~ . - cHEIGHT))
        emit(out)
        """
    )


def test_update(r_more):
    m = fitted("cbpp cbind")
    assert_close(m.update(". ~ . - period").fixef(), r_more["drop"]["(Intercept)"])
    assert_close(m.update(n_agq=5).fixef(), list(r_more["agq"].values()))
    probit = m.update(link="probit")
    assert probit.link == "probit"
    assert_close(probit.fixef(), list(r_more["link"].values()))
    with pytest.raises(mlm.errors.ArgumentError, match="Did you mean 'n_agq'"):
        m.update(nagq=2)


def test_refit(r_more):
    """As a fit to the new response; lme4's refit() starts, and so ends, elsewhere (4e-4 here)."""
    data = data_of("cbpp")
    two = np.column_stack([data["incidence"].to_numpy()[::-1], data["size"]])
    assert_close(fitted("cbpp cbind").refit(two).fixef(), list(r_more["refit2"].values()))
    ticks = data_of("grouseticks")["TICKS"].astype(float)
    g = mlm.glmer("TICKS ~ YEAR + (1 | BROOD)", data_of("grouseticks"), "poisson")
    assert_close(g.refit(ticks.to_numpy()[::-1]).fixef(), list(r_more["refit1"].values()))


def test_missing_rows(r_more):
    data = data_of("cbpp").assign(y=lambda d: d["incidence"] > 0)
    data.loc[data.index[[1, 8]], "period"] = np.nan
    m = quiet(mlm.glmer, "y ~ period + (1 | herd)", data)
    assert (m.nobs, m.n_dropped) == (54, 2)
    assert_close(m.fixef(), list(r_more["holes"].values()))
    residuals = m.residuals()
    assert residuals.isna().sum() == 2
    assert_close(residuals.dropna(), r_more["hres"])
    again = quiet(m.refit, (data["incidence"] > 0).to_numpy()[::-1])
    assert_close(again.fixef(), list(r_more["hrefit"].values()))


def test_glmer_nb(r_more):
    m = mlm.glmer_nb("TICKS ~ cHEIGHT + (1 | BROOD)", data_of("grouseticks"))
    assert_close(m.fixef(), list(r_more["nb"].values()))
    assert_close(m.nb_theta, r_more["nbtheta"])
    assert_close(m.loglik, r_more["nbll"])
    assert_close(m.summary().fixed.std_error, r_more["nbse"])
    assert str(m.summary()) == r_more["nbshown"]
    assert m.family == "Negative Binomial(3.2707)"
    assert_close(m.update(". ~ . - cHEIGHT").fixef(), r_more["nbdrop"]["(Intercept)"])


def test_a_singular_negative_binomial_fit_is_said_once(recwarn):
    mlm.glmer_nb("incidence ~ period + (1 | herd)", mlm.load_dataset("cbpp"))
    singular = [w.category for w in recwarn if "singular" in str(w.message)]
    assert singular == [mlm.errors.SingularFitWarning]


def test_pickle_save_and_load(tmp_path):
    import pickle

    m = fitted("cbpp cbind")
    for other in (pickle.loads(pickle.dumps(m)), mlm.load_model(m.save(tmp_path / "m.rds"))):
        assert type(other) is mlm.GeneralizedLinearMixedModel
        assert_close(other.summary().fixed.p_value, m.summary().fixed.p_value)
        assert_close(other.vcov(), m.vcov())
        assert_close(other.fitted(), m.fitted())
        assert_close(other.update(n_agq=0).fixef(), fitted("cbpp agq 0").fixef())
