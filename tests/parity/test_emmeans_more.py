"""Other covariances, smaller models, several answers: more of emmeans against native R."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.native import assert_fits_close, native
from tests.parity.test_emmeans_all import (
    DERIVED,
    MODELS,
    assert_native,
    models,  # noqa: F401  # a fixture
)
from tests.tolerances import REOPTIMIZED

#: joint_tests() rounds F to three digits.
THREE_DIGITS = 6e-4

Ask = Callable[[Any], Any]

#: By model: a factor, and another to stand beside it.
FACTORS = {"lm": "tension", "glm": "tension", "lmer": "recipe", "glmer": "period",
           "lme": "recipe", "gls": "recipe"}  # fmt: skip

ROWS: dict[str, tuple[str, Ask, str]] = {
    # a matrix of the user's
    **{
        f"vcov of {model}": (
            model, lambda m, f=factor: m.emmeans(f, vcov=4 * m.vcov()),
            f'emmeans({model}, "{factor}", vcov. = 4 * as.matrix(own({model})))',
        )
        for model, factor in FACTORS.items()
    },
    **{
        f"contrasts, vcov of {model}": (
            model, lambda m, f=factor: m.emmeans(f, contrast="pairwise", vcov=4 * m.vcov()),
            f'pairs(emmeans({model}, "{factor}", vcov. = 4 * as.matrix(own({model}))))',
        )
        for model, factor in FACTORS.items()
    },
    # robust errors by name, as a result, by clusters, by a function
    "CR2 of lmer": ("lmer", lambda m: m.emmeans("recipe", vcov="CR2"),
        'emmeans(lmer, "recipe", vcov. = clubSandwich::vcovCR(lmer, type = "CR2"))'),
    "CR2 of a result": (
        "lm", lambda m: m.emmeans("tension", vcov=mlm.cluster_robust(m, by="block")),
        'emmeans(lm, "tension", vcov. = clubSandwich::vcovCR(lm, wb$block, "CR2"))'),
    "HC3 of lm": ("lm", lambda m: m.emmeans("tension", contrast="consec", vcov="HC3"),
        'contrast(emmeans(lm, "tension", vcov. = sandwich::vcovHC(lm, "HC3")), "consec")'),
    "HAC of lm": ("lm", lambda m: m.emmeans("wool", vcov="Newey-West"),
        'emmeans(lm, "wool", vcov. = sandwich::NeweyWest(lm))'),
    "HC1 of glm": ("glm", lambda m: m.emmeans("wool", vcov=lambda g: mlm.robust_errors(g, "HC1")),
        'emmeans(glm, "wool", vcov. = sandwich::vcovHC(glm, "HC1"))'),
    "clusters of lm": ("lm", lambda m: m.emmeans("tension", vcov="~ block"),
        'emmeans(lm, "tension", vcov. = sandwich::vcovCL(lm, wb$block))'),
    "clusters of glm": ("glm", lambda m: m.emmeans("tension", vcov="~ `block`", type="response"),
        'emmeans(glm, "tension", vcov. = sandwich::vcovCL(glm, wb$block), type = "response")'),
    "CR2 of slopes": ("lmer", lambda m: m.emtrends("recipe", "dose", vcov="CR2"),
        'emtrends(lmer, "recipe", "dose", vcov. = clubSandwich::vcovCR(lmer, type = "CR2"))'),
    "slopes of glm": ("glm", lambda m: m.emtrends("tension", "w", vcov="HC3", regrid="response"),
        'emtrends(glm, "tension", "w", vcov. = sandwich::vcovHC(glm, "HC3"), regrid = "response")'),
    "effects over sigma": ("lm", lambda m: m.eff_size("tension", vcov="HC3"),
        'eff_size(emmeans(lm, "tension", vcov. = sandwich::vcovHC(lm, "HC3")), sigma(lm),'
        ' df.residual(lm))'),
    # smaller models
    **{
        f"{submodel} of {model}": (
            model, lambda m, f=factor, s=submodel: m.emmeans(f, submodel=s),
            f'emmeans({model}, "{factor}", submodel = {code})',
        )
        for model, factor in FACTORS.items()
        for submodel, code in (("minimal", '"minimal"'), (f"~ {factor}", f"~ {factor}"))
    },
    **{
        f"type II of {model}": (
            model, lambda m, f=factor: m.emmeans(f, contrast="pairwise", submodel="type2"),
            f'pairs(emmeans({model}, "{factor}", submodel = "type2"))',
        )
        for model, factor in FACTORS.items()
    },
    # across groups
    **{
        f"{how} across groups of {model}": (
            model,
            lambda m, h=how: m.emmeans("~ tension | wool", contrast="pairwise", adjust="tukey",
                                       cross_adjust=h),
            f'summary(pairs(emmeans({model}, ~ tension | wool)), cross.adjust = "{how}")',
        )
        for how in ("bonferroni", "sidak", "holm", "BH")
        for model in ("lm", "glm")
    },
    "slopes across groups": (
        "lmer", lambda m: m.emtrends("~ recipe | dose", "dose", at={"dose": [17, 20]},
                                     contrast="pairwise", cross_adjust="bonferroni"),
        'summary(pairs(emtrends(lmer, ~ recipe | dose, "dose", at = list(dose = c(17, 20)))), '
        'cross.adjust = "bonferroni")'),
    "all against all": (
        "lm", lambda m: m.emmeans(["wool", "tension"], contrast="pairwise"),
        'contrast(emmeans(lm, ~ wool | tension), "pairwise", by = NULL)'),
    # lists
    "first of a list": ("lm", lambda m: m.emmeans({"a": "~ wool", "b": "~ tension | wool"})["a"],
        "emmeans(lm, list(a = ~ wool, b = ~ tension | wool))[[1]]"),
    "second of a list": (
        "lm", lambda m: m.emmeans(["~ wool", "~ tension | wool"])["~ tension | wool"],
        "emmeans(lm, list(a = ~ wool, b = ~ tension | wool))[[2]]"),
    **{
        f"simple each: {factor}": (
            "lm",
            lambda m, f=factor: m.emmeans(
                "~ wool * tension", contrast="pairwise", simple="each")[f],
            f'contrast(emmeans(lm, ~ wool * tension), "pairwise", simple = "each")[[{i}]]',
        )
        for i, factor in ((1, "wool"), (2, "tension"))
    },
}  # fmt: skip

TERMS = {"lm": None, "lmer": None, "glm": None}


@pytest.fixture(scope="module")
def reference() -> Any:
    rows = ",\n".join(f"`{name}` = told({code})" for name, (_, _, code) in ROWS.items())
    terms = ", ".join(
        f'{m} = told(joint_tests({m}, submodel = "type2", cov.reduce = meanint))' for m in TERMS
    )
    return native(
        f"""{MODELS}
# of an ML fit nlme's summary() and emmeans adjust the matrix; these are REML fits
own <- function(m) vcov(m)
told <- function(asked) tryCatch(g(asked), error = conditionMessage)
out <- suppressMessages(suppressWarnings(list({rows})))
out$joint <- suppressMessages(list({terms}))
emit(out)"""
    )


@pytest.mark.parametrize("name", ROWS)
def test_against_native_r(name: str, models: dict[str, Any], reference: Any) -> None:  # noqa: F811
    model, ask, _ = ROWS[name]
    tolerance = REOPTIMIZED if model == "glmer" else DERIVED
    assert_native(ask, models[model], reference[name], tolerance)


@pytest.mark.parametrize("name", TERMS)
def test_terms_of_type_two(name: str, models: dict[str, Any], reference: Any) -> None:  # noqa: F811
    theirs = reference["joint"][name]
    if isinstance(theirs, str):  # of a glm in emmeans 2.0.4
        with pytest.raises(NotSupportedError, match="cannot put tests"):
            models[name].joint_tests(submodel="type2")
        return
    ours = models[name].joint_tests(submodel="type2").to_frame()
    assert ours.index.tolist() == theirs["model term"]
    assert_fits_close(ours["statistic"], theirs["F.ratio"], THREE_DIGITS)
    assert_fits_close(ours["num_df"], theirs["df1"], DERIVED)


def test_robust_joint_tests(models: dict[str, Any]) -> None:  # noqa: F811
    """F of one degree of freedom is the square of t with the same errors."""
    m = models["lm"]
    t = m.emmeans("wool", contrast="pairwise", vcov="HC3").statistic[0]
    found = m.joint_tests(vcov="HC3").to_frame()
    assert_fits_close(found.loc["wool", "statistic"], t**2, THREE_DIGITS)
    assert m.cld("tension", vcov="HC3").std_error.tolist() != m.cld("tension").std_error.tolist()


def test_what_prints_is_adjusted(models: dict[str, Any]) -> None:  # noqa: F811
    found = models["lm"].emmeans("~ tension | wool", contrast="pairwise", cross_adjust="holm")
    assert "Cross-group P-value adjustment: holm" in str(found)


BAD: dict[str, tuple[Ask, type[Exception], str]] = {
    "KR": (lambda m: m["lmer"].emmeans("recipe", vcov="CR2", ddf="KR"), NotSupportedError,
           "adjust"),
    "HC of lmer": (lambda m: m["lmer"].emmeans("recipe", vcov="HC3"), NotSupportedError, "CR0"),
    "size": (lambda m: m["lm"].emmeans("wool", vcov=np.eye(3)), ArgumentError, "7 × 7"),
    "cluster": (lambda m: m["lm"].emmeans("wool", vcov="~ blok"), DataError, "block"),
    "type II means": (lambda m: m["lm"].emmeans("wool", submodel="type2"), ArgumentError,
                      "contrast="),
    "submodel": (lambda m: m["lm"].emmeans("wool", submodel="type3"), ArgumentError, "minimal"),
    "submodel's name": (lambda m: m["lm"].emmeans("wool", submodel="~ wol"), ArgumentError, "wool"),
    "submodel's response": (lambda m: m["lm"].emmeans("wool", submodel="breaks ~ wool"),
                            ArgumentError, "predictors alone"),
    "no groups": (lambda m: m["lm"].emmeans("tension", contrast="eff", cross_adjust="holm"),
                  ArgumentError, "by="),
    "no p values": (lambda m: m["lm"].emmeans("~ tension | wool", cross_adjust="holm"),
                    ArgumentError, "infer"),
    "a wrong way": (lambda m: m["lm"].emmeans("~ tension | wool", cross_adjust="tukey"),
                    ArgumentError, "sidak"),
    "empty": (lambda m: m["lm"].emmeans({}), ArgumentError, "empty"),
    "in a dict": (lambda m: m["lm"].emmeans({"a": "~ wol"}), ArgumentError, "wool"),
    "each alone": (lambda m: m["lm"].emmeans("wool", simple="each"), ArgumentError, "contrast="),
    "joint": (lambda m: m["lm"].joint_tests(submodel="type3"), ArgumentError, "type2"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case: str, models: dict[str, Any]) -> None:  # noqa: F811
    ask, error, said = BAD[case]
    with pytest.raises(error, match=said):
        ask(models)
    assert len(models["lm"].emmeans("wool")) == 2  # R is usable
