"""anova and lrt of lm, glm, lme and gls against R's own, whichever model comes first."""

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ComparisonError
from tests.native import ROUND_TRIP, assert_close, native

#: lme and gls stop at 1e-6 relative; the same code on the same data repeats itself.
SAME_PATH = 1e-9

LINEAR = {
    "lm": ("lm(distance ~ age, d)", "lm(distance ~ age * Sex, d)", "F"),
    "lm with weights": (
        "lm(distance ~ age, d, weights = age)",
        "lm(distance ~ age + Sex, d, weights = age)",
        "F",
    ),
    "binomial": ("glm(up ~ age, binomial, d)", "glm(up ~ age * Sex, binomial, d)", "Chisq"),
    "poisson": ("glm(n ~ 1, poisson, d)", "glm(n ~ Sex + age, poisson, d)", "Chisq"),
    "Gamma": ("glm(distance ~ age, Gamma, d)", "glm(distance ~ age + Sex, Gamma, d)", "F"),
    "quasi": ("glm(n ~ 1, quasipoisson, d)", "glm(n ~ Sex, quasipoisson, d)", "F"),
}
NLME = {
    "independent": "gls(distance ~ age, d)",
    "cs": "gls(distance ~ age, d, corCompSymm(form = ~ 1 | Subject))",
    "ar1": "gls(distance ~ age, d, corAR1(form = ~ 1 | Subject))",
    "intercept": "lme(distance ~ age, d, ~ 1 | Subject)",
    "slope": "lme(distance ~ age, d, ~ age | Subject)",
    "sexes": "lme(distance ~ age * Sex, d, ~ 1 | Subject)",
    "lm": "lm(distance ~ age, d)",
}
#: Pairs of these, smaller first: has the test its null on the boundary (half), inside (whole)?
PAIRS = {
    ("independent", "cs"): "whole",
    ("independent", "ar1"): "whole",
    ("independent", "intercept"): "half",
    ("lm", "intercept"): "half",
    ("intercept", "slope"): "half",
    ("intercept", "sexes"): "whole",
    ("cs", "ar1"): None,
}


@pytest.fixture(scope="module")
def reference():
    linear = ", ".join(
        f"`{k}` = {{ a <- anova({m0}, {m1}, test = '{test}'); "
        f"list(table = as.data.frame(a), print = lines_of(a)) }}"
        for k, (m0, m1, test) in LINEAR.items()
    )
    fits = "\n".join(f"{k} <- {code}" for k, code in NLME.items())
    ml = "update(intercept, method = 'ML'), update(sexes, method = 'ML')"
    pairs = ", ".join(
        f"`{a} {b}` = as.data.frame(anova({ml if b == 'sexes' else f'{b}, {a}'}))[c('df', 'AIC', "
        "'BIC', 'logLik', intersect(c('L.Ratio', 'p-value'), names(anova("
        f"{ml if b == 'sexes' else f'{b}, {a}'}))))]"
        for a, b in PAIRS
    )
    return native(
        f"""library(nlme)
d <- as.data.frame(nlme::Orthodont)
d$Subject <- factor(d$Subject, ordered = FALSE)
d$up <- as.numeric(d$distance > 24)
d$n <- round(d$distance)
lines_of <- function(x) paste(utils::capture.output(print(x)), collapse = "\\n")
{fits}
emit(list(linear = list({linear}), nlme = list({pairs})))"""
    )


@pytest.fixture(scope="module")
def data():
    d = mlm.load_dataset("nlme::Orthodont")
    d["Subject"] = d["Subject"].astype(str)
    return d.assign(up=(d.distance > 24).astype(int), n=d.distance.round())


@pytest.fixture(scope="module")
def models(data):
    formula = "distance ~ age"
    group = {"group": "Subject"}
    return {
        "independent": mlm.gls(formula, data),
        "cs": mlm.gls(formula, data, correlation="cs", **group),
        "ar1": mlm.gls(formula, data, correlation="ar1", **group),
        "intercept": mlm.lme(formula, data, random="~ 1 | Subject"),
        "slope": mlm.lme(formula, data, random="~ age | Subject"),
        "sexes": mlm.lme("distance ~ age * Sex", data, random="~ 1 | Subject"),
        "lm": mlm.lm(formula, data),
    }


def linear(code, data):
    inside = code.split("(", 1)[1]
    options = {"weights": "age"} if "weights" in code else {}
    if code.startswith("glm"):
        options["family"] = inside.split(", ")[1]
    return getattr(mlm, code.split("(")[0])(inside.split(", ")[0], data, **options)


@pytest.mark.parametrize("name", LINEAR)
def test_lm_and_glm(data, reference, name):
    m0, m1 = (linear(code, data) for code in LINEAR[name][:2])
    theirs = reference["linear"][name]
    table = {k: np.array(v, dtype=float) for k, v in theirs["table"].items() if k != ".rows"}
    for pair, names in (((m0, m1), ("m0", "m1")), ((m1, m0), ("m1", "m0"))):
        ours = mlm.anova(*pair)
        assert ours.term == names
        assert str(ours) == theirs["print"]
        p = table["Pr(>F)" if "Pr(>F)" in table else "Pr(>Chi)"]
        assert_close(ours.p_value, p, ROUND_TRIP * len(data))
        frame = ours.to_frame()
        if LINEAR[name][2] == "F":
            assert ours.statistic_name == "F"
            assert_close(frame["statistic"], table["F"], ROUND_TRIP * len(data))
            assert frame["den_df"].iloc[1] == m1.df_residual
        else:
            assert_close(frame["chisq"], table["Deviance"], ROUND_TRIP * len(data))


@pytest.mark.parametrize("name", [n for n in LINEAR if n != "quasi"])
def test_the_likelihood_ratio_of_lm_and_glm(data, name):
    m0, m1 = (linear(code, data) for code in LINEAR[name][:2])
    for pair in ((m0, m1), (m1, m0)):
        assert mlm.lrt(*pair).chisq[1] == pytest.approx(2 * (m1.loglik - m0.loglik))


def test_a_quasi_family_has_no_likelihood_ratio(data):
    with pytest.raises(ComparisonError, match="quasi"):
        mlm.lrt(*(linear(code, data) for code in LINEAR["quasi"][:2]))


def test_lm_that_are_not_nested_get_no_test(data):
    table = mlm.anova(mlm.lm("distance ~ age", data), mlm.lm("distance ~ Sex", data))
    assert np.isnan(table.p_value).all()
    assert "not nested" in table.notes[0]
    assert "not nested" in str(table)


@pytest.mark.parametrize("pair", PAIRS)
def test_lme_and_gls(models, reference, pair):
    small, large = (models[name] for name in pair)
    theirs = reference["nlme"][" ".join(pair)]
    rows = np.argsort(theirs["df"], kind="stable")
    for given in ((small, large), (large, small)):
        ours = mlm.anova(*given)
        for field, column in (("npar", "df"), ("aic", "AIC"), ("bic", "BIC"), ("loglik", "logLik")):
            values = np.array(theirs[column], dtype=float)
            assert_close(np.sort(getattr(ours, field)), np.sort(values), SAME_PATH, field)
        assert ours.refitted == (pair[1] == "sexes")
        if PAIRS[pair] is None:
            assert np.isnan(ours.p_value).all()
            assert "not nested" in ours.notes[0]
            continue
        expected = np.array(theirs["p-value"], dtype=float)
        assert_close(ours.p_value[1], expected[~np.isnan(expected)], SAME_PATH * 1000)
        assert_close(mlm.lrt(*given).chisq, ours.chisq, SAME_PATH)
        ratio = ours.p_value_boundary[1] / ours.p_value[1]
        if PAIRS[pair] == "whole":
            assert ratio == 1
        elif ours.df[1] == 1:
            assert ratio == pytest.approx(0.5)
        else:
            assert 0.5 < ratio < 1
    assert len(rows) == 2


def test_reml_with_other_means_is_refused_where_it_may_not_refit(models):
    with pytest.raises(ComparisonError, match="different fixed effects"):
        mlm.anova(models["intercept"], models["sexes"], refit=False)


def test_pseudo_r2_takes_either_order(data):
    m0 = mlm.lmer("distance ~ 1 + (1 | Subject)", data)
    m1 = mlm.lmer("distance ~ age + (1 | Subject)", data)
    ours, turned = mlm.pseudo_r2(m0, m1), mlm.pseudo_r2(m1, m0)
    assert_close(turned.pseudo_r2, ours.pseudo_r2)
    assert ours.notes == ()
    assert turned.notes == ("m0 is the larger model, m1 the smaller one",)


@pytest.mark.parametrize(
    ("flavour", "reml", "bic"),
    [("SAS", True, 1755.2), ("SPSS", True, 1764.355), ("SAS", False, 1769.3),
     ("SPSS", False, 1783.097), ("Mplus", False, 1783.097)],
)  # fmt: skip
def test_criteria_are_those_that_render_prints(flavour, reml, bic):
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"), reml=reml)
    digits = 1 if flavour == "SAS" else 3
    ours = mlm.information_criteria(m, flavour=flavour)
    assert round(ours.bic, digits) == bic
    text = mlm.render(m, flavour.lower())
    assert f"{ours.bic:.{digits}f}" in text
    assert f"{ours.aic:.{digits}f}" in text
