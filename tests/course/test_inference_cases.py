"""Tests, intervals and comparisons that lectures and papers printed, at their printed precision."""

from __future__ import annotations

import json
import math
import re
import warnings

import pandas as pd
import pytest

import pymlm as mlm
from tests.native import has_structures
from tests.tolerances import FIVE_DIGITS, FLAT_CRITERION, OTHER_OPTIMIZER, REOPTIMIZED, SEVEN_DIGITS


class Case:
    """One case of the course: its model, and what was printed beside the model."""

    def __init__(self, folder, entry):
        self.entry = entry
        data = pd.read_csv(folder / entry["data"])
        for column, levels in (entry.get("factors") or {}).items():
            if levels == "any":
                data[column] = data[column].astype("category")
            else:
                text = data[column].map(
                    lambda v: str(int(v)) if isinstance(v, float) and v.is_integer() else str(v)
                )
                known = text.where(text.isin(levels))  # an empty cell is no level
                data[column] = pd.Categorical(known, categories=levels)
        self.data = data
        self.model = self.fit(entry["formula"])

    def fit(self, formula):
        control = {"optimizer": "bobyqa"} if self.entry.get("control") else None
        with warnings.catch_warnings():  # several printed fits are singular
            warnings.simplefilter("ignore")
            return mlm.lmer(formula, self.data, reml=bool(self.entry["REML"]), control=control)

    def printed(self, kind):
        return next(e["printed"] for e in self.entry["extras"] if e["kind"] == kind)


@pytest.fixture(scope="module")
def case(course):
    entries = {c["id"]: c for c in json.loads((course / "cases.json").read_text())}
    made = {}

    def get(name):
        if name not in made:
            made[name] = Case(course, entries[name])
        return made[name]

    return get


def check(printed, loose=0.0, **got):
    """Half a unit of the last printed digit; `loose` where the case notes another optimum."""
    assert set(got) <= set(printed), set(got) - set(printed)
    for name, value in got.items():
        text = printed[name].strip()
        match = re.match(r"^[+-]?\d*(?:\.(\d*))?(?:[eE]([+-]?\d+))?$", text)
        unit = 10.0 ** (int(match[2] or 0) - len(match[1] or ""))
        allowed = max(0.501 * unit, loose * abs(float(text)))
        assert math.isclose(value, float(text), rel_tol=0, abs_tol=allowed), (name, value, text)


#: Course fits that the printing program had not brought to lme4's optimum.
OTHER_OPTIMUM = 6e-3
#: The paper's log-likelihood -1870.7 is -1870.645 here: one in its last digit.
LAST_DIGIT = 3e-5
#: Stata's optimum of the slope model differs from nloptwrap's in the fourth digit (checklist E2).
STATA = 6e-4


def test_stata_s_table_of_the_intercept_model(case):
    c = case("rosche_ri_ml")
    z = c.model.summary(ddf="asymptotic").fixed.to_frame()
    v = c.model.varcorr_se().to_frame()
    check(
        c.printed("stata_mixed_mle"), SEVEN_DIGITS,
        ses=z.estimate["ses"], ses_se=z.std_error["ses"], clubs=z.estimate["clubs"],
        clubs_se=z.std_error["clubs"], cons=z.estimate.iloc[0], cons_se=z.std_error.iloc[0],
        z_ses=z.statistic["ses"], z_clubs=z.statistic["clubs"], z_cons=z.statistic.iloc[0],
        p_clubs=z.p_value["clubs"], p_cons=z.p_value.iloc[0], var_cons=v.vcov[0],
        var_resid=v.vcov[1],
    )  # fmt: skip
    # lecture S0, the variance rows of the same table
    stata = {"se": ".029573", "low": ".1353833", "high": ".25321", "res_se": ".0214484",
             "res_low": ".6622435", "res_high": ".7463696"}  # fmt: skip
    check(
        stata, SEVEN_DIGITS, se=v.std_error[0], low=v.conf_low[0], high=v.conf_high[0],
        res_se=v.std_error[1], res_low=v.conf_low[1], res_high=v.conf_high[1],
    )  # fmt: skip


def test_stata_s_intervals(case):
    c = case("rosche_ri_ml")
    ci = c.model.confint().to_frame()
    check(
        c.printed("wald_ci95"), SEVEN_DIGITS,
        ses_lo=ci.conf_low["ses"], ses_hi=ci.conf_high["ses"], clubs_lo=ci.conf_low["clubs"],
        clubs_hi=ci.conf_high["clubs"], cons_lo=ci.conf_low.iloc[0], cons_hi=ci.conf_high.iloc[0],
    )  # fmt: skip


def test_stata_s_test_against_the_linear_model(case):
    c = case("rosche_ri_ml")
    small = mlm.lm("gpa ~ ses + clubs", c.data)
    test = mlm.lrt(small, c.model)
    check(c.printed("lr_test_vs_lm"), chibar2=test.chisq[1])
    assert test.p_value_boundary[1] == test.p_value[1] / 2


def test_stata_s_table_of_the_slope_model(case):
    c = case("rosche_rs_ml")
    z = c.model.summary(ddf="asymptotic").fixed.to_frame()
    v = c.model.varcorr_se().to_frame()
    check(
        c.printed("stata_mixed_mle"), STATA,
        ses=z.estimate["ses"], ses_se=z.std_error["ses"], inter=z.estimate["ses:clubs"],
        inter_se=z.std_error["ses:clubs"], z_inter=z.statistic["ses:clubs"],
        p_inter=z.p_value["ses:clubs"], var_cons=v.vcov[0], var_ses=v.vcov[1], cov=v.vcov[2],
        var_resid=v.vcov[3],
    )  # fmt: skip
    # the checklist's A4-G2: standard errors in Stata's table, by lmerTest's Hessian in R
    check(
        {"a": ".0277872", "b": ".0067279", "c": ".0106459", "d": ".0216297"}, OTHER_OPTIMIZER,
        a=v.std_error[0], b=v.std_error[1], c=v.std_error[2], d=v.std_error[3],
    )  # fmt: skip


def test_mixture_of_the_slope_s_test(case):
    """Checklist row 66: LR 8.805 with 2 df, p .01225; by the mixture .00763."""
    c = case("rosche_ri_ml")
    test = mlm.lrt(c.model, c.fit("gpa ~ ses + clubs + (1 + ses | schoolnr)"))
    printed = {"chisq": "8.805", "p": ".01225", "mixture": ".00763"}
    check(printed, chisq=test.chisq[1], p=test.p_value[1], mixture=test.p_value_boundary[1])


RANOVA = {
    "hoffman_empty": 0,
    "hoffman_randslope": 0,
    "popular2_m3": OTHER_OPTIMUM,
    "polite_ri_subject": 0,
    "polite_ri_crossed": 0,
    "polite_rslopes": OTHER_OPTIMUM,
    "lmertest_jss_carrots": LAST_DIGIT,
}


def ranova_values(name, r):
    """What the case printed, by the names that it has for them."""
    ll, aic, lrt, df, p = r.loglik, r.aic, r.lrt, r.df, r.p_value
    match name:
        case "hoffman_empty":
            return {"logLik_full": ll[0], "logLik_red": ll[1], "AIC_full": aic[0],
                    "AIC_red": aic[1], "LRT": lrt[1], "df": df[1]}  # fmt: skip
        case "hoffman_randslope":
            return {"logLik_full": ll[0], "logLik_red": ll[1], "AIC_full": aic[0],
                    "AIC_red": aic[1], "LRT": lrt[1], "df": df[1], "p": p[1],
                    "npar_full": r.npar[0], "npar_red": r.npar[1]}  # fmt: skip
        case "popular2_m3":
            return {"ll0": ll[0], "ll_sex": ll[1], "ll_extrav": ll[2], "AIC0": aic[0],
                    "AIC_sex": aic[1], "AIC_extrav": aic[2], "LRT_extrav": lrt[2],
                    "df_sex": df[1], "df_extrav": df[2]}  # fmt: skip
        case "polite_ri_subject":
            return {"ll0": ll[0], "ll1": ll[1], "AIC0": aic[0], "AIC1": aic[1], "LRT": lrt[1]}
        case "polite_ri_crossed":
            at = {t: i for i, t in enumerate(r.term)}
            subject, scenario = at["(1 | subject)"], at["(1 | scenario)"]
            return {"ll0": ll[0], "ll_subj": ll[subject], "ll_scen": ll[scenario],
                    "LRT_subj": lrt[subject], "LRT_scen": lrt[scenario],
                    "p_scen": p[scenario]}  # fmt: skip
        case "polite_rslopes":
            at = {t: i for i, t in enumerate(r.term)}
            subject = at["attitude in (attitude | subject)"]
            scenario = at["attitude in (attitude | scenario)"]
            return {"ll0": ll[0], "AIC0": aic[0], "LRT_subj": lrt[subject],
                    "p_subj": p[subject], "p_scen": p[scenario]}  # fmt: skip
        case "lmertest_jss_carrots":
            return {"ll0": ll[0], "ll_s1": ll[1], "ll_s2": ll[2], "ll_prod": ll[3], "AIC0": aic[0],
                    "LRT_s1": lrt[1], "LRT_s2": lrt[2], "LRT_prod": lrt[3], "p_s1": p[1],
                    "p_s2": p[2], "p_prod": p[3]}  # fmt: skip
    raise AssertionError(name)


@pytest.mark.parametrize("name", RANOVA)
def test_ranova(case, name):
    c = case(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = c.model.ranova()
    check(c.printed("ranova"), RANOVA[name], **ranova_values(name, r))


@pytest.mark.parametrize(
    ("name", "text"),
    [("hoffman_context", "frlunch + SMfrlunch30 = 0"),
     ("hoffman_cmc", "SMfrlunch30 - WSfrlunch = 0")],
)  # fmt: skip
def test_hypotheses_as_arrays_and_as_text(case, name, text):
    c = case(name)
    extra = next(e for e in c.entry["extras"] if e["kind"] == "contest1D")
    for L in (extra["L"], text):
        k = c.model.contest(L)
        check(
            extra["printed"], REOPTIMIZED, estimate=k.estimate[0], se=k.std_error[0], df=k.df[0],
            t=k.statistic[0],
        )  # fmt: skip
        check(extra["printed"], FLAT_CRITERION, p=k.p_value[0])


def test_type_3_anova_of_politeness(case):
    c = case("polite_ri_subject")
    a = c.model.anova()
    check(
        c.printed("anova_type3_satterthwaite"), SS=a.sum_sq[0], MS=a.mean_sq[0], num=a.num_df[0],
        den=a.den_df[0], F=a.statistic[0], p=a.p_value[0],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "type", "ddf"),
    [("anova_type3_satterthwaite", 3, "Satterthwaite"),
     ("anova_type2_kenward_roger", 2, "Kenward-Roger")],
)  # fmt: skip
def test_anova_of_the_lmertest_paper(case, kind, type, ddf):
    c = case("lmertest_jss_tvbo")
    a = c.model.anova(type, ddf=ddf)
    values = {}
    for i, name in enumerate(("TVset", "Picture", "int")):
        values |= {f"F_{name}": a.statistic[i], f"den_{name}": a.den_df[i],
                   f"SS_{name}": a.sum_sq[i], f"p_{name}": a.p_value[i]}  # fmt: skip
    check(c.printed(kind), **values)


def test_sequential_anova_of_the_lme4_paper(case):
    a = case("lme4_jss_fm4").model.anova(ddf=None)
    check(
        case("lme4_jss_fm4").printed("anova_sequential"), SS1=a.sum_sq[0], SS2=a.sum_sq[1],
        F1=a.statistic[0], F2=a.statistic[1],
    )  # fmt: skip


def test_profile_intervals(case):
    c = case("barr_sleep2")
    ci = c.model.confint("profile").to_frame()
    # lme4 1.1, which printed these, numbers sd, cor, sd; lme4 2 numbers sd, sd, cor.
    intercept, slope = (name for name in ci.index if name.startswith("sd_"))
    (correlation,) = (name for name in ci.index if name.startswith("cor_"))
    names = {intercept: ".sig01", correlation: ".sig02", slope: ".sig03"}
    values = {}
    for name, row in ci.iterrows():
        printed = names.get(name, ".sigma" if name == "sigma" else name)
        values |= {f"{printed}_lo": row["conf_low"], f"{printed}_hi": row["conf_high"]}
    loose = FLAT_CRITERION if has_structures() else FIVE_DIGITS  # lme4 2 profiles on another grid
    check(c.printed("confint_profile"), loose, **values)


def test_profile_interval_of_a_correlation(case):
    ci = case("lme4_jss_fm1").model.confint("profile", parm="cor_Days.(Intercept)|Subject")
    check(
        case("lme4_jss_fm1").printed("confint_profile_corr"), lo=ci.conf_low[0], hi=ci.conf_high[0]
    )


@pytest.mark.parametrize(
    ("name", "small", "loose"),
    [("polite_rslopes", "frequency ~ attitude + (1 | subject) + (attitude | scenario)",
      OTHER_OPTIMUM),
     ("mlmrev_exam_em4", "normexam ~ standLRT + sex + type + (1 | school)", 0)],
)  # fmt: skip
def test_anova_refits_by_ml(case, name, small, loose):
    c = case(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a = mlm.anova(c.fit(small), c.model)
    assert a.refitted
    check(
        c.printed("anova_refit_ml"), loose, chisq=a.chisq[1], df=a.df[1], p=a.p_value[1],
        AIC_small=a.aic[0], AIC_big=a.aic[1], BIC_small=a.bic[0], BIC_big=a.bic[1],
        ll_small=a.loglik[0], ll_big=a.loglik[1],
    )  # fmt: skip


def test_anova_of_three_models_of_the_lme4_paper(case):
    c = case("lme4_jss_fm1")
    a = mlm.anova(
        c.model, c.fit("Reaction ~ Days + (Days || Subject)"),
        c.fit("Reaction ~ Days + (1 | Subject)"),
    )  # fmt: skip
    check(
        c.printed("anova_refit_ml"), AIC3=a.aic[0], AIC2=a.aic[1], AIC1=a.aic[2], BIC3=a.bic[0],
        BIC2=a.bic[1], BIC1=a.bic[2], chisq2=a.chisq[1], chisq1=a.chisq[2], p2=a.p_value[1],
        p1=a.p_value[2],
    )  # fmt: skip
