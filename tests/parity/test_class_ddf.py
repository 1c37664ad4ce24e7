"""Degrees of freedom that a class has not are refused by every question, never ignored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pymlm as mlm
from pymlm.arguments import ALL_DDF
from pymlm.errors import NotSupportedError

#: lme4's own of an nlmer's covariance.
pytestmark = pytest.mark.filterwarnings("ignore:variance-covariance matrix computed from")

LMERTEST = ("Satterthwaite", "Kenward-Roger", "between-within")
#: What each class has beside "default" and "asymptotic".
OWN = {
    "lmer": set(LMERTEST), "ml": {"Satterthwaite", "between-within"}, "glmer": set(),
    "nlmer": set(), "lm": {"residual"}, "glm": {"residual"}, "lme": {"containment"},
    "gls": {"residual"},
}  # fmt: skip
QUESTIONS: dict[str, Callable[[Any, str], Any]] = {
    "vcov": lambda m, ddf: m.vcov(ddf=ddf),
    "tidy": lambda m, ddf: m.tidy("fixed", ddf=ddf),
    "contest": lambda m, ddf: m.contest([0] * (len(m.fixef()) - 1) + [1], ddf=ddf),
}


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    d = mlm.load_dataset("sleepstudy")
    d["slow"] = (d["Reaction"] > 290).astype(int)
    mixed, f = "Reaction ~ Days + (1 | Subject)", "Reaction ~ Days"
    return {
        "lmer": mlm.lmer(mixed, d), "ml": mlm.lmer(mixed, d, reml=False),
        "glmer": mlm.glmer("slow ~ Days + (1 | Subject)", d), "lm": mlm.lm(f, d),
        "glm": mlm.glm("slow ~ Days", d), "lme": mlm.lme(f, d, random="~ 1 | Subject"),
        "gls": mlm.gls(f, d),
        "nlmer": mlm.nlmer(
            "circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree",
            mlm.load_dataset("Orange"), start={"Asym": 200, "xmid": 725, "scal": 350},
        ),
    }  # fmt: skip


#: Questions that not every class and method has, but that no wrong method gets an answer to.
PARTIAL: dict[str, Callable[[Any, str], Any]] = {
    "anova(type=2)": lambda m, ddf: m.anova(type=2, ddf=ddf),
    "anova(type=3)": lambda m, ddf: m.anova(type=3, ddf=ddf),
    "drop1": lambda m, ddf: m.drop1(ddf=ddf),
    "emmeans": lambda m, ddf: m.emmeans("Days", ddf=ddf),
    "emtrends": lambda m, ddf: m.emtrends("1", "Days", ddf=ddf),
    "joint_tests": lambda m, ddf: m.joint_tests(ddf=ddf),
    "avg_predictions": lambda m, ddf: m.avg_predictions(ddf=ddf),
}  # fmt: skip
#: emmeans has Satterthwaite's method for gls (of lme by random refits, which are refused).
MORE = {("gls", "Satterthwaite")}


@pytest.mark.parametrize("question", PARTIAL)
@pytest.mark.parametrize("kind", [k for k in OWN if k != "nlmer"])
def test_no_wrong_method_gets_an_answer(models: Any, kind: str, question: str) -> None:
    """Nor R's own words for it: each is a NotSupportedError."""
    for ddf in set(ALL_DDF) - {"default", "asymptotic"} - OWN[kind]:
        if (kind, ddf) in MORE and question in ("emmeans", "emtrends", "joint_tests"):
            continue
        with pytest.raises(NotSupportedError):
            PARTIAL[question](models[kind], ddf)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("kind", OWN)
def test_what_the_class_has_not_is_refused(models: Any, kind: str, question: str) -> None:
    answered = set()
    for ddf in ALL_DDF:
        try:
            QUESTIONS[question](models[kind], ddf)
            answered.add(ddf)
        except NotSupportedError:
            pass
    assert answered == {"default", "asymptotic"} | OWN[kind]
