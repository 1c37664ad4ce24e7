"""What emmeans can be asked beyond means: every row of a table against native R, by class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import (
    AdviceWarning,
    ArgumentError,
    FormulaError,
    NotSupportedError,
)
from tests.native import assert_fits_close, native
from tests.parity.test_emmeans import COLUMNS
from tests.tolerances import REOPTIMIZED

#: emmeans' difference quotients, and df from numerical derivatives at each process's optimum.
DERIVED = 1e-6
#: nlme's optimizer and lme4's stop within this of each other.
TWO_OPTIMIZERS = 1e-3
#: The multivariate t distribution is integrated by simulation, anew at every call.
SIMULATED = 2e-3

MODELS = r"""
suppressMessages({library(emmeans); library(nlme)})
emm_options(lmer.df = "satterthwaite")
cake$dose <- cake$temp / 10
wb <- transform(warpbreaks, block = factor(rep(1:9, 6)), w = rep(1:6, 9))
lm <- stats::lm(breaks ~ wool * tension + w, wb)
glm <- stats::glm(breaks ~ wool * tension + w, poisson, wb)
lmer <- lme4::lmer(angle ~ recipe * dose + (1 | recipe:replicate), cake)
log <- lme4::lmer(log(Reaction) ~ Days + I(Days^2) + (Days | Subject), sleepstudy)
glmer <- lme4::glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
lme <- nlme::lme(angle ~ recipe * dose, cake, ~ 1 | replicate)
gls <- nlme::gls(angle ~ recipe * dose, cake)
pastes <- stats::lm(strength ~ batch + cask + sample, Pastes)
total <- function(m) sqrt(VarCorr(m)[[1]][1] + if (isLMM(m)) sigma(m)^2 else 0)
slopes_total <- function(m) {
  z <- model.matrix(~ Days, sleepstudy)
  sqrt(mean(rowSums((z %*% VarCorr(m)[[1]]) * z)) + sigma(m)^2)
}
g <- function(x) as.list(as.data.frame(if (inherits(x, "summary_emm")) x else summary(x)))
"""

Ask = Callable[[Any], Any]

FAMILIES = (
    "pairwise", "revpairwise", "tukey", "consec", "mean_chg", "eff", "del.eff", "trt.vs.ctrl",
    "trt.vs.ctrl1", "trt.vs.ctrlk", "dunnett", "poly", "identity",
)  # fmt: skip
BASES = {"lm": "tension", "glm": "tension", "lmer": "recipe", "glmer": "period", "lme": "recipe",
         "gls": "recipe"}  # fmt: skip


def families() -> dict[str, tuple[str, Ask, str]]:
    rows: dict[str, tuple[str, Ask, str]] = {}
    for model, specs in BASES.items():
        for family in FAMILIES:
            rows[f"{model} {family}"] = (
                model,
                lambda m, s=specs, f=family: m.emmeans(s, contrast=f),
                f'contrast(emmeans({model}, "{specs}"), "{family}")',
            )
    return rows


ROWS: dict[str, tuple[str, Ask, str]] = families() | {
    # --- which contrasts
    "by name": ("lmer", lambda m: m.emmeans("recipe", contrast={"x": {"C": 1, "A": -1}}),
                'contrast(emmeans(lmer, "recipe"), list(x = c(-1, 0, 1)))'),
    "two controls": ("glmer", lambda m: m.emmeans("period", contrast="trt.vs.ctrl", ref=[1, 2]),
                     'contrast(emmeans(glmer, "period"), "trt.vs.ctrl", ref = 1:2)'),
    "reverse": ("lmer", lambda m: m.emmeans("recipe", contrast="consec",
                                            contrast_options={"reverse": True}),
                'contrast(emmeans(lmer, "recipe"), "consec", reverse = TRUE)'),
    "exclude": ("glm", lambda m: m.emmeans("tension", contrast="eff",
                                           contrast_options={"exclude": "M"}),
                'contrast(emmeans(glm, "tension"), "eff", exclude = 2)'),
    "degree": ("glmer", lambda m: m.emmeans("period", contrast="poly",
                                            contrast_options={"max_degree": 2}),
               'contrast(emmeans(glmer, "period"), "poly", max.degree = 2)'),
    "weighted effects": ("lm", lambda m: m.emmeans("tension", contrast="eff",
                                                   contrast_options={"wts": [1, 2, 3]}),
                         'contrast(emmeans(lm, "tension"), "eff", wts = 1:3)'),
    "no ratios": ("glm", lambda m: m.emmeans("tension", contrast="pairwise", type="response",
                                             contrast_options={"ratios": False}),
                  'contrast(emmeans(glm, "tension", type = "response"), "pairwise",'
                  ' ratios = FALSE)'),
    "simple": ("lm", lambda m: m.emmeans("~ wool * tension", contrast="pairwise", simple="wool"),
               'contrast(emmeans(lm, ~ wool * tension), "pairwise", simple = "wool")'),
    "families by factor": (
        "lm", lambda m: m.emmeans("~ wool * tension", contrast=["pairwise", "consec"],
                                  interaction=True),
        'contrast(emmeans(lm, ~ wool * tension), interaction = c("pairwise", "consec"))'),
    # --- hypotheses
    "null": ("lmer", lambda m: m.emmeans("recipe", null=32),
             'test(emmeans(lmer, "recipe"), null = 32)'),
    "one side": ("lme", lambda m: m.emmeans("recipe", contrast="pairwise", side=">", infer="both"),
                 'summary(contrast(emmeans(lme, "recipe"), "pairwise"), side = ">",'
                 ' infer = c(TRUE, TRUE))'),
    "null and side": ("glmer", lambda m: m.emmeans("period", null=-2, side="left"),
                      'test(emmeans(glmer, "period"), null = -2, side = "<")'),
    # --- scales
    "bias": ("log", lambda m: m.emmeans("Days", at={"Days": [0, 9]}, type="response",
                                        bias_adjust=True, sigma=0.3),
             'emmeans(log, "Days", at = list(Days = c(0, 9)), type = "response",'
             ' bias.adjust = TRUE, sigma = .3)'),
    "total bias": ("log", lambda m: m.emmeans("Days", at={"Days": [0, 9]}, type="response",
                                              bias_adjust=True, sigma="total"),
                   'emmeans(log, "Days", at = list(Days = c(0, 9)), type = "response",'
                   ' bias.adjust = TRUE, sigma = slopes_total(log))'),
    "residual bias": ("log", lambda m: m.emmeans("Days", at={"Days": [0, 9]}, type="response",
                                                 bias_adjust=True, sigma="residual"),
                      'emmeans(log, "Days", at = list(Days = c(0, 9)), type = "response",'
                      ' bias.adjust = TRUE)'),
    "bias of a glmer": ("glmer", lambda m: m.emmeans("period", type="response", bias_adjust=True,
                                                     sigma="total"),
                        'emmeans(glmer, "period", type = "response", bias.adjust = TRUE,'
                        ' sigma = total(glmer))'),
    "bias before averaging": (
        "glmer", lambda m: m.emmeans("period", regrid="response", bias_adjust=True, sigma="total",
                                     contrast="pairwise"),
        'contrast(regrid(emmeans(glmer, "period"), bias.adjust = TRUE, sigma = total(glmer)),'
        ' "pairwise")'),
    "tran": ("lm", lambda m: m.emmeans("tension", tran="log", type="response"),
             'emmeans(lm, "tension", tran = "log", type = "response")'),
    "power": ("lmer", lambda m: m.emmeans("recipe", tran=("power", 0.5), type="response"),
              'emmeans(lmer, "recipe", tran = make.tran("power", .5), type = "response")'),
    "box-cox": ("gls", lambda m: m.emmeans("recipe", tran=("boxcox", 0.5, 1), type="response"),
                'emmeans(gls, "recipe", tran = make.tran("boxcox", c(.5, 1)), type = "response")'),
    "tran ratios": ("lm", lambda m: m.emmeans("wool", tran="log", contrast="pairwise",
                                              type="response"),
                    'contrast(emmeans(lm, "wool", tran = "log"), "pairwise", type = "response")'),
    "regrid": ("glm", lambda m: m.emmeans("wool", regrid="response", contrast="pairwise"),
               'contrast(emmeans(glm, "wool", regrid = "response"), "pairwise")'),
    "regrid to log": ("glmer", lambda m: m.emmeans("period", regrid="log", contrast="consec",
                                                   type="response"),
                      'contrast(emmeans(glmer, "period", regrid = "log"), "consec",'
                      ' type = "response")'),
    "regrid a logged response": (
        "log", lambda m: m.emmeans("Days", at={"Days": [0, 9]}, regrid="response"),
        'emmeans(log, "Days", at = list(Days = c(0, 9)), regrid = "response")'),
    # --- the grid
    "weights": ("lm", lambda m: m.emmeans("tension", weights=[3, 1]),
                'emmeans(lm, "tension", weights = c(3, 1))'),
    "range": ("lmer", lambda m: m.emmeans(["recipe", "dose"], cov_reduce="range"),
              'emmeans(lmer, c("recipe", "dose"), cov.reduce = range)'),
    "all values": ("lme", lambda m: m.emmeans("dose", cov_reduce=False),
                   'emmeans(lme, "dose", cov.reduce = FALSE)'),
    "median of one": ("glm", lambda m: m.emmeans("tension", cov_reduce={"w": "median"}),
                      'emmeans(glm, "tension", cov.reduce = list(w = median))'),
    "given others": ("lm", lambda m: m.emmeans("tension", cov_reduce={"w": "w ~ tension"}),
                     'emmeans(lm, "tension", cov.reduce = list(w ~ tension))'),
    "kept": ("lm", lambda m: m.emmeans("tension", cov_keep="w", weights="proportional"),
             'emmeans(lm, "tension", cov.keep = "w", weights = "proportional")'),
    "nested": ("pastes", lambda m: m.emmeans("batch", nesting={"sample": ["batch", "cask"]}),
               'emmeans(pastes, "batch", nesting = list(sample = c("batch", "cask")))'),
    "counterfactuals": ("glm", lambda m: m.emmeans("wool", counterfactuals="wool",
                                                   regrid="response"),
                        'emmeans(glm, "wool", counterfactuals = "wool", regrid = "response")'),
    "nuisance": ("lm", lambda m: m.emmeans("wool", nuisance="tension"),
                 'emmeans(lm, "wool", nuisance = "tension")'),
    # --- slopes
    "slopes tested": ("lmer", lambda m: m.emtrends("recipe", "dose", null=1),
                      'test(emtrends(lmer, "recipe", var = "dose"), null = 1)'),
    "slopes equal": ("lme", lambda m: m.emtrends("recipe", "dose", contrast="consec", delta=2,
                                                 side="equivalence"),
                     'test(contrast(emtrends(lme, "recipe", var = "dose"), "consec"), delta = 2)'),
    "trends": ("log", lambda m: m.emtrends("1", "Days", max_degree=2),
               'emtrends(log, ~ 1, var = "Days", max.degree = 2)'),
    "slopes of counts": ("glm", lambda m: m.emtrends("wool", "w", regrid="response"),
                         'emtrends(glm, "wool", var = "w", regrid = "response")'),
    # --- effect sizes
    "effect of lm": ("lm", lambda m: m.eff_size("tension"),
                     'eff_size(emmeans(lm, "tension"), sigma(lm), df.residual(lm))'),
    "effect of lmer": (
        "lmer", lambda m: m.eff_size("recipe", sigma="total", edf=42, contrast="consec"),
        'eff_size(emmeans(lmer, "recipe"), total(lmer), 42, "consec")'),
    "effect over sigma": (
        "lme", lambda m: m.eff_size("recipe", sigma="residual", edf=float("inf"), level=0.9),
        'update(eff_size(emmeans(lme, "recipe"), sigma(lme), Inf), level = .9)'),
    "effect of weights": (
        "gls", lambda m: m.eff_size("recipe", 5.0, 40, contrast={"x": {"A": 1, "B": -1}}),
        'eff_size(emmeans(gls, "recipe"), 5, 40, list(x = c(1, -1, 0)))'),
}  # fmt: skip
ROWS |= {
    f"{side} in {model}": (
        model,
        lambda m, s=specs, d=side: m.emmeans(s, contrast="pairwise", delta=0.7, side=d),
        f'test(contrast(emmeans({model}, "{specs}"), "pairwise"), delta = .7, side = "{side}")',
    )
    for model, specs in BASES.items()
    for side in ("equivalence", "noninferiority", "nonsuperiority")
}  # fmt: skip


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    cake = mlm.load_dataset("cake")
    cake["dose"] = cake["temp"] / 10
    wb = mlm.load_dataset("datasets::warpbreaks")
    wb["w"] = [1 + i % 6 for i in range(len(wb))]
    wb["block"] = [str(1 + i % 9) for i in range(len(wb))]
    return {
        "lm": mlm.lm("breaks ~ wool * tension + w", wb),
        "glm": mlm.glm("breaks ~ wool * tension + w", wb, family="poisson"),
        "lmer": mlm.lmer("angle ~ recipe * dose + (1 | recipe:replicate)", cake),
        "log": mlm.lmer(
            "log(Reaction) ~ Days + I(Days^2) + (Days | Subject)", mlm.load_dataset("sleepstudy")
        ),
        "glmer": mlm.glmer(
            "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp")
        ),
        "lme": mlm.lme("angle ~ recipe * dose", cake, random="~ 1 | replicate"),
        "gls": mlm.gls("angle ~ recipe * dose", cake),
        "pastes": mlm.lm("strength ~ batch + cask + sample", mlm.load_dataset("Pastes")),
    }


@pytest.fixture(scope="module")
def reference() -> Any:
    rows = ",\n".join(f"`{name}` = told({code})" for name, (_, _, code) in ROWS.items())
    told = "told <- function(asked) tryCatch(g(asked), error = conditionMessage)"
    return native(
        f"{MODELS}\n{told}\nout <- suppressMessages(suppressWarnings(list({rows})))\nemit(out)"
    )


def assert_native(ask: Any, model: Any, theirs: Any, tolerance: float) -> None:
    """An answer against native R's columns, or a skip with R's words where it has none."""
    if isinstance(theirs, str):
        pytest.skip(f"this emmeans stops there itself: {theirs[:200]}")
    ours = ask(model)
    assert_fits_close(ours.estimate, theirs[ours.estimate_name], tolerance, "estimate")
    told = [column for column in COLUMNS if column in theirs]
    assert len(told) >= 3
    for column in told:
        ours_is = getattr(ours, COLUMNS[column])
        if column == "p.value" and ours.adjust == "mvt":
            assert abs(ours_is - theirs[column]).max() < SIMULATED
        else:
            assert_fits_close(ours_is, theirs[column], tolerance, column)


@pytest.mark.parametrize("name", ROWS)
def test_against_native_r(name: str, models: dict[str, Any], reference: Any) -> None:
    model, ask, _ = ROWS[name]
    tolerance = REOPTIMIZED if model == "glmer" else DERIVED
    assert_native(ask, models[model], reference[name], tolerance)


BAD = {
    "weights": (lambda m: m.emmeans("tension", weights=[1, 2, 3]), ArgumentError, "weights"),
    "weights of text": (lambda m: m.emmeans("wool", weights=["a"]), ArgumentError, "numbers"),
    "no such mean": (
        lambda m: m.emmeans("wool", contrast={"x": {"A": 1, "Z": -1}}), ArgumentError, "no mean 'Z'"
    ),
    "no such option": (
        lambda m: m.emmeans("wool", contrast="poly", contrast_options={"reverse": True}),
        ArgumentError, "max.degree",
    ),
    "excluded": (
        lambda m: m.emmeans("wool", contrast="eff", contrast_options={"exclude": "Z"}),
        ArgumentError, "no mean Z",
    ),
    "options alone": (
        lambda m: m.emmeans("wool", contrast_options={"reverse": True}), ArgumentError, "contrast="
    ),
    "simple": (
        lambda m: m.emmeans(["wool", "tension"], contrast="pairwise", simple="loom"),
        ArgumentError, "wool, tension",
    ),
    "threshold": (
        lambda m: m.emmeans("wool", contrast="pairwise", side="equivalence"),
        ArgumentError, "delta=",
    ),
    "negative": (lambda m: m.emmeans("wool", delta=-1), ArgumentError, "above 0"),
    "side": (lambda m: m.emmeans("wool", null=0, side="up"), ArgumentError, "noninferiority"),
    "tran": (lambda m: m.emmeans("wool", tran="logg"), ArgumentError, "log"),
    "power": (lambda m: m.emmeans("wool", tran="power"), ArgumentError, "0.5"),
    "two families": (
        lambda m: m.emmeans("wool", contrast=["pairwise", "poly"]),
        ArgumentError, "interaction=True",
    ),
    "link's bias": (
        lambda m: m.emmeans("wool", bias_adjust=True, sigma=1), ArgumentError, "type='response'"
    ),
    "sigma": (lambda m: m.emmeans("wool", sigma=1), ArgumentError, "bias_adjust"),
    "no total": (
        lambda m: m.emmeans("wool", tran="log", type="response", bias_adjust=True, sigma="total"),
        ArgumentError, "random effects",
    ),
    "nesting": (lambda m: m.emmeans("wool", nesting={"loom": ["wool"]}), ArgumentError, "'loom'"),
    "nuisance": (lambda m: m.emmeans("wool", nuisance="loom"), ArgumentError, "'loom'"),
    "counterfactual": (
        lambda m: m.emmeans("wool", counterfactuals="loom"), ArgumentError, "'loom'"
    ),
    "reduced": (lambda m: m.emmeans("wool", cov_reduce={"loom": "mean"}), ArgumentError, "'loom'"),
    "reduction": (lambda m: m.emmeans("wool", cov_reduce="mode"), ArgumentError, "median"),
    "code": (
        lambda m: m.emmeans("wool", cov_reduce={"w": "w ~ system('id')"}), FormulaError, "system"
    ),
    "edf": (lambda m: m.eff_size("wool", edf=0), ArgumentError, "above 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case: str, models: dict[str, Any]) -> None:
    ask, error, words = BAD[case]
    with pytest.raises(error, match=words):
        ask(models["lm"])
    assert len(models["lm"].emmeans("wool")) == 2  # R is usable


def test_what_goes_without_saying_is_said(models: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=r"edf="):
        models["lmer"].eff_size("recipe", sigma="total")
    with pytest.raises(ArgumentError, match=r"'total'"):
        models["lmer"].eff_size("recipe", edf=40)
    with pytest.raises(ArgumentError, match=r"emmeans takes 1"):
        models["glmer"].emmeans("period", type="response", bias_adjust=True)
    with pytest.raises(ArgumentError, match=r"no residual SD"):
        models["glmer"].emmeans("period", type="response", bias_adjust=True, sigma="residual")
    with pytest.warns(AdviceWarning, match=r"sigma='total'"):
        models["log"].emmeans("Days", type="response", bias_adjust=True)
    with pytest.raises(NotSupportedError, match=r"asymptotic"):
        models["log"].emtrends("1", "Days", regrid="response")


def test_marginal_means(models: dict[str, Any]) -> None:
    """type='marginal' is over all groups: bias adjusted by what varies around the fixed part."""
    for name, specs in (("glmer", "period"), ("log", "Days")):
        ours = models[name].emmeans(specs, type="marginal")
        said = models[name].emmeans(specs, type="response", bias_adjust=True, sigma="total")
        assert str(ours) == str(said)
        assert_fits_close(ours.estimate, said.estimate)
    plain = models["glm"].emmeans("wool", type="marginal")
    assert str(plain) == str(models["glm"].emmeans("wool", type="response"))
    with pytest.raises(ArgumentError, match="sigma='total'"):
        models["glmer"].emmeans("period", type="marginal", sigma=1)


def test_the_mean_over_groups_by_integration(models: dict[str, Any]) -> None:
    """A second-order approximation: of these herds within a hundredth of the integral."""
    m = models["glmer"]
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    eta = m.emmeans("period").estimate[:, None] + float(m.theta.iloc[0]) * nodes
    mean = (weights * (1 / (1 + np.exp(-eta)))).sum(axis=1) / weights.sum()
    marginal = m.emmeans("period", type="marginal").estimate
    conditional = m.emmeans("period", type="response").estimate
    assert np.abs(marginal - mean).max() < 0.01
    assert (np.abs(marginal - mean) < np.abs(conditional - mean)).all()


def test_variance_of_every_row(models: dict[str, Any]) -> None:
    """sigma='total' of lme is that of the same model fitted by lmer."""
    sleep = mlm.load_dataset("sleepstudy").assign(week=lambda d: (d["Days"] > 6).astype(str))
    lme = mlm.lme("Reaction ~ Days + week", sleep, random="~ Days | Subject")
    lmer = mlm.lmer("Reaction ~ Days + week + (Days | Subject)", sleep)
    ours, theirs = (m.eff_size("week", sigma="total", edf=40).estimate for m in (lme, lmer))
    assert_fits_close(ours, theirs, TWO_OPTIMIZERS)


def test_a_grid_that_is_too_large(models: dict[str, Any]) -> None:
    hsb = mlm.load_dataset("mlmRev::Hsb82")
    m = mlm.lm("mAch ~ ses + cses + meanses + sector", hsb)
    with pytest.raises(NotSupportedError, match="nuisance="):
        m.emmeans("sector", cov_reduce="values")
