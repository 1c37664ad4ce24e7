"""Checklist rows 69, 71-74, 76: the model in the voices of Stata, R and stargazer."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.render.numbers import stata_g
from tests.course.lecture_data import squeezed
from tests.tolerances import FLAT_CRITERION, FLAT_TAIL, OTHER_OPTIMIZER, REOPTIMIZED

#: S0's tables, as printed (spaces are the renderer's affair and compared apart).
G1 = """
Mixed-effects ML regression Number of obs = 2,287
Group variable: schoolnr Number of groups = 131
gpa | Coef. Std. Err. z P>|z| [95% Conf. Interval]
ses | .3574069 .0210423 16.99 0.000 .3161648 .398649
clubs | .0787655 .043304 1.82 0.069 -.0061087 .1636397
_cons | -.0350527 .0423598 -0.83 0.408 -.1180764 .0479711
Random-effects Parameters | Estimate Std. Err. [95% Conf. Interval]
schoolnr: Identity |
var(_cons) | .1851497 .029573 .1353833 .25321
var(Residual) | .7030494 .0214484 .6622435 .7463696
LR test vs. linear model: chibar2(01) = 272.99 Prob >= chibar2 = 0.0000
"""
G2 = """
Mixed-effects ML regression Number of obs = 2,287
Group variable: schoolnr Number of groups = 131
gpa | Coef. Std. Err. z P>|z| [95% Conf. Interval]
ses | .3687384 .0225306 16.37 0.000 .3245791 .4128976
clubs | .0710318 .0422582 1.68 0.093 -.0117927 .1538564
c.ses#c.clubs | -.0611543 .0222428 -2.75 0.006 -.1047494 -.0175592
_cons | -.0124706 .0423211 -0.29 0.768 -.0954185 .0704773
Random-effects Parameters | Estimate Std. Err. [95% Conf. Interval]
schoolnr: Unstructured |
var(ses) | .0073425 .0067279 .0012187 .0442381
var(_cons) | .1736029 .0277884 .1268547 .2375789
cov(ses,_cons) | -.0283662 .0106466 -.049233 -.0074993
var(Residual) | .6969668 .0216296 .6558371 .7406759
"""
#: One unit of the last of seven printed decimals: .16363975 stands at the edge of rounding.
LAST_DIGIT = 1.01e-7
#: Stata's optimum and bobyqa's: equal to six digits for the random intercept.
SAME_OPTIMUM = 2e-6
#: ... and to about this for the random slope, where the likelihood is flat.
FLAT_OPTIMUM = 8e-4
NUMBER = re.compile(r"-?\d*\.\d+|-?\d+(?:,\d{3})*")


def same_lines(ours: str, lecture: str, rtol: float) -> None:
    """Every line of the lecture stands in ours: the words equal, the numbers to rtol."""
    mine = {NUMBER.sub("#", line): line for line in squeezed(ours)}
    for line in squeezed(lecture):
        words = NUMBER.sub("#", line)
        assert words in mine, line
        for a, b in zip(NUMBER.findall(mine[words]), NUMBER.findall(line), strict=True):
            x, y = float(a.replace(",", "")), float(b.replace(",", ""))
            assert x == pytest.approx(y, rel=rtol, abs=LAST_DIGIT), (line, mine[words])


def test_row_72_statas_random_intercept_table(g1):
    same_lines(mlm.render(g1, "stata"), G1, SAME_OPTIMUM)


def test_row_72_coefficients_digit_for_digit(g1):
    ours = mlm.render(g1, "stata")
    lines = squeezed(G1)
    for line in [*lines[:4], lines[-1]]:
        assert line in squeezed(ours)
    same_lines(ours, "\n".join(lines[:6]), 0)


def test_row_72_statas_random_slope_table(g2):
    same_lines(mlm.render(g2, "stata"), G2, FLAT_OPTIMUM)


def test_row_72_the_layout_is_statas(g1, g2):
    lines = mlm.render(g1, "stata").splitlines()
    assert lines[:3] == [
        "Mixed-effects ML regression                     Number of obs     =      2,287",
        "Group variable: schoolnr                        Number of groups  =        131",
        "",
    ]
    assert "         ses |   .3574069   .0210423    16.99   0.000     .3161648     .398649" in lines
    assert "schoolnr: Identity           |" in lines
    assert lines[-1] == (
        "LR test vs. linear model: chibar2(01) = 272.99        Prob >= chibar2 = 0.0000"
    )
    # S0's second table has 83 dashes: the name of the interaction widens it.
    assert "-" * 83 in mlm.render(g2, "stata").splitlines()
    assert "Note: LR test is conservative" in mlm.render(g2, "stata")


def test_row_72_reml_against_published_stata_output(hsb):
    # xtmixed mathach || school:, variance (UCLA's pages on Singer 1998, High School and Beyond).
    text = """
    Mixed-effects REML regression Number of obs = 7,185
    Log restricted-likelihood = -23558.397 Prob > chi2 = .
    _cons | 12.63697 .2443937 51.71 0.000 12.15797 13.11598
    var(_cons) | 8.614034 1.078805 6.739129 11.01056
    var(Residual) | 39.14832 .6606446 37.87466 40.46481
    LR test vs. linear model: chibar2(01) = 986.12 Prob >= chibar2 = 0.0000
    """
    ours = mlm.render(hsb, "stata").replace("MathAch", "mathach")
    same_lines(ours, text, SAME_OPTIMUM)


def test_row_69_standard_errors_of_variances(g1, g2):
    """The checklist's numbers: lmerTest's Hessian of (theta, sigma) by the delta method."""
    from pymlm.results.system_tables import Voice

    v = g1._ask("voice", Voice)
    assert v.component_se == pytest.approx([0.02957298, 0.02144835], rel=OTHER_OPTIMIZER)
    v = g2._ask("voice", Voice)
    named = dict(zip(zip(v.var1, v.var2, strict=True), v.component_se, strict=True))
    assert named[("ses", None)] == pytest.approx(0.0067279, rel=FLAT_OPTIMUM)
    assert named[("(Intercept)", None)] == pytest.approx(0.0277884, rel=FLAT_CRITERION)
    assert named[("(Intercept)", "ses")] == pytest.approx(0.0106466, rel=FLAT_CRITERION)


def test_row_69_intervals_are_on_the_log_scale(g1):
    line = next(x for x in squeezed(mlm.render(g1, "stata")) if x.startswith("var(_cons)"))
    est, se, low, high = (float(x) for x in NUMBER.findall(line))
    assert low * high == pytest.approx(est**2, rel=REOPTIMIZED)
    assert math.log(high / low) == pytest.approx(2 * 1.959964 * se / est, rel=OTHER_OPTIMIZER)


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
def test_row_69_no_standard_error_at_the_boundary():
    d = pd.DataFrame({"y": [1.0, 2, 3, 1, 2, 3.5, 1, 2, 3], "g": list("aaabbbccc")})
    text = mlm.render(mlm.lmer("y ~ 1 + (1 | g)", d), "stata")
    line = next(x for x in squeezed(text) if x.startswith("var(_cons)"))
    assert line == "var(_cons) | 0 . . ."
    assert "chibar2(01) = 0.00 Prob >= chibar2 = 1.0000" in " ".join(text.split())


def test_row_72_three_levels_and_crossed_factors():
    pastes = mlm.lmer("strength ~ 1 + (1 | batch/cask)", mlm.load_dataset("Pastes"))
    lines = mlm.render(pastes, "stata").splitlines()
    assert "          batch |         10          6        6.0          6" in lines
    assert [x for x in lines if "Identity" in x] == [
        "batch: Identity              |", "cask:batch: Identity         |",
    ]  # fmt: skip
    assert any(x.startswith("LR test vs. linear model: chi2(2)") for x in lines)
    crossed = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))
    text = mlm.render(crossed, "stata")
    assert text.count("_all: Identity") == 2
    assert "var(R.plate)" in text
    with pytest.raises(NotSupportedError, match="crossed"):
        mlm.render(crossed, "stata", command="estat icc")


def test_row_73_xtreg_on_equal_groups_is_the_anova_estimator():
    """Balanced: Swamy and Arora's components are the ANOVA ones, which are REML's."""
    d = mlm.load_dataset("sleepstudy")
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", d)
    text = mlm.render(m, "stata", command="xtreg, re")
    values = {line.split("|")[0].strip(): line.split("|")[1].split() for line in text.splitlines()
              if "|" in line}  # fmt: skip
    f = m.summary(ddf=None).fixed.to_frame()
    assert float(values["Days"][0]) == pytest.approx(f.loc["Days", "estimate"], rel=REOPTIMIZED)
    assert float(values["sigma_u"][0]) == pytest.approx(
        math.sqrt(m.varcorr().variance("Subject")), rel=OTHER_OPTIMIZER
    )
    assert float(values["sigma_e"][0]) == pytest.approx(m.sigma, rel=OTHER_OPTIMIZER)
    assert "corr(u_i, X)   = 0 (assumed)" in text


@pytest.mark.filterwarnings("ignore:Some predictor variables:pymlm.errors.RWarning")
def test_row_73_xtreg_against_published_stata_output_on_grunfeld_data():
    d = mlm.load_dataset("plm::Grunfeld").astype({"firm": str})
    m = mlm.lmer("inv ~ value + capital + (1 | firm)", d)
    text = """
    within = 0.7668 min = 20
    between = 0.8196 avg = 20.0
    overall = 0.8061 max = 20
    Wald chi2(2) = 657.67
    value | .1097811 .0104927 10.46 0.000 .0892159 .1303464
    capital | .308113 .0171805 17.93 0.000 .2744399 .3417861
    _cons | -57.83441 28.89893 -2.00 0.045 -114.4753 -1.193537
    sigma_u | 84.20095
    sigma_e | 52.767964
    rho | .71800838 (fraction of variance due to u_i)
    """
    same_lines(mlm.render(m, "stata", command="xtreg, re"), text, OTHER_OPTIMIZER)


def test_row_73_xtreg_on_unequal_groups_by_hand(d, g1):
    """[XT] xtreg: within and between regressions, harmonic mean, quasi-demeaned OLS."""
    text = mlm.render(g1, "stata", command="xtreg, re")
    g = d["schoolnr"].astype(str)
    X = np.column_stack([np.ones(len(d)), d["ses"], d["clubs"]])
    y = d["gpa"].to_numpy()
    table = pd.DataFrame(np.column_stack([X, y])).groupby(g.to_numpy())
    means, n = table.mean(), table.size()
    place = means.index.get_indexer(g)
    M = means.to_numpy()[place]
    x_w, y_w = d["ses"] - M[:, 1], y - M[:, 3]
    b_w = (x_w @ y_w) / (x_w @ x_w)
    s2e = np.sum((y_w - b_w * x_w) ** 2) / (len(y) - 131 - 1)
    A, b = means.to_numpy()[:, :3], means.to_numpy()[:, 3]
    rss = np.sum((b - A @ np.linalg.lstsq(A, b, rcond=None)[0]) ** 2)
    s2u = rss / (131 - 3) - s2e * np.mean(1 / n)
    theta = (1 - np.sqrt(s2e / (n.to_numpy() * s2u + s2e)))[place]
    Xs, ys = X - theta[:, None] * M[:, :3], y - theta * M[:, 3]
    beta = np.linalg.lstsq(Xs, ys, rcond=None)[0]
    s2 = np.sum((ys - Xs @ beta) ** 2) / (len(y) - 3)
    se = np.sqrt(s2 * np.diag(np.linalg.inv(Xs.T @ Xs)))
    for name, k in (("_cons", 0), ("ses", 1), ("clubs", 2)):
        line = next(x for x in squeezed(text) if x.startswith(f"{name} |"))
        assert NUMBER.findall(line)[:2] == [stata_g(beta[k]), stata_g(se[k])]
    assert f"sigma_u | {stata_g(math.sqrt(s2u), 8)}" in squeezed(text)
    assert f"within = {np.corrcoef(x_w, y_w)[0, 1] ** 2:.4f}" in " ".join(text.split())


def test_row_73_xtreg_has_no_random_slope(g2):
    with pytest.raises(NotSupportedError, match="one random intercept"):
        mlm.render(g2, "stata", command="xtreg, re")


@pytest.mark.parametrize("expression", ["ses - 0.5", "ses = 0.5", "ses + clubs - 1 = 0"])
def test_row_76_lincom_has_no_constant(g1, expression):
    """As in Stata; the table would show the combination and drop the constant."""
    with pytest.raises(ArgumentError, match="without a constant"):
        mlm.render(g1, "stata", command=f"lincom {expression}")


def test_row_76_lincom(g1):
    text = mlm.render(g1, "stata", command="lincom ses - clubs")
    V, b = g1.vcov().to_numpy(), g1.fixef()
    se = math.sqrt(V[1, 1] + V[2, 2] - 2 * V[1, 2])
    line = next(x for x in squeezed(text) if x.startswith("(1)"))
    assert NUMBER.findall(line)[1:3] == [stata_g(b["ses"] - b["clubs"]), stata_g(se)]
    assert text.splitlines()[0] == " ( 1)  ses - clubs = 0"


def test_row_72_estat_icc(g1, g2, hsb):
    text = mlm.render(g1, "stata", command="estat icc")
    assert text.startswith("Residual intraclass correlation")
    line = next(x for x in squeezed(text) if x.startswith("schoolnr"))
    rho, se, low, high = (float(x) for x in NUMBER.findall(line))
    assert rho == pytest.approx(0.1851497 / (0.1851497 + 0.7030494), rel=OTHER_OPTIMIZER)

    def logit(p: float) -> float:
        return math.log(p / (1 - p))

    assert logit(high) + logit(low) == pytest.approx(2 * logit(rho), rel=OTHER_OPTIMIZER)
    assert logit(high) - logit(rho) == pytest.approx(
        1.959964 * se / (rho * (1 - rho)), rel=FLAT_CRITERION
    )
    assert mlm.render(g2, "stata", command="estat icc").startswith("Conditional")
    assert mlm.render(hsb, "stata", command="estat icc").startswith("Intraclass")


def test_row_72_estat_icc_standard_error_by_profile(hsb):
    """The delta-method error against the curvature of the profile likelihood of the ICC itself."""
    line = next(
        x for x in squeezed(mlm.render(hsb, "stata", command="estat icc"))
        if x.startswith("School")
    )  # fmt: skip
    rho, se = (float(x) for x in NUMBER.findall(line)[:2])
    d = mlm.load_dataset("nlme::MathAchieve")
    sizes = d.groupby("School", observed=True)["MathAch"].agg(["size", "mean", "var"])
    n, mean, ss = sizes["size"], sizes["mean"], sizes["var"] * (sizes["size"] - 1)

    def criterion(icc: float) -> float:
        """REML criterion of the one-way model, the total variance profiled out."""
        w = n / (1 - icc + n * icc)
        mu = (w * mean).sum() / w.sum()
        q = ss.sum() / (1 - icc) + (w * (mean - mu) ** 2).sum()
        k = n.sum() - 1
        logs = ((n - 1) * math.log(1 - icc) + np.log(1 - icc + n * icc)).sum() + math.log(w.sum())
        return float(k * math.log(q / k) + logs)

    h = 1e-4
    curvature = (criterion(rho + h) - 2 * criterion(rho) + criterion(rho - h)) / h**2
    assert se == pytest.approx(math.sqrt(2 / curvature), rel=FLAT_TAIL)


def test_row_71_r_voice_is_rs_summary(g1):
    assert mlm.render(g1) == g1.summary().text


def test_row_74_stargazer(g1):
    text = mlm.render(g1, "stargazer")
    assert "Dependent variable" in text
    assert "0.357***" in text


def test_row_72_refusals(g1):
    with pytest.raises(ArgumentError, match="stata"):
        mlm.render(g1, "Stat")
    with pytest.raises(ArgumentError, match="estat icc"):
        mlm.render(g1, "stata", command="estat ic")
    with pytest.raises(ArgumentError, match="command is for"):
        mlm.render(g1, "sas", command="mixed")
    glmm = mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)",
                     mlm.load_dataset("cbpp"), family="binomial")  # fmt: skip
    with pytest.raises(NotSupportedError):
        mlm.render(glmm, "stata")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0433039, ".0433039"), (0.043304, ".043304"), (-0.0061087, "-.0061087"),
        (1234567.0, "1234567"), (12345678.0, "1.23e+07"), (-23558.3971, "-23558.4"),
        (9.99999996, "10"), (0.99999999, "1"), (math.nan, "."), (1e-5, ".00001"), (0.0, "0"),
    ],
)  # fmt: skip
def test_row_72_statas_numbers(value, text):
    assert stata_g(value) == text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"style": "mplus", "ddf": "Kenward-Roger"}, "'stata'"),
        ({"style": "r", "level": 0.9}, "level is for style='stata' or 'spss', not 'r'"),
        ({"style": "spss", "covtest": True}, "covtest is for style='sas'"),
        ({"style": "sas", "covtest": "yes"}, "covtest must be True or False"),
    ],
)
def test_no_argument_is_ignored(g1, given, says):
    with pytest.raises(ArgumentError, match=re.escape(says)):
        mlm.render(g1, **given)


@pytest.mark.parametrize("style", ["r", "stata", "sas"])
def test_what_is_no_mixed_model_is_refused(d, style):
    for other in (3, mlm.lm("gpa ~ ses", d)):
        with pytest.raises(NotSupportedError, match="render takes a linear mixed model"):
            mlm.render(other, style)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"single_rows": True}, "Did you mean 'single_row'"),
        ({"single_row": "yes"}, "single_row must be True or False"),
        ({"stars": None}, "stars must be levels"),
        ({"labels": ["ses"]}, "labels maps terms"),
        ({"column_labels": "a"}, "column_labels is a list"),
    ],
)
def test_wrong_arguments_of_a_regression_table(g1, given, says):
    with pytest.raises(ArgumentError, match=re.escape(says)):
        mlm.regression_table([g1], **given)
