"""calc_derivs="exact": lme4's checks on derivatives in closed form; estimates of the same bits."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import pymlm as mlm
from pymlm.engine import call
from pymlm.errors import AdviceWarning, ArgumentError, ConvergenceWarning, NotSupportedError
from pymlm.inference import ModelParts, moments, profiled_derivatives
from tests.native import assert_fits_close as assert_close
from tests.native import has_structures, native, rscript
from tests.tolerances import SAME_PATH

EXACT = {"calc_derivs": "exact"}
#: numDeriv's extrapolation of the criterion (about 1e3): its rounding over the step, by the
#: size of the Hessian.
NUMDERIV = 2e-6
#: At a theta of 0 numDeriv's step is 1e-4, not a share of theta: the rounding over it is larger.
NUMDERIV_AT_ZERO = 1e-4
#: lme4's central differences over 1e-4, printed with six digits: the gradient where a fit stopped.
DIFFERENCES = 1e-4

#: name -> formula, arguments in Python, data, arguments in R beside formula and data.
MODELS = {
    "slope": ("Reaction ~ Days + (Days | Subject)", {}, "sleepstudy", ""),
    "ML": ("Reaction ~ Days + (Days | Subject)", {"reml": False}, "sleepstudy", ", REML = FALSE"),
    "weights": ("Reaction ~ Days + (Days || Subject)", {"weights": "w"}, "weighted",
                ", weights = w"),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", {}, "Penicillin", ""),
    "nested": ("strength ~ 1 + (1 | batch/cask)", {}, "Pastes", ""),
    "singular": ("Yield ~ 1 + (1 | Batch)", {}, "Dyestuff2", ""),
    "no fixed effects": ("Reaction ~ 0 + (Days | Subject)", {"reml": False}, "sleepstudy",
                         ", REML = FALSE"),
}  # fmt: skip


def data_of(name):
    frame = mlm.load_dataset("sleepstudy" if name == "weighted" else name)
    if name == "weighted":
        frame["w"] = 1 + (np.arange(1, len(frame) + 1) % 3) / 2
    return frame


@pytest.fixture(scope="module")
def reference():
    """Derivatives of lme4's deviance function at its optimum, by numDeriv."""
    cases = ",\n".join(
        f"`{name}` = derivatives(quote(lme4::lmer({formula}, {data}{more})))"
        for name, (formula, _, data, more) in MODELS.items()
    )
    return native(
        f"""
weighted <- transform(sleepstudy, w = 1 + (seq_along(Days) %% 3) / 2)
derivatives <- function(call) {{
  theta <- getME(suppressMessages(eval(call)), "theta")
  call$devFunOnly <- TRUE
  f <- eval(call)
  list(theta = unname(theta), gradient = numDeriv::grad(f, theta),
       hessian = as.numeric(numDeriv::hessian(f, theta)))
}}
emit(list({cases}))"""
    )


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
@pytest.mark.filterwarnings("ignore::pymlm.errors.AdviceWarning")
@pytest.mark.parametrize("name", MODELS)
def test_the_derivatives_are_those_of_the_deviance_function(reference, name):
    formula, options, data, _ = MODELS[name]
    m = mlm.lmer(formula, data_of(data), control=EXACT, **options)
    theirs = reference[name]
    hessian = np.ravel(theirs["hessian"])
    size = np.abs(hessian).max() * (NUMDERIV_AT_ZERO if name == "singular" else NUMDERIV)
    found = profiled_derivatives(
        moments(ModelParts.from_mapping(call("exact_parts_of", m._handle)))
    )
    np.testing.assert_allclose(m.theta, np.ravel(theirs["theta"]), rtol=SAME_PATH, atol=SAME_PATH)
    np.testing.assert_allclose(found[0], np.ravel(theirs["gradient"]), atol=size)
    np.testing.assert_allclose(found[1].ravel(), hessian, atol=size)
    assert m.convergence.derivatives == "exact"
    assert m.convergence.max_gradient == np.abs(found[0]).max()


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
@pytest.mark.filterwarnings("ignore::pymlm.errors.AdviceWarning")
@pytest.mark.parametrize("name", MODELS)
def test_estimates_are_the_same_bits_and_checks_agree(name):
    formula, options, data, _ = MODELS[name]
    plain = mlm.lmer(formula, data_of(data), **options)
    exact = mlm.lmer(formula, data_of(data), control=EXACT, **options)
    for what in ("theta", "sigma", "loglik"):
        assert np.array_equal(getattr(plain, what), getattr(exact, what))
    assert np.array_equal(plain.fixef(), exact.fixef())
    # lme4 2 takes none where a fit is singular.
    theirs = None if has_structures() and name == "singular" else "lme4"
    assert (plain.convergence.derivatives, exact.convergence.derivatives) == (theirs, "exact")
    assert plain.convergence.messages == exact.convergence.messages


def stopped(control):
    """A fit that its optimizer gave up on."""
    rng = np.random.default_rng(1)
    data = mlm.load_dataset("sleepstudy").assign(z=lambda d: rng.normal(size=len(d)))
    return mlm.lmer(
        "Reaction ~ Days + (Days + z | Subject)", data,
        control={"optimizer": "bobyqa", "opt_ctrl": {"maxfun": 30}} | control,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:maxfun")
def test_a_fit_that_did_not_converge_is_told_in_lme4s_words():
    with pytest.warns(ConvergenceWarning) as plain:
        lme4s = stopped({})
    with pytest.warns(ConvergenceWarning) as exact:
        ours = stopped(EXACT)
    pattern = re.compile(r"max\|grad\| = ([0-9.e-]+)")
    words = [pattern.sub("", str(w[-1].message)) for w in (plain, exact)]
    assert words[0] == words[1]
    assert "failed to converge" in words[0]
    numbers = [float(pattern.search(c.failures[0])[1]) for c in
               (lme4s.convergence, ours.convergence)]  # fmt: skip
    assert_close(numbers[1], numbers[0], DIFFERENCES)
    assert lme4s.convergence.codes == ours.convergence.codes


@pytest.mark.filterwarnings("ignore:maxfun")
def test_a_check_that_is_to_stop_stops():
    with pytest.raises(mlm.errors.FitError, match="failed to converge"):
        stopped(EXACT | {"check_conv_grad": "stop"})


def test_it_survives_what_makes_another_model(tmp_path):
    data = mlm.load_dataset("sleepstudy")
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", data, control=mlm.LmerControl(**EXACT))
    loaded = mlm.load_model(m.save(tmp_path / "m.rds"))
    pickled = pickle.loads(pickle.dumps(m))
    others = {
        "update": m.update(reml=False), "another formula": m.update(". ~ . + I(Days^2)"),
        "refit": m.refit(data["Reaction"] + 1),
        "loaded": loaded, "loaded, updated": loaded.update(reml=False), "pickled": pickled,
        "pickled, updated": pickled.update(reml=False),
    }  # fmt: skip
    assert {k: v.convergence.derivatives for k, v in others.items()} == dict.fromkeys(
        others, "exact"
    )
    drawn = m.bootstrap(lambda d: float(d.convergence.derivatives == "exact"), nsim=2, seed=1,
                        level=0.5)  # fmt: skip
    assert drawn.draws.tolist() == [[1.0], [1.0]]


def test_the_script_checks_as_r_can():
    data = mlm.load_dataset("sleepstudy")
    formula = "Reaction ~ Days + (Days | Subject)"
    m = mlm.lmer(formula, data, control=EXACT)
    text = m.to_r()
    assert "by exact derivatives" in text
    assert "lmerControl" not in text
    shown = rscript(text + 'cat(is.null(model@optinfo$derivs), sprintf("%.17g", model@theta))')
    without, *theta = shown.splitlines()[-1].split()
    assert without == "FALSE"
    assert_close([float(t) for t in theta], m.theta)
    several = mlm.lmer(formula, data, control=EXACT | {"optimizer": "bobyqa"}).to_r()
    assert 'lmerControl(optimizer = "bobyqa")' in several
    assert mlm.check_parity(m).ok


def test_where_the_closed_forms_do_not_reach_lme4s_are_taken_and_it_is_said(monkeypatch):
    import pymlm.inference

    def refuses(_):
        raise NotSupportedError("too large")

    monkeypatch.setattr(pymlm.inference, "profiled_derivatives", refuses)
    data = mlm.load_dataset("sleepstudy")
    with pytest.warns(AdviceWarning, match="lme4's own derivatives, not exact ones: too large"):
        m = mlm.lmer("Reaction ~ Days + (Days | Subject)", data, control=EXACT)
    plain = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    assert m.convergence.derivatives == "lme4"
    assert m.convergence.max_gradient == plain.convergence.max_gradient


def test_other_controls_refuse_it():
    with pytest.raises(ArgumentError, match="must be True or False, not 'exact'"):
        mlm.GlmerControl(calc_derivs="exact")
    with pytest.raises(ArgumentError, match="True or False or 'exact'"):
        mlm.LmerControl(calc_derivs="exactly")


@pytest.mark.filterwarnings("ignore::pymlm.errors.PymlmWarning")
@pytest.mark.parametrize("ddf", ["Satterthwaite", "asymptotic", None])
def test_many_fits_take_them_from_the_closed_forms(ddf):
    rng = np.random.default_rng(7)
    data = data_of("weighted")
    names = [f"y{i}" for i in range(4)]
    for name in names:
        data[name] = data.Reaction + rng.normal(size=len(data)) * 30
    for control in ({}, {"optimizer": "bobyqa", "opt_ctrl": {"maxfun": 18}}):
        fits = mlm.fit_many(
            "~ Days + (Days | Subject)", data, responses=names, ddf=ddf, progress=False,
            control=EXACT | control,
        )  # fmt: skip
        glance = fits.to_frame("glance").set_index("response")
        for name in names:
            one = mlm.lmer(f"{name} ~ Days + (Days | Subject)", data, control=EXACT | control)
            assert_close(glance.max_gradient[name], one.convergence.max_gradient, SAME_PATH)
            assert glance.converged[name] == one.convergence.ok
            said = [w for w in fits.warnings.get(name, ()) if w.startswith("ConvergenceWarning")]
            assert len(said) == (not one.convergence.ok)
            assert all(f in " ".join(said) for f in one.convergence.failures)
