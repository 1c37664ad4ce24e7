"""Slopes at the levels of a factor against native emmeans."""

from __future__ import annotations

import re

import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from tests.native import assert_close, native

#: emmeans and lmerTest find Satterthwaite's df by numerical derivatives from different points.
DERIVATIVES = 1e-4
#: The sums of coefficients are taken in another order.
SUMS = 1e-10

MODELS = {
    "treatment": ("langPOST ~ ses * sex + IQ.verb + (1 | schoolNR)", "sex", {}),
    "three levels, sum": ("langPOST ~ denomina * ses + (1 | schoolNR)", "denomina",
                          {"denomina": "contr.sum"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def theirs():
    code = "data(bdf, package = 'nlme'); d <- bdf; class(d) <- 'data.frame'\nout <- list()\n"
    for i, (formula, factor, contrasts) in enumerate(MODELS.values()):
        coding = ", ".join(f"{k} = '{v}'" for k, v in contrasts.items())
        code += (
            f"m <- lmer({formula}, d, contrasts = "
            f"{f'list({coding})' if coding else 'NULL'})\n"
            f"t <- as.data.frame(emmeans::emtrends(m, ~ {factor}, var = 'ses', "
            "lmer.df = 'satterthwaite', lmerTest.limit = 1e5))\n"
            f"out$m{i} <- list(level = as.character(t[[1]]), slope = t$ses.trend, se = t$SE, "
            "df = t$df, low = t$lower.CL)\n"
        )
    return native(code + "emit(out)")


@pytest.mark.parametrize("name", MODELS)
def test_a_factor_as_moderator(name, theirs):
    formula, factor, contrasts = MODELS[name]
    data = mlm.load_dataset("nlme::bdf")
    m = mlm.lmer(formula, data, contrasts=contrasts or None)
    found = mlm.simple_slopes(m, "ses", factor)
    reference = theirs[f"m{list(MODELS).index(name)}"]
    assert found.value.tolist() == reference["level"]
    assert found.term[0] == f"ses at {factor} = {reference['level'][0]}"
    assert_close(found.estimate, reference["slope"], SUMS)
    assert_close(found.std_error, reference["se"], SUMS)
    assert_close(found.df, reference["df"], DERIVATIVES)
    assert_close(found.conf_low, reference["low"], DERIVATIVES)
    one = mlm.simple_slopes(m, "ses", factor, at=[reference["level"][1]])
    assert one.estimate.tolist() == [found.estimate[1]]
    back = type(found).from_json(found.to_json())
    assert back.value.tolist() == found.value.tolist()


def test_truth_values_and_texts_are_factors(sleepstudy):
    late = sleepstudy["Subject"].astype(int) > 340
    data = sleepstudy.assign(late=late, who=late.map({True: "b c", False: "a"}))
    for column, names in (("late", ["FALSE", "TRUE"]), ("who", ["a", "b c"])):
        m = mlm.lmer(f"Reaction ~ Days * {column} + (1 | Subject)", data)
        found = mlm.simple_slopes(m, "Days", column)
        assert found.value.tolist() == names
        b = m.fixef()
        assert_close(found.estimate, [b.iloc[1], b.iloc[1] + b.iloc[3]], SUMS)


@pytest.mark.parametrize(
    ("formula", "at", "says"),
    [
        ("Reaction ~ Days + group + (1 | Subject)", None, "fit it with Days * group"),
        ("Reaction ~ Days * group + (1 | Subject)", ["x"], "no level of group 'x' here"),
    ],
)
def test_what_is_not_there_is_refused(formula, at, says, sleepstudy):
    data = sleepstudy.assign(group=(sleepstudy["Subject"].astype(int) % 2).map({0: "a", 1: "b"}))
    m = mlm.lmer(formula, data)
    with pytest.raises(ArgumentError, match=re.escape(says)):
        mlm.simple_slopes(m, "Days", "group", at=at)
