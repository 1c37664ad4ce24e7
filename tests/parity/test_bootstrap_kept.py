"""Draws are refitted on a deviance function made once; they are bootMer's for all designs."""

from __future__ import annotations

import numpy as np
import pytest

import pymlm as mlm
from pymlm.engine import call
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.parity.test_bootstrap import DRAWS

NSIM = 25
SEED = 11
#: Two processes of plain R give this design's draws alike or 1.2e-6 apart: sums depend on where
#: memory lies, and the optimizer's path with them. In one process kept and fresh refits are alike
#: to the bit.
OWN_REPRODUCIBILITY = {"ML, crossed": 1e-5}

#: name -> arguments of `pymlm.lmer` as text, those of R's lmer, the data.
DESIGNS = {
    "ML, crossed": (
        {"formula": "diameter ~ 1 + (1 | plate) + (1 | sample)", "reml": False},
        "diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin, REML = FALSE", "Penicillin",
    ),
    "weights and offset": (
        {"formula": "Reaction ~ Days + offset(2 * Days) + (Days || Subject)", "weights": "w"},
        "Reaction ~ Days + offset(2 * Days) + (Days || Subject), weighted, weights = w", "weighted",
    ),
    "on the boundary": (
        {"formula": "Yield ~ 1 + (1 | Batch)"}, "Yield ~ 1 + (1 | Batch), Dyestuff2", "Dyestuff2",
    ),
    "nested, four fixed effects": (
        {"formula": "Reaction ~ poly(Days, 3) + (1 | Subject)"},
        "Reaction ~ poly(Days, 3) + (1 | Subject), sleepstudy", "sleepstudy",
    ),
    "another optimizer": (
        {"formula": "Reaction ~ Days + (Days | Subject)", "control": {"optimizer": "Nelder_Mead"}},
        "Reaction ~ Days + (Days | Subject), sleepstudy, "
        "control = lmerControl(optimizer = 'Nelder_Mead')", "sleepstudy",
    ),
    "no derivatives": (
        {"formula": "Reaction ~ Days + (Days | Subject)",
         "control": {"calc_derivs": False, "opt_ctrl": {"xtol_abs": 1e-6}}},
        "Reaction ~ Days + (Days | Subject), sleepstudy, "
        "control = lmerControl(calc.derivs = FALSE, optCtrl = list(xtol_abs = 1e-6))", "sleepstudy",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def reference():
    draws = ",\n".join(f"`{name}` = draws(lme4::lmer({r}))" for name, (_, r, _) in DESIGNS.items())
    return native(
        f"""
weighted <- transform(sleepstudy, w = 1 + (seq_along(Days) %% 3) / 2)
draws <- function(m) {{
  m <- suppressMessages(suppressWarnings(m))
  f <- function(x) c(getME(x, "theta"), sigma(x), fixef(x))
  b <- suppressMessages(suppressWarnings(bootMer(m, f, nsim = {NSIM}, seed = {SEED})))
  said <- do.call(c, unname(lapply(attr(b, "boot.all.msgs"), unclass)))
  list(t = unname(b$t), said = as.list(said))
}}
emit(list({draws}))"""
    )


def data_of(name):
    frame = mlm.load_dataset("sleepstudy" if name == "weighted" else name)
    if name == "weighted":
        frame["w"] = 1 + (np.arange(1, len(frame) + 1) % 3) / 2
    return frame


@pytest.mark.filterwarnings("ignore")  # the fit's own
@pytest.mark.parametrize("name", DESIGNS)
def test_draws_and_messages_are_those_of_bootmer(reference, name):
    options, _, data = DESIGNS[name]
    model = mlm.lmer(data=data_of(data), **options)
    theirs = reference[name]
    rows = np.array(theirs["t"]["values"], dtype=float).reshape(NSIM, -1)
    ours = model.bootstrap(nsim=NSIM, seed=SEED)
    k = len(model.theta)
    assert_close(ours.draws[:, k:], rows[:, k:], OWN_REPRODUCIBILITY.get(name, DRAWS))
    said = theirs["said"] or {}  # R has an empty list
    assert ours.messages == {text: int(n) for text, n in said.items()}


def test_two_models_of_one_bootstrap_do_not_share_memory():
    """Draws of one model are the same beside another's, and the models are as they were."""
    data = mlm.load_dataset("Pastes")
    large = mlm.lmer("strength ~ 1 + (1 | batch/cask)", data, reml=False)
    small = mlm.lmer("strength ~ 1 + (1 | batch:cask)", data, reml=False)
    before = large.bootstrap(nsim=NSIM, seed=2, level=0.5).draws, large.loglik, large.fitted()
    mlm.pb_modcomp(large, small, nsim=10, seed=1)
    assert np.array_equal(large.bootstrap(nsim=NSIM, seed=2, level=0.5).draws, before[0])
    assert large.loglik == before[1] == float(call("logLik", call("plain_model", large._handle))[0])
    assert np.array_equal(large.fitted(), before[2])


def test_a_draw_that_fails_leaves_the_next_ones_alone():
    """A response of infinite values stops in lme4's own code; what follows is as without it."""
    model = mlm.lmer("Reaction ~ Days + (1 | Subject)", mlm.load_dataset("sleepstudy"))
    whole = call("boot_simulations", model._handle, 6, 1)
    good = call("boot_default", model._handle, whole)["values"]
    drawn = call("get", "y", whole)
    infinite = {name: np.full(180, np.inf) if i == 2 else y for i, (name, y) in
                enumerate(drawn.items())}  # fmt: skip
    call("assign", "y", infinite, whole)
    found = call("boot_default", model._handle, whole)
    assert list(np.ravel(found["failed"])) == [3]
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(found["values"][others], good[others])
