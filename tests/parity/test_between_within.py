"""Between-within degrees of freedom: SAS's rule, by hand and against nlme's where both agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f as f_distribution
from scipy.stats import t

import pymlm as mlm
from pymlm.errors import NotSupportedError
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.tolerances import ARITHMETIC


@pytest.fixture(scope="module")
def bdf():
    data = mlm.load_dataset("nlme::bdf")

    def scale(x):
        return (x - x.mean()) / x.std()

    return pd.DataFrame(
        {"gpa": scale(data["langPOST"]), "ses": scale(data["ses"]), "sex": data["sex"],
         "clubs": scale(data["schoolSES"]), "denom": data["denomina"], "schoolnr": data["schoolNR"]}
    )  # fmt: skip


def df_of(model):
    table = model.summary(ddf="between-within").fixed
    return dict(zip(table.term, table.df, strict=True))


def test_the_lecture_s_two_levels(bdf):
    """SAS gives 129, 2155, 129: 131 schools less 2 level-2 effects; 2287 - 131 - 1 within."""
    model = mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", bdf, reml=False)
    assert df_of(model) == {"(Intercept)": 129, "ses": 2155, "clubs": 129}


def test_a_random_slope_keeps_level_1_df(bdf):
    """Lecture S4: level-1 effects with random slopes still get level-1 DDF; ses:clubs varies."""
    model = mlm.lmer("gpa ~ ses * clubs + (1 + ses | schoolnr)", bdf, reml=False)
    assert df_of(model) == {"(Intercept)": 129, "ses": 2154, "clubs": 129, "ses:clubs": 2154}


def test_effects_with_several_columns_stay_together(bdf):
    """denom has 4 levels and is a school's: 131 - 1 - 3 - 1; sex varies within schools."""
    model = mlm.lmer("gpa ~ sex + denom + clubs + (1 | schoolnr)", bdf)
    between = 131 - 1 - (bdf.denom.nunique() - 1) - 1
    rank = 1 + 1 + (bdf.denom.nunique() - 1) + 1
    df = df_of(model)
    assert df["clubs"] == df["(Intercept)"] == between
    assert {v for k, v in df.items() if k.startswith("denom")} == {between}
    within = 2287 - rank - between
    assert {v for k, v in df.items() if k.startswith("sex")} == {within}
    anova = model.anova(ddf="between-within")
    assert anova.den_df.tolist() == [within, between, between]
    by_hand = f_distribution.sf(anova.statistic, anova.num_df, anova.den_df)
    assert_close(anova.p_value, by_hand, ARITHMETIC)


def test_against_nlme_where_the_rules_agree(bdf):
    """nlme's inner-outer rule differs in the intercept alone (2155 where SAS has 129)."""
    theirs = native(
        """
library(nlme)
d <- nlme::bdf
d <- data.frame(gpa = d$langPOST, ses = d$ses, clubs = d$schoolSES, g = d$schoolNR, sex = d$sex)
m <- nlme::lme(gpa ~ ses + clubs + sex, data = d, random = ~ 1 | g, method = "ML")
emit(list(df = summary(m)$tTable[, "DF"]))"""
    )["df"]
    ours = df_of(mlm.lmer("gpa ~ ses + clubs + sex + (1 | schoolnr)", bdf, reml=False))
    within_names = {"ses": "ses", "clubs": "clubs"}
    for name, other in within_names.items():
        assert ours[name] == theirs[other]


def test_statistics_are_the_wald_ones(bdf):
    model = mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", bdf)
    table = model.summary(ddf="between-within").fixed
    plain = model.summary(ddf=None).fixed
    assert_close(table.statistic, plain.statistic)
    assert_close(table.p_value, 2 * t.sf(np.abs(table.statistic), table.df), ARITHMETIC)
    one = model.contest("clubs - ses", ddf="between-within")
    assert one.df.tolist() == [129]  # the smallest of the coefficients involved
    assert one.statistic_name == "t"


def test_changes_in_one_group_are_enough():
    """A column that is constant in all groups but one is a within-group effect."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(10), 5)
    data = pd.DataFrame({"g": pd.Categorical(g.astype(str)), "z": (g % 3).astype(float)})
    data["y"] = rng.normal(size=50) + rng.normal(size=10)[g]
    constant = mlm.lmer("y ~ z + (1 | g)", data)
    assert df_of(constant) == {"(Intercept)": 8, "z": 8}
    data.loc[0, "z"] = 5.0
    assert df_of(mlm.lmer("y ~ z + (1 | g)", data)) == {"(Intercept)": 9, "z": 50 - 2 - 9}


def test_large_constants_are_constant():
    """1e6 + group number, in binary fractions, does not vary within groups by rounding."""
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(12), 7)
    data = pd.DataFrame({"g": pd.Categorical(g.astype(str)), "z": 1e6 / 3 + g * 0.1})
    data["y"] = rng.normal(size=84) + rng.normal(size=12)[g]
    assert df_of(mlm.lmer("y ~ scale(z) + (1 | g)", data)) == {"(Intercept)": 10, "scale(z)": 10}


def test_nested_factors_count_the_outermost():
    """SAS processes by the subject that holds all others: batches of Pastes."""
    data = mlm.load_dataset("Pastes")
    data["x"] = np.arange(len(data)) % 7
    model = mlm.lmer("strength ~ x + (1 | batch/cask)", data)
    assert df_of(model) == {"(Intercept)": 9, "x": 60 - 2 - 9}


def test_no_intercept(sleepstudy):
    centred = sleepstudy.assign(Reaction=sleepstudy.Reaction - 250)
    model = mlm.lmer("Reaction ~ 0 + Days + (Days | Subject)", centred)
    assert df_of(model) == {"Days": 180 - 1 - 18}


def test_crossed_factors_have_no_such_df():
    model = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))
    with pytest.raises(NotSupportedError, match="plate, sample are crossed"):
        model.summary(ddf="between-within")
    glmer = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp"),
        family="binomial",
    )  # fmt: skip
    with pytest.raises(NotSupportedError, match="linear"):
        glmer.anova(ddf="between-within")
