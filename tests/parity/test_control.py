"""Control: every option reaches R, in the call and in what the fit does; others are refused."""

from __future__ import annotations

import dataclasses
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import (
    ConvergenceWarning,
    FitError,
    PymlmWarning,
    RWarning,
    SingularFitWarning,
)
from tests.native import assert_fits_close as assert_close
from tests.native import native

SLEEP = "Reaction ~ Days + (Days | Subject)"
CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        return function(*args, **kwargs)


@pytest.fixture(scope="module")
def cbpp() -> pd.DataFrame:
    return mlm.load_dataset("cbpp")


@pytest.fixture(scope="module")
def r():
    return native(
        """
        say <- function(x) paste(capture.output(print(x)), collapse = "\\n")
        lmer <- lme4::lmer
        fits <- list(
          bobyqa = lmer(Reaction ~ Days + (Days | Subject), sleepstudy,
                        control = lmerControl(optimizer = "bobyqa")),
          nm = lmer(Reaction ~ Days + (Days | Subject), sleepstudy,
                    control = lmerControl(optimizer = "Nelder_Mead")),
          nlminb = lmer(Reaction ~ Days + (Days | Subject), sleepstudy,
                        control = lmerControl(optimizer = "nlminbwrap")),
          nmkbw = lmer(Reaction ~ Days + (Days | Subject), sleepstudy,
                       control = lmerControl(optimizer = "nmkbw")),
          lbfgsb = lmer(Reaction ~ Days + (Days | Subject), sleepstudy,
                        control = lmerControl(optimizer = "optimx",
                                              optCtrl = list(method = "L-BFGS-B"))),
          neldermead = lmer(Reaction ~ Days + (Days | Subject), sleepstudy,
                            control = lmerControl(optimizer = "nloptwrap",
                              optCtrl = list(algorithm = "NLOPT_LN_NELDERMEAD"))),
          maxfun = lmer(Reaction ~ Days + (Days | Subject), sleepstudy,
                        control = lmerControl(optimizer = "bobyqa",
                          optCtrl = list(maxfun = 20000, rhobeg = 0.1), calc.derivs = FALSE)),
          check = lmer(Reaction ~ Days + (Days | Subject), sleepstudy,
                       control = lmerControl(check.conv.grad = .makeCC(action = "ignore",
                                                                       tol = 0.01))),
          start = lmer(Reaction ~ Days + (Days | Subject), sleepstudy, start = c(2, 0.5, 0.1)),
          glmm = glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial,
                       control = glmerControl(optimizer = c("bobyqa", "nlminbwrap"))),
          gstart = glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial,
                         start = list(theta = 0.5, fixef = c(-1, -0.5, -0.5, -0.5))))
        emit(lapply(fits, function(m) list(theta = unname(getME(m, "theta")),
          fixef = unname(fixef(m)), feval = m@optinfo$feval, shown = say(summary(m)))))
        """
    )


LMER = {
    "bobyqa": {"optimizer": "bobyqa"},
    "nm": {"optimizer": "nelder_mead"},
    "nlminb": {"optimizer": "nlminbwrap"},
    "nmkbw": {"optimizer": "nmkbw"},
    "lbfgsb": {"optimizer": "optimx:L-BFGS-B"},
    "neldermead": {"optimizer": "nloptwrap:NLOPT_LN_NELDERMEAD"},
    "maxfun": {
        "optimizer": "bobyqa", "opt_ctrl": {"maxfun": 20000, "rhobeg": 0.1}, "calc_derivs": False,
    },
    "check": {"check_conv_grad": mlm.ConvergenceCheck(action="ignore", tol=0.01)},
}  # fmt: skip


@pytest.mark.parametrize("name", LMER)
def test_optimizers_take_the_same_path_as_in_r(r, sleepstudy, name):
    m = mlm.lmer(SLEEP, sleepstudy, control=mlm.LmerControl(**LMER[name]))
    assert_close(m.theta, r[name]["theta"])
    assert_close(m.fixef(), r[name]["fixef"])
    if r[name]["feval"] is not None:
        assert m.convergence.evaluations == r[name]["feval"]


@pytest.mark.parametrize("name", [n for n in LMER if n != "maxfun"])
def test_the_print_has_r_s_control_line(r, sleepstudy, name):
    m = mlm.lmer(SLEEP, sleepstudy, control=mlm.LmerControl(**LMER[name]))
    assert str(m.summary(ddf=None)) == r[name]["shown"]
    assert "Control:" in r[name]["shown"]


def test_a_dict_keeps_its_order_and_takes_both_spellings(r, sleepstudy):
    control = {"optimizer": "bobyqa", "optCtrl": {"maxfun": 20000, "rhobeg": 0.1},
               "calc.derivs": False}  # fmt: skip
    m = mlm.lmer(SLEEP, sleepstudy, control=control)
    assert str(m.summary(ddf=None)) == r["maxfun"]["shown"]
    m = mlm.lmer(SLEEP, sleepstudy, control={"calc_derivs": False, "optimizer": "bobyqa"})
    assert 'lmerControl(calc.derivs = FALSE, optimizer = "bobyqa")' in m._described.call


def test_start(r, sleepstudy, cbpp):
    for start in ([2, 0.5, 0.1], {"theta": (2, 0.5, 0.1)}, np.array([2, 0.5, 0.1])):
        m = mlm.lmer(SLEEP, sleepstudy, start=start)
        assert_close(m.theta, r["start"]["theta"])
        assert m.convergence.evaluations == r["start"]["feval"]
    assert "start = list(theta = c(2, 0.5, 0.1))" in mlm.lmer(
        SLEEP, sleepstudy, start={"theta": [2, 0.5, 0.1]}
    )._described.call  # fmt: skip
    g = mlm.glmer(CBPP, cbpp, start={"theta": [0.5], "fixef": [-1, -0.5, -0.5, -0.5]})
    assert_close(g.theta, r["gstart"]["theta"])
    assert g.convergence.evaluations == r["gstart"]["feval"]


def test_two_stages_of_glmer(r, cbpp):
    m = mlm.glmer(CBPP, cbpp, control=mlm.GlmerControl(optimizer=("bobyqa", "nlminbwrap")))
    assert_close(m.theta, r["glmm"]["theta"])
    assert str(m.summary()) == r["glmm"]["shown"]
    assert m.convergence.optimizer == ("nlminbwrap",)


# --- every option reaches R -----------------------------------------------------------------------


def collinear(d):
    return d.assign(twice=2.0 * d["Days"])


def one_row_a_group(d):
    return d.assign(Subject=[f"s{i}" for i in range(len(d))])


def few_groups(d):
    return d[d["Subject"].isin(["308", "309", "310"])]


def one_group(d):
    return d[d["Subject"] == "308"].assign(Subject="308")


def big_numbers(d):
    return d.assign(big=d["Days"] ** 2 * 1e8)


def two_rows_a_group(d):
    return d[d["Days"] < 2]


#: option -> (value, formula, data, error or None, what the other outcome is: "stop" makes it an
#: error where the default lets it pass, or "ignore" lets pass what is an error by default)
CHECKS = {
    "check_nlev_gtreq_5": ("stop", "Reaction ~ Days + (1 | Subject)", few_groups),
    "check_rank_x": ("stop.deficient", "Reaction ~ Days + twice + (1 | Subject)", collinear),
    "check_scale_x": ("stop", "Reaction ~ Days + big + (1 | Subject)", big_numbers),
    "check_nobs_vs_rank_z": ("stop", "Reaction ~ Days + (Days | Subject)", two_rows_a_group),
    "check_nobs_vs_nlev": ("ignore", "Reaction ~ Days + (1 | Subject)", one_row_a_group),
    "check_nlev_gtr_1": ("ignore", "Reaction ~ Days + (1 | Subject)", one_group),
    "check_nobs_vs_n_re": ("ignore", "Reaction ~ Days + (Days | Subject)", two_rows_a_group),
}


@pytest.mark.parametrize("option", CHECKS)
def test_a_check_of_the_data_stops_or_passes(sleepstudy, option):
    value, formula, change = CHECKS[option]
    data = change(sleepstudy)
    base = {} if value != "stop" or option != "check_nobs_vs_rank_z" else {
        "check_nobs_vs_n_re": "ignore"
    }  # fmt: skip
    # One row a group or one group alone trips other checks, too.
    if option in ("check_nobs_vs_nlev",):
        base = {"check_nobs_vs_n_re": "ignore"}
    default, changed = mlm.LmerControl(**base), mlm.LmerControl(**base, **{option: value})
    passes, stops = (default, changed) if "stop" in value else (changed, default)
    m = quiet(mlm.lmer, formula, data, control=passes)
    assert m.nobs == len(data)
    with pytest.raises(FitError):
        quiet(mlm.lmer, formula, data, control=stops)
    shown = m._described.call if passes is changed else ""
    assert option not in shown  # R's own name stands there
    if passes is changed:
        assert f'= "{value}"' in shown


def test_calc_derivs(sleepstudy):
    with_, without = (
        mlm.lmer(SLEEP, sleepstudy, control={"calc_derivs": flag}) for flag in (True, False)
    )
    assert np.isfinite(with_.convergence.max_gradient)
    assert np.isnan(without.convergence.max_gradient)
    assert "calc.derivs = FALSE" in without._described.call


def test_opt_ctrl_limits_the_work(sleepstudy):
    with (
        pytest.warns(ConvergenceWarning, match="convergence code 1 from bobyqa"),
        pytest.warns(RWarning, match="maxfun < 10"),
    ):
        m = mlm.lmer(
            SLEEP, sleepstudy, control={"optimizer": "bobyqa", "opt_ctrl": {"maxfun": 12}}
        )  # fmt: skip
    assert m.convergence.optimizer_code == 1
    assert m.convergence.evaluations == 12
    assert not m.convergence.ok
    assert "maxfun = 12" in m._described.call


def test_tolerances_of_the_convergence_checks(sleepstudy):
    grad = mlm.ConvergenceCheck(action="warning", tol=1e-12)
    with pytest.warns(ConvergenceWarning, match="failed to converge with max"):
        m = mlm.lmer(SLEEP, sleepstudy, control={"check_conv_grad": grad})
    assert m.convergence.codes == (-1,)
    assert 'check.conv.grad = .makeCC(action = "warning", tol = 1e-12)' in m._described.call
    hess = mlm.ConvergenceCheck(action="warning", tol=1e9)
    with pytest.warns(ConvergenceWarning):
        m = mlm.lmer(SLEEP, sleepstudy, control={"check_conv_hess": hess})
    assert m.convergence.failures
    stop = mlm.ConvergenceCheck(action="stop", tol=1e-12, rel_tol=1e-12)
    with pytest.raises(FitError, match="failed to converge"):
        mlm.lmer(SLEEP, sleepstudy, control={"check_conv_grad": stop})


def test_the_singular_check_is_lme4_s_note_not_ours():
    data = mlm.load_dataset("Dyestuff2")
    with pytest.warns(SingularFitWarning):
        m = mlm.lmer("Yield ~ 1 + (1 | Batch)", data)
    assert any("singular" in text for text in m.convergence.messages)
    with pytest.warns(SingularFitWarning):  # the fit is as singular without lme4's note
        m = mlm.lmer("Yield ~ 1 + (1 | Batch)", data, control={"check_conv_singular": "ignore"})
    assert m.convergence.messages == ()
    assert m.convergence.singular
    with pytest.raises(FitError, match="singular"):
        mlm.lmer("Yield ~ 1 + (1 | Batch)", data, control={"check_conv_singular": "stop"})


def test_boundary_tol():
    """A start near the boundary stays there when lme4 may not try the boundary itself."""
    data = mlm.load_dataset("Dyestuff2")
    near = quiet(
        mlm.lmer, "Yield ~ 1 + (1 | Batch)", data,
        control={"boundary_tol": 0, "opt_ctrl": {"maxeval": 3}},
    )  # fmt: skip
    moved = quiet(
        mlm.lmer, "Yield ~ 1 + (1 | Batch)", data,
        control={"boundary_tol": 10, "opt_ctrl": {"maxeval": 3}},
    )  # fmt: skip
    assert near.theta.iloc[0] > 0
    assert moved.theta.iloc[0] == 0
    assert "boundary.tol = 0" in near._described.call


@pytest.mark.parametrize(
    ("option", "value", "written"),
    [
        ("restart_edge", False, "restart_edge = FALSE"),
        ("use_last_params", True, "use.last.params = TRUE"),
        ("sparse_x", True, "sparseX = TRUE"),
        ("standardize_x", True, "standardize.X = TRUE"),
        ("check_formula_lhs", "ignore", 'check.formula.LHS = "ignore"'),
        ("check_scale_x", "silent.rescale", 'check.scaleX = "silent.rescale"'),
        ("check_nobs_vs_rank_z", "warningSmall", 'check.nobs.vs.rankZ = "warningSmall"'),
        ("check_conv_grad", "ignore", 'check.conv.grad = "ignore"'),
        ("check_conv_hess", "ignore", 'check.conv.hess = "ignore"'),
    ],
)
def test_options_without_visible_effect_on_good_data_stand_in_the_call(
    sleepstudy, option, value, written
):
    m = mlm.lmer(SLEEP, sleepstudy, control={option: value})
    assert written in m._described.call
    assert m.convergence.ok


def test_glmer_s_own_options(cbpp):
    loose = quiet(mlm.glmer, CBPP, cbpp, control={"tol_pwrss": 1e-2})
    tight = mlm.glmer(CBPP, cbpp, control={"tolPwrss": 1e-10})
    assert "tolPwrss = 0.01" in loose._described.call
    assert abs(loose.loglik - tight.loglik) > 1e-9
    direct = mlm.glmer(CBPP, cbpp, control={"n_agq0_init_step": False})
    assert "nAGQ0initStep = FALSE" in direct._described.call
    assert direct.convergence.evaluations != tight.convergence.evaluations
    slow = quiet(mlm.glmer, CBPP, cbpp, control={"comp_dev": False})
    assert "compDev = FALSE" in slow._described.call
    constant = cbpp.assign(y=1)
    with pytest.raises(FitError, match=r"[Rr]esponse is constant"):
        mlm.glmer("y ~ period + (1 | herd)", constant)
    passed = quiet(
        mlm.glmer, "y ~ period + (1 | herd)", constant,
        control={"check_response_not_const": "ignore"},
    )  # fmt: skip
    assert passed.nobs == 56


def test_controls_are_values():
    control = mlm.LmerControl(optimizer="bobyqa", opt_ctrl={"maxfun": 9})
    assert control == mlm.LmerControl(optimizer="bobyqa", opt_ctrl={"maxfun": 9})
    assert pickle.loads(pickle.dumps(control)) == control
    with pytest.raises(AttributeError):
        control.optimizer = "nloptwrap"  # type: ignore[misc]  # frozen


#: What an older lme4 has not; used with one it is an ArgumentError.
SINCE_LME4_2 = {
    "autoscale", "check.conv.nobsmax", "check.conv.nparmax",
    "disp_method", "maxPhiIter", "disp_dof_correction",
}  # fmt: skip


def test_every_option_of_r_s_functions_is_there():
    found = native(
        "emit(list(LmerControl = names(formals(lmerControl)),"
        " GlmerControl = names(formals(glmerControl)),"
        " NlmerControl = names(formals(nlmerControl))))"
    )
    from pymlm.models.control import _R_NAMES

    for name, options in found.items():
        fields = {_R_NAMES[f.name] for f in dataclasses.fields(getattr(mlm, name))}
        missing = set(options) - fields - {"mod.type"}
        assert not missing, name
        assert fields - set(options) <= SINCE_LME4_2, name


def test_missing_weights_of_rescaling_are_a_warning(sleepstudy):
    with pytest.warns(RWarning, match="very different scales"):
        mlm.lmer("Reaction ~ Days + big + (1 | Subject)", big_numbers(sleepstudy))
