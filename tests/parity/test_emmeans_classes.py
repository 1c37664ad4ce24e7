"""Every option of emmeans in every class of models, against native R: unbalanced, two factors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import pymlm as mlm
from tests.native import native
from tests.parity.test_emmeans_all import DERIVED, TWO_OPTIMIZERS, assert_native
from tests.tolerances import REOPTIMIZED

SETUP = r"""
suppressMessages({library(emmeans); library(nlme)})
emm_options(lmer.df = "satterthwaite")
wb <- warpbreaks
wb$w <- rep(1:6, 9); wb$block <- factor(rep(1:9, 6))
wb <- wb[-c(1:5, 20, 21, 50), ]
lm <- stats::lm(log(breaks) ~ wool * tension + w, wb)
glm <- stats::glm(breaks ~ wool * tension + w, poisson, wb)
lmer <- lme4::lmer(log(breaks) ~ wool * tension + w + (1 | block), wb)
glmer <- lme4::glmer(breaks ~ wool * tension + w + (1 | block), wb, poisson)
lme <- nlme::lme(log(breaks) ~ wool * tension + w, wb, ~ 1 | block)
gls <- nlme::gls(log(breaks) ~ wool * tension + w, wb,
                 correlation = corCompSymm(form = ~ 1 | block))
g <- function(x) as.list(as.data.frame(if (inherits(x, "summary_emm")) x else summary(x)))
"""
MODELS = ("lm", "glm", "lmer", "glmer", "lme", "gls")

Ask = Callable[[Any], Any]

#: What is asked, and what R is asked of the model M.
OPTIONS: dict[str, tuple[Ask, str]] = {
    **{
        f"weights {w}": (
            lambda m, w=w: m.emmeans("tension", weights=w),
            f'emmeans(M, "tension", weights = "{w}")')
        for w in ("equal", "proportional", "outer", "cells", "flat")
    },
    "own weights": (lambda m: m.emmeans("tension", weights=[1, 3], contrast="pairwise"),
        'pairs(emmeans(M, "tension", weights = c(1, 3)))'),
    "nuisance": (lambda m: m.emmeans("wool", nuisance="tension"),
        'emmeans(M, "wool", nuisance = "tension")'),
    "nesting": (lambda m: m.emmeans("wool", nesting={"tension": ["wool"]}),
        'emmeans(M, "wool", nesting = list(tension = "wool"))'),
    "no nesting": (lambda m: m.emmeans("wool", nesting=False),
        'emmeans(M, "wool", nesting = NULL)'),
    "kept": (lambda m: m.emmeans("tension", cov_keep="w"), 'emmeans(M, "tension", cov.keep = "w")'),
    "range": (lambda m: m.emmeans(["wool", "w"], cov_reduce="range"),
        'emmeans(M, c("wool", "w"), cov.reduce = range)'),
    "at": (lambda m: m.emmeans("~ wool | w", at={"w": [2, 5], "tension": ["L", "H"]}),
        'emmeans(M, ~ wool | w, at = list(w = c(2, 5), tension = c("L", "H")))'),
    "response": (lambda m: m.emmeans("tension", type="response"),
        'emmeans(M, "tension", type = "response")'),
    "ratios": (lambda m: m.emmeans("tension", type="response", contrast="pairwise", infer="both"),
        'summary(pairs(emmeans(M, "tension")), type = "response", infer = c(TRUE, TRUE))'),
    "bias": (lambda m: m.emmeans("tension", type="response", bias_adjust=True, sigma=0.4),
        'emmeans(M, "tension", type = "response", bias.adjust = TRUE, sigma = .4)'),
    "regrid": (lambda m: m.emmeans("tension", regrid="response", contrast="consec"),
        'contrast(emmeans(M, "tension", regrid = "response"), "consec")'),
    "equivalence": (
        lambda m: m.emmeans("tension", contrast="pairwise", delta=0.3, side="equivalence",
                            adjust="sidak"),
        'test(pairs(emmeans(M, "tension")), delta = .3, side = "equivalence", adjust = "sidak")'),
    "non-inferiority": (
        lambda m: m.emmeans("tension", contrast="consec", delta=0.3, side="noninferiority",
                            adjust="none"),
        'test(contrast(emmeans(M, "tension"), "consec"), delta = .3, side = "noninf",'
        ' adjust = "none")'),
    "null": (lambda m: m.emmeans("tension", null=3, side="right"),
        'test(emmeans(M, "tension"), null = 3, side = ">")'),
    "level": (lambda m: m.emmeans("tension", contrast="eff", level=0.9, infer="ci"),
        'confint(contrast(emmeans(M, "tension"), "eff"), level = .9)'),
    "dict of weights": (
        lambda m: m.emmeans("tension", contrast={"a": [1, -0.5, -0.5], "b": {"M": 1, "H": -1}}),
        'contrast(emmeans(M, "tension"), list(a = c(1, -.5, -.5), b = c(0, 1, -1)))'),
    "matrix": (lambda m: m.emmeans("tension", contrast=[[1, -1, 0], [0, 1, -1]]),
        'contrast(emmeans(M, "tension"), list(c1 = c(1, -1, 0), c2 = c(0, 1, -1)))'),
    "interaction": (
        lambda m: m.emmeans(["wool", "tension"], contrast=["pairwise", "poly"], interaction=True),
        'contrast(emmeans(M, ~ wool * tension), interaction = c("pairwise", "poly"))'),
    "simple": (lambda m: m.emmeans(["wool", "tension"], contrast="consec", simple="tension"),
        'contrast(emmeans(M, ~ wool * tension), "consec", simple = "tension")'),
    "simple each": (
        lambda m: m.emmeans(["wool", "tension"], contrast="consec", simple="each")["wool"],
        'contrast(emmeans(M, ~ wool * tension), "consec", simple = "each")[[1]]'),
    "by": (lambda m: m.emmeans("tension", by="wool", contrast="pairwise", adjust="holm"),
        'pairs(emmeans(M, "tension", by = "wool"), adjust = "holm")'),
    "across groups": (
        lambda m: m.emmeans("tension", by="wool", contrast="consec", cross_adjust="bonferroni",
                            adjust="sidak"),
        'summary(contrast(emmeans(M, "tension", by = "wool"), "consec"), adjust = "sidak",'
        ' cross.adjust = "bonferroni")'),
    "submodel": (lambda m: m.emmeans("wool", submodel="~ wool + w"),
        'emmeans(M, "wool", submodel = ~ wool + w)'),
    "asymptotic": (lambda m: m.emmeans("wool", vcov=2 * m.vcov(), ddf="asymptotic"),
        'update(emmeans(M, "wool", vcov. = 2 * as.matrix(vcov(M))), df = Inf)'),
    "slopes": (lambda m: m.emtrends("tension", "w", contrast="pairwise"),
        'pairs(emtrends(M, "tension", "w"))'),
}  # fmt: skip


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    wb = mlm.load_dataset("datasets::warpbreaks")
    wb["w"] = [1 + i % 6 for i in range(len(wb))]
    wb["block"] = [str(1 + i % 9) for i in range(len(wb))]
    wb = wb.drop(index=wb.index[[0, 1, 2, 3, 4, 19, 20, 49]])
    fixed = "wool * tension + w"
    return {
        "lm": mlm.lm(f"log(breaks) ~ {fixed}", wb),
        "glm": mlm.glm(f"breaks ~ {fixed}", wb, family="poisson"),
        "lmer": mlm.lmer(f"log(breaks) ~ {fixed} + (1 | block)", wb),
        "glmer": mlm.glmer(f"breaks ~ {fixed} + (1 | block)", wb, family="poisson"),
        "lme": mlm.lme(f"log(breaks) ~ {fixed}", wb, random="~ 1 | block"),
        "gls": mlm.gls(f"log(breaks) ~ {fixed}", wb, correlation="cs", group="block"),
    }


@pytest.fixture(scope="module")
def reference() -> Any:
    def of(model: str, code: str) -> str:
        return re.sub(r"\(M([,)])", rf"({model}\1", code)

    rows = ",\n".join(
        f"`{name} of {model}` = told({of(model, code)})"
        for name, (_, code) in OPTIONS.items()
        for model in MODELS
    )
    told = "told <- function(asked) tryCatch(g(asked), error = conditionMessage)"
    return native(f"{SETUP}\n{told}\nemit(suppressMessages(suppressWarnings(list({rows}))))")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", OPTIONS)
def test_against_native_r(name: str, model: str, models: dict[str, Any], reference: Any) -> None:
    tolerance = {"glmer": REOPTIMIZED, "gls": TWO_OPTIMIZERS}.get(model, DERIVED)
    assert_native(OPTIONS[name][0], models[model], reference[f"{name} of {model}"], tolerance)
