"""all_fit against lme4's allFit, and convergence as data on fits that fail in known ways."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import (
    ArgumentError,
    ConvergenceWarning,
    PymlmWarning,
    RWarning,
    SingularFitWarning,
)
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.tolerances import ARITHMETIC, OTHER_OPTIMIZER

CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
HARD = "TICKS ~ YEAR + HEIGHT + (1 | BROOD) + (1 | INDEX)"
OVER = "Reaction ~ Days + (Days + I(Days^2) | Subject)"


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        return function(*args, **kwargs)


@pytest.fixture(scope="module")
def r():
    return native(
        """
        say <- function(x) paste(capture.output(print(x)), collapse = "\\n")
        facts <- function(m) {
          a <- suppressWarnings(suppressMessages(allFit(m, verbose = FALSE)))
          s <- summary(a)
          list(names = names(a), ok = unname(s$which.OK), llik = unname(s$llik),
               fixef = unname(s$fixef), theta = unname(s$theta),
               sdcor = unname(as.matrix(s$sdcor)), feval = unname(s$feval), shown = say(a),
               singular = unname(sapply(a, isSingular)))
        }
        lmer <- lme4::lmer
        sleep <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
        cbpp_fit <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
        conv <- function(m) {
          g <- m@optinfo$derivs
          list(messages = unlist(m@optinfo$conv$lme4$messages),
               code = unlist(m@optinfo$conv$lme4$code), singular = isSingular(m),
               grad = if (!is.null(g)) max(abs(g$gradient)))
        }
        quiet <- function(e) suppressWarnings(suppressMessages(e))
        hard <- quiet(glmer(TICKS ~ YEAR + HEIGHT + (1 | BROOD) + (1 | INDEX), grouseticks,
                            poisson))
        over <- quiet(lmer(Reaction ~ Days + (Days + I(Days^2) | Subject), sleepstudy))
        emit(list(sleep = facts(sleep), cbpp = facts(cbpp_fit), hard = conv(hard),
                  over = conv(over), vc = quiet(rePCA(over)$Subject$sdev)))
        """
    )


def matrix(found):
    return np.array(found["values"], dtype=float)


@pytest.fixture(scope="module")
def sleep(sleepstudy):
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)


@pytest.fixture(scope="module")
def answers(sleep):
    return {"sleep": sleep.all_fit(), "cbpp": mlm.glmer(CBPP, mlm.load_dataset("cbpp")).all_fit()}


each = pytest.mark.parametrize("name", ["sleep", "cbpp"])


@each
def test_optimizers_and_success(r, answers, name):
    assert list(answers[name].optimizer) == r[name]["names"]
    assert list(answers[name].ok) == r[name]["ok"]
    assert answers[name].failures == {}


@each
def test_loglik(r, answers, name):
    assert_close(answers[name].loglik, r[name]["llik"])
    assert answers[name].spread == pytest.approx(np.ptp(r[name]["llik"]), abs=ARITHMETIC)


@each
def test_estimates(r, answers, name):
    a = answers[name]
    assert_close(a.fixef_frame(), matrix(r[name]["fixef"]))
    theta = r[name]["theta"]
    theirs = matrix(theta) if "values" in theta else theta
    assert_close(a.theta_frame(), np.reshape(theirs, a.theta.shape))
    assert_close(a.sdcor_frame(), np.reshape(matrix(r[name]["sdcor"]), a.sdcor.shape))


@each
def test_evaluations_and_singularity(r, answers, name):
    theirs = [np.nan if v is None else v for v in r[name]["feval"]]
    assert_close(answers[name].evaluations, theirs)
    assert [bool(v) for v in answers[name].singular] == r[name]["singular"]


@each
def test_print(r, answers, name):
    assert str(answers[name]) == r[name]["shown"]


def test_frame_and_json(answers):
    frame = answers["sleep"].to_frame()
    assert list(frame.columns[:6]) == [
        "ok", "loglik", "evaluations", "singular", "code", "message",
    ]  # fmt: skip
    assert "Subject: (Intercept), Days" in frame.columns
    assert frame["ok"].all()
    again = type(answers["sleep"]).from_json(json.dumps(answers["sleep"].to_dict()))
    assert_close(again.sdcor, answers["sleep"].sdcor)
    assert answers["sleep"].best == frame["loglik"].idxmax()


def test_some_optimizers(sleep, answers):
    some = sleep.all_fit(["bobyqa", "nloptwrap.NLOPT_LN_BOBYQA"])
    assert_close(some.loglik, answers["sleep"].loglik[[0, -1]])
    with pytest.raises(ArgumentError, match="no optimizer 'bobby'; there are: bobyqa"):
        sleep.all_fit(["bobby"])
    with pytest.raises(ArgumentError, match="max_evaluations"):
        sleep.all_fit(max_evaluations=0)


def test_the_model_is_as_before(sleep):
    """allFit assigns `ctrl` beside the data; our model must not notice."""
    sleep.all_fit(["bobyqa"])
    assert "ctrl" not in sleep.update(reml=False)._described.call


def test_too_few_evaluations_are_told(sleep):
    a = sleep.all_fit(["bobyqa", "nlminbwrap"], max_evaluations=10)
    assert a.code[0] == 1
    assert a.message[0] != ""


def test_without_the_two_packages():
    """lme4's allFit stops with a subscript error where dfoptim and optimx are missing."""
    folder = Path(__file__).resolve().parents[2] / "r_scripts" / "bridge"
    found = native(
        f'folder <- "{folder}"'
        """
        e <- new.env(parent = asNamespace("lme4"))
        for (f in list.files(folder, "[.]R$", full.names = TRUE)) sys.source(f, envir = e)
        e$bridge <- e
        e$requireNamespace <- function(package, ...) !package %in% c("dfoptim", "optimx")
        fit <- e$as_fit(lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy))
        a <- e$all_fit_native(fit, max_evaluations = 1e5)
        emit(list(names = names(a), ok = unname(!sapply(a, inherits, "error"))))
        """
    )
    assert found["names"] == [
        "bobyqa", "Nelder_Mead", "nlminbwrap", "nloptwrap.NLOPT_LN_NELDERMEAD",
        "nloptwrap.NLOPT_LN_BOBYQA",
    ]  # fmt: skip
    assert all(found["ok"])


# --- convergence as data --------------------------------------------------------------------------


def test_a_fit_that_did_not_converge(r):
    data = mlm.load_dataset("grouseticks")
    with pytest.warns(ConvergenceWarning, match="failed to converge") as given:
        m = mlm.glmer(HARD, data, "poisson")
    assert len(given) == 1  # once, and not again as R's own warnings
    c = m.convergence
    assert not c.ok
    assert not c.singular
    assert list(c.messages) == r["hard"]["messages"]
    assert list(c.failures) == list(c.messages)
    assert list(c.codes) == r["hard"]["code"]
    assert_close(c.max_gradient, r["hard"]["grad"])
    said = float(c.failures[0].split("= ")[1].split(" ")[0])
    assert c.max_scaled_gradient == pytest.approx(
        said, rel=OTHER_OPTIMIZER
    )  # printed with 6 digits


def test_singular_terms(r, sleepstudy):
    data = mlm.load_dataset("Dyestuff2")
    with pytest.warns(SingularFitWarning, match=r"Batch: \(Intercept\)"):
        m = mlm.lmer("Yield ~ 1 + (1 | Batch)", data)
    assert m.convergence.ok
    assert m.convergence.failures == ()
    assert m.convergence.singular_terms == ("Batch: (Intercept)",)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        over = mlm.lmer(OVER, sleepstudy)
    assert over.convergence.singular is r["over"]["singular"]
    assert {type(w.message) for w in given} <= {SingularFitWarning, ConvergenceWarning}
    flat = [t for t in over.convergence.singular_terms if t.startswith("Subject: ")]
    rank = sum(v > 1e-4 * max(r["vc"]) for v in r["vc"])
    assert len(flat) == 3 - rank  # one name a dimension that rePCA finds empty


def test_singular_terms_of_several_factors(sleepstudy):
    rng = np.random.default_rng(1)
    data = sleepstudy.assign(noise=rng.permutation(np.repeat(list("abcdef"), 30)))
    m = quiet(mlm.lmer, "Reaction ~ Days + (Days || Subject) + (1 | noise)", data)
    assert m.convergence.singular_terms == ("noise: (Intercept)",)


def test_warnings_of_the_family_stay_r_s(sleepstudy):
    data = mlm.load_dataset("cbpp").assign(y=lambda d: d["incidence"] + 0.5)
    with pytest.warns(RWarning, match="non-integer x") as given, pytest.warns(ConvergenceWarning):
        mlm.glmer("y ~ period + (1 | herd)", data, "poisson")
    assert sum("non-integer" in str(w.message) for w in given) == 1
