"""What R says in messages arrives on the result, whichever class it is, and below its print."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.native import native

pytestmark = pytest.mark.filterwarnings("ignore:fixed-effect model matrix is rank deficient")

DATA = """
set.seed(5)
d <- expand.grid(a = letters[1:4], b = LETTERS[1:3], rep = 1:20)
d$g <- factor(rep_len(1:15, nrow(d)))
d$y <- round(rnorm(15)[d$g] + rnorm(nrow(d)), 6)
d <- d[!(d$a == "d" & d$b == "C"), ]
d$nest <- factor(ifelse(d$a %in% c("a", "b"), "one", "two"))
"""
#: Question -> R's code, and pymlm's of the same model.
QUESTIONS = {
    "anova": ("anova(m)", lambda m: m.anova()),
    "anova by Kenward-Roger": (
        "anova(m, ddf = 'Kenward-Roger')",
        lambda m: m.anova(ddf="Kenward-Roger"),
    ),
    "means": ("emmeans::emmeans(m, 'a')", lambda m: m.emmeans("a")),
    "pairs": ("pairs(emmeans::emmeans(m, 'a'))", lambda m: m.emmeans("a", contrast="pairwise")),
    "nested means": ("emmeans::emmeans(nested, 'a')", None),
    "nested tests": ("emmeans::joint_tests(nested)", None),
}


@pytest.fixture(scope="module")
def reference():
    return native(
        DATA
        + """
library(emmeans)
m <- lmer(y ~ a * b + (1 | g), d)
nested <- lmer(y ~ nest + a %in% nest + (1 | g), d)
said <- function(expr) {
  heard <- character()
  withCallingHandlers(invisible(expr), message = function(m) {
    heard <<- c(heard, conditionMessage(m))
    invokeRestart("muffleMessage")
  })
  as.list(heard)
}
"""
        + f"""emit(list(data = d, said = list({
            ", ".join(f"`{name}` = said({code})" for name, (code, _) in QUESTIONS.items())
        })))"""
    )


@pytest.fixture(scope="module")
def models(reference):
    data = pd.DataFrame({k: v for k, v in reference["data"].items() if k != ".rows"})
    data["g"] = data["g"].astype(str)
    return {
        "m": mlm.lmer("y ~ a * b + (1 | g)", data),
        "nested": mlm.lmer("y ~ nest + a %in% nest + (1 | g)", data),
    }


def answer(models, question):
    ask = QUESTIONS[question][1]
    if ask is not None:
        return ask(models["m"])
    nested = models["nested"]
    return nested.emmeans("a") if "means" in question else nested.joint_tests()


def flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize("question", QUESTIONS)
def test_messages_of_r_are_notes(models, reference, question):
    theirs = [flat(t) for t in np.atleast_1d(reference["said"][question])]
    assert theirs, "a question about which R says nothing tests nothing"
    result = answer(models, question)
    notes = [flat(n) for n in result.notes]
    for text in theirs:
        assert text in notes
        assert flat(str(result)).count(text) == 1
        assert text in flat(result._repr_html_().replace("&gt;", ">"))
    again = type(result).from_dict(result.to_dict())
    assert again.notes == result.notes


def test_a_kept_answer_says_it_again(models):
    """Two results that R makes from one kept object both carry its messages."""
    first = models["m"].anova()
    models["m"]._answers.clear()
    assert models["m"].anova().notes == first.notes != ()


def test_a_refit_of_a_comparison_is_printed():
    data = mlm.load_dataset("sleepstudy")
    m0 = mlm.lmer("Reaction ~ 1 + (1 | Subject)", data)
    m1 = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    for table in (mlm.anova(m0, m1), mlm.lrt(m0, m1)):
        assert any("refitted by maximum likelihood" in n for n in table.notes)
        assert str(table).count("refitted by maximum likelihood") == 1
