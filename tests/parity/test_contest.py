"""Linear hypotheses, least-squares means and backward elimination against native R."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.parity.inference_models import FLAT, fitted, r_fits, row_names
from tests.tolerances import ARITHMETIC

T_COLUMNS = {
    "estimate": "Estimate", "std_error": "Std. Error", "df": "df", "statistic": "t value",
    "conf_low": "lower", "conf_high": "upper", "p_value": "Pr(>|t|)",
}  # fmt: skip
F_COLUMNS = {
    "sum_sq": "Sum Sq", "mean_sq": "Mean Sq", "num_df": "NumDF", "den_df": "DenDF",
    "statistic": "F value", "p_value": "Pr(>F)",
}  # fmt: skip
NAMES = ["sleepstudy", "sleepstudy ML", "cake", "ham", "TVbo", "Machines", "carrots"]
#: A p-value of 1e-60 magnifies the last digit of its F a hundredfold.
P_VALUE = 1e-9


@pytest.fixture(scope="module")
def reference():
    return native(
        r_fits(NAMES)
        + """
fits <- lapply(fits, function(m) suppressWarnings(as_lmerModLmerTest(m)))
both <- function(f) lapply(c(S = "Satterthwaite", K = "Kenward-Roger"), f)
table <- function(a) list(table = as.data.frame(a), print = lines_of(a))
s <- fits[["sleepstudy"]]; M <- fits[["Machines"]]; C <- fits[["cake"]]
LM <- rbind(c(0, 1, 0), c(0, -1, 1))
emit(list(
  one = both(function(d) table(contest(s, c(0, 1), joint = FALSE, rhs = 10, ddf = d))),
  rows = both(function(d) table(contest(M, LM, joint = FALSE, ddf = d, level = 0.9))),
  joint = both(function(d) table(contest(M, LM, ddf = d))),
  joint_rhs = both(function(d) table(contest(M, LM, rhs = c(5, 3), ddf = d))),
  deficient = table(contest(M, rbind(LM, c(0, 0, 1)))),
  ls = both(function(d) table(ls_means(C, ddf = d))),
  ls_pairs = table(ls_means(fits[["ham"]], which = "Product", pairwise = TRUE)),
  ls_tv = table(ls_means(fits[["TVbo"]], which = c("TVset", "Picture"), level = 0.8)),
  step = lapply(fits[c("cake", "ham", "TVbo", "carrots", "sleepstudy ML")], function(m) {
    r <- step(m)
    list(print = lines_of(r), random = as.data.frame(r$random), fixed = as.data.frame(r$fixed),
         formula = paste(deparse(formula(get_model(r)), width.cutoff = 500L), collapse = " "),
         fixef = fixef(get_model(r)))
  }),
  step_kr = lines_of(step(C, ddf = "Kenward-Roger", alpha.fixed = 0.5, keep = "recipe")),
  step_held = lines_of(step(fits[["TVbo"]], reduce.random = FALSE, reduce.fixed = FALSE))
))"""
    )


@pytest.fixture(scope="module")
def models():
    return {name: fitted(name) for name in NAMES}


def same(ours, theirs, columns, name=""):
    table = theirs["table"]
    assert list(ours.term) == row_names(table)
    for field, column in columns.items():
        tolerance = FLAT.get(name, P_VALUE if field == "p_value" else ROUND_TRIP)
        assert_close(getattr(ours, field), table[column], tolerance, field)
    assert str(ours) == theirs["print"]


DDF = {"S": "Satterthwaite", "K": "Kenward-Roger"}
LM = [[0, 1, 0], [0, -1, 1]]


@pytest.mark.parametrize("ddf", "SK")
def test_one_row_with_a_right_hand_side(models, reference, ddf):
    ours = models["sleepstudy"].contest([0, 1], rhs=10, ddf=DDF[ddf])
    same(ours, reference["one"][ddf], T_COLUMNS)


@pytest.mark.parametrize("ddf", "SK")
def test_rows_one_by_one(models, reference, ddf):
    ours = models["Machines"].contest(np.array(LM), ddf=DDF[ddf], level=0.9)
    same(ours, reference["rows"][ddf], T_COLUMNS)


@pytest.mark.parametrize("ddf", "SK")
def test_joint(models, reference, ddf):
    same(
        models["Machines"].contest(LM, joint=True, ddf=DDF[ddf]), reference["joint"][ddf], F_COLUMNS
    )


@pytest.mark.parametrize("ddf", "SK")
def test_joint_with_right_hand_sides(models, reference, ddf):
    ours = models["Machines"].contest(LM, joint=True, rhs=[5, 3], ddf=DDF[ddf])
    same(ours, reference["joint_rhs"][ddf], F_COLUMNS)


def test_joint_with_a_redundant_row(models, reference):
    ours = models["Machines"].contest([*LM, [0, 0, 1]], joint=True)
    same(ours, reference["deficient"], F_COLUMNS)


TEXTS = {
    "MachineC - MachineB = 0": ([0, -1, 1], 0),
    "MachineB": ([0, 1, 0], 0),
    "2*MachineB + MachineC / 4 = 3": ([0, 2, 0.25], 3),
    "(Intercept) + 1.5e1 = -(MachineB - 2 * (MachineC + 1))": ([1, 1, -2], -13),
    "`(Intercept)` = `MachineB`": ([1, -1, 0], 0),
    "10 = MachineC": ([0, 0, -1], -10),
    "MachineC == 10": ([0, 0, 1], 10),
    "-MachineB-MachineC": ([0, -1, -1], 0),
}


@pytest.mark.parametrize("text", TEXTS)
def test_text_means_what_it_says(models, text):
    row, rhs = TEXTS[text]
    asked = models["Machines"].contest(text)
    assert asked.hypotheses.tolist() == [row]
    assert asked.rhs.tolist() == [rhs]
    by_array = models["Machines"].contest(row, rhs=rhs)
    for field in T_COLUMNS:
        assert getattr(asked, field) == getattr(by_array, field)
    assert asked.term == (text,)


def test_names_that_hold_operators():
    data = mlm.load_dataset("cake").assign(**{"my temp": lambda d: (d.temp - 200) / 20})
    model = mlm.lmer(
        "angle ~ recipe * `my temp` + I(`my temp`^2) + poly(temp, 4)[, 3:4] + (1|recipe:replicate)",
        data,
    )  # fmt: skip
    terms = list(model.fixef().index)
    assert "recipeB:`my temp`" in terms
    for i, term in enumerate(terms):
        row = np.zeros(len(terms))
        row[i] = 2.0
        assert model.contest(f"2 * {term} = 1").hypotheses[0].tolist() == row.tolist(), term
        other = terms[(i + 1) % len(terms)]
        row[(i + 1) % len(terms)] = -1
        asked = model.contest(f"2*{term}-{other}")
        assert asked.hypotheses[0].tolist() == row.tolist(), term


def test_hypotheses_may_be_named(models):
    asked = models["Machines"].contest({"C against B": "MachineC - MachineB", "B": "MachineB = 5"})
    assert asked.term == ("C against B", "B")
    assert asked.rhs.tolist() == [0, 5]


BAD = {
    "MachinC = 0": "Did you mean 'MachineC'",
    "Intercept": r"Did you mean '\(Intercept\)'",
    "MachineB * MachineC": "not linear",
    "1 / MachineB": "not linear",
    "MachineB / 0": "zero",
    "MachineB = 1 = 2": "one '='",
    "MachineB +": "cannot read",
    "": "one '='",
    "3 = 3": "no coefficient",
    "MachineB - MachineB": "cancel",
    "exp(MachineB)": "no coefficient",
    "system('true')": "no coefficient",
    "MachineBC": "Did you mean",
    "MachineB; MachineC": "cannot read",
    "2(MachineB)": r"'2\(MachineB\)' is no coefficient",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_text(models, text):
    with pytest.raises(ArgumentError, match=BAD[text]):
        models["Machines"].contest(text)
    assert models["Machines"].contest("MachineB").term == ("MachineB",)


@pytest.mark.parametrize(
    ("L", "why"),
    [([1, 2], "3 columns"), ([[1, 2, 3, 4]], "3 columns"), ([0, 0, 0], "zeros"),
     ([0, np.nan, 1], "missing"), ([[["a"]]], "numbers"), ({"a": 3}, "text"),
     (np.empty((0, 3)), "3")],
)  # fmt: skip
def test_bad_arrays(models, L, why):
    with pytest.raises(ArgumentError, match=why):
        models["Machines"].contest(L)


def test_labels_of_an_array_are_heeded(models):
    m = models["sleepstudy"]
    backwards = pd.Series({"Days": 1.0, "(Intercept)": 0.0})
    assert_close(m.contest(backwards).estimate, m.contest("Days").estimate)
    table = m.contest(pd.DataFrame({"Days": [1, 2], "(Intercept)": [0, 1]}))
    assert_close(table.hypotheses, [[0, 1], [1, 2]])
    with pytest.raises(ArgumentError, match="'Day' is none"):
        m.contest(pd.Series({"Day": 1.0, "(Intercept)": 0.0}))


def test_bad_right_hand_sides(models):
    m = models["Machines"]
    with pytest.raises(ArgumentError, match="right-hand side of its own"):
        m.contest("MachineB = 1", rhs=2)
    with pytest.raises(ArgumentError, match="2 of them"):
        m.contest(LM, rhs=[1, 2, 3])
    with pytest.raises(ArgumentError, match="asymptotic"):
        m.contest("MachineB", ddf=None)


def test_asymptotic_and_between_within(models):
    from scipy.stats import chi2, norm, t

    m = models["sleepstudy"]
    z = m.contest("Days = 10", ddf="asymptotic")
    bw = m.contest("Days = 10", ddf="between-within")
    se = np.sqrt(m.vcov().loc["Days", "Days"])
    stat = (m.fixef()["Days"] - 10) / se
    assert_close(z.statistic, stat)
    assert_close(z.p_value, 2 * norm.sf(abs(stat)), ARITHMETIC)
    assert_close(z.conf_high, m.fixef()["Days"] + norm.ppf(0.975) * se)
    assert z.statistic_name == "z"
    assert bw.df.tolist() == [161]
    assert_close(bw.p_value, 2 * t.sf(abs(stat), 161), ARITHMETIC)
    joint = m.contest(["Days = 10"], joint=True, ddf="asymptotic")
    assert_close(joint.p_value, chi2.sf(stat**2, 1), ARITHMETIC)


# --- least-squares means, step --------------------------------------------------------------------


@pytest.mark.parametrize("ddf", "SK")
def test_ls_means(models, reference, ddf):
    same(models["cake"].ls_means(ddf=DDF[ddf]), reference["ls"][ddf], T_COLUMNS)


def test_differences_of_ls_means(models, reference):
    ours = models["ham"].ls_means("Product", pairwise=True)
    same(ours, reference["ls_pairs"], T_COLUMNS)
    assert set(ours.factor) == {"Product"}


def test_ls_means_of_some_factors(models, reference):
    ours = models["TVbo"].ls_means(["TVset", "Picture"], level=0.8)
    same(ours, reference["ls_tv"], T_COLUMNS, "TVbo")
    assert len(ours.of("Picture")) == 4


def test_ls_means_refusals(models):
    data = mlm.load_dataset("sleepstudy").assign(part=["a", "b"] * 90)
    curved = mlm.lmer("Reaction ~ poly(Days, 2) + (1 | Subject)", data)
    with pytest.raises(NotSupportedError, match="this model has none"):
        curved.ls_means()
    with pytest.raises(NotSupportedError, match="inside a function"):
        curved.update(". ~ . + part").ls_means()
    with pytest.raises(NotSupportedError, match="categorical"):
        models["sleepstudy"].ls_means()
    with pytest.raises(ArgumentError, match="recipe"):
        models["cake"].ls_means("recip")


@pytest.mark.parametrize("name", ["cake", "ham", "TVbo", "carrots", "sleepstudy ML"])
def test_step(models, reference, name):
    ours, theirs = models[name].step(), reference["step"][name]
    assert str(ours) == theirs["print"]
    assert ours.formula == theirs["formula"]
    random, fixed = theirs["random"], theirs["fixed"]
    assert list(ours.random.term) == row_names(random)
    exact = FLAT.get(name, ROUND_TRIP)
    assert_close(ours.random.lrt, np.array(random["LRT"], float), exact)
    assert_close(ours.random.eliminated, np.array(random["Eliminated"], float))
    assert_close(ours.fixed.statistic, fixed["F value"], exact)
    assert_close(ours.fixed.eliminated, fixed["Eliminated"])
    assert_close(ours.fixed.p_value, fixed["Pr(>F)"], max(exact, P_VALUE))
    assert ours.model.formula == theirs["formula"]
    assert_close(ours.model.fixef().to_numpy(), list(theirs["fixef"].values()), exact)
    # ... and the final model is one that goes on: its call is as a person would have typed it
    assert len(str(ours.model)) < 2500
    stayed = [t for t, e in zip(ours.fixed.term, ours.fixed.eliminated, strict=True) if not e]
    assert list(ours.model.drop1().term) == stayed


def test_step_with_kenward_roger_and_terms_to_keep(models, reference):
    ours = models["cake"].step(ddf="Kenward-Roger", alpha_fixed=0.5, keep="recipe")
    assert str(ours) == reference["step_kr"]


def test_step_that_changes_nothing(models, reference):
    ours = models["TVbo"].step(reduce_random=False, reduce_fixed=False)
    assert str(ours) == reference["step_held"]
    assert ours.model.formula == models["TVbo"].formula


def test_step_down_to_an_lm():
    with pytest.warns(mlm.errors.SingularFitWarning):
        model = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff2"))
    steps = model.step()
    assert steps.formula == "Yield ~ 1"
    assert type(steps.model).__name__ == "LinearModel"
    assert steps.random.eliminated[1] == 1
    assert "printed" in steps.to_dict()


def test_step_with_a_name_that_needs_backticks():
    """lmerTest pastes the formula, and loses the backticks of a fixed part that is one name."""
    data = mlm.load_dataset("sleepstudy")
    odd = mlm.lmer("Reaction ~ `日 数` + (1 | Subject)", data.rename(columns={"Days": "日 数"}))
    plain = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    assert odd.ranova().lrt[1] == plain.ranova().lrt[1]
    assert odd.step().fixed.statistic[0] == plain.step().fixed.statistic[0]
    assert odd.step().formula == "Reaction ~ 1 + `日 数` + (1 | Subject)"


def test_step_goes_on_with_an_lm():
    theirs = native("""
m <- suppressMessages(lmer(Yield ~ x + (1 | Batch), transform(Dyestuff2, x = 1:30)))
f <- step(m)$fixed
emit(list(ss = f[["Sum of Sq"]], F = f[["F value"]], p = f[["Pr(>F)"]]))""")
    data = mlm.load_dataset("Dyestuff2").assign(x=range(1, 31))
    with pytest.warns(mlm.errors.SingularFitWarning):
        model = mlm.lmer("Yield ~ x + (1 | Batch)", data)
    ours = model.step().fixed
    assert_close(ours.sum_sq, theirs["ss"], P_VALUE)
    assert_close(ours.mean_sq, theirs["ss"], P_VALUE)
    assert_close(ours.statistic, theirs["F"], P_VALUE)


def test_step_refuses_unknown_terms(models):
    with pytest.raises(ArgumentError, match="'recipe'"):
        models["cake"].step(keep="recip")
    with pytest.raises(ArgumentError, match="ddf"):
        models["cake"].step(ddf="asymptotic")
