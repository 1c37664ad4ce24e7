"""anova and drop1 of fixed effects against native R, over all types and methods."""

from __future__ import annotations

import numpy as np
import pytest

import pymlm as mlm
from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.parity.inference_models import (
    FLAT,
    MODELS,
    WITH_KR,
    WITH_TERMS,
    fitted,
    r_fits,
    row_names,
)
from tests.tolerances import ARITHMETIC

R_COLUMNS = {
    "sum_sq": "Sum Sq", "mean_sq": "Mean Sq", "num_df": "NumDF", "den_df": "DenDF",
    "statistic": "F value", "p_value": "Pr(>F)",
}  # fmt: skip
#: A p-value of 1e-60 magnifies the last digit of its F a hundredfold.
P_VALUE = 1e-9


@pytest.fixture(scope="module")
def reference():
    return native(
        r_fits(list(MODELS))
        + f"""
kr <- c({", ".join(repr(n) for n in WITH_KR)})
emit(lapply(stats::setNames(names(fits), names(fits)), function(n) {{
  m <- suppressWarnings(as_lmerModLmerTest(fits[[n]]))
  has_terms <- length(attr(terms(m), "term.labels")) > 0
  table <- function(a) list(table = as.data.frame(a), print = lines_of(a))
  list(
    I = table(anova(m, type = 1)), II = table(anova(m, type = 2)), III = table(anova(m, type = 3)),
    kr = if (n %in% kr) lapply(c(I = 1, II = 2, III = 3), function(k)
      table(anova(m, type = k, ddf = "Kenward-Roger"))),
    lme4 = table(anova(fits[[n]])),
    drop1 = if (has_terms) table(drop1(m)),
    drop1_kr = if (has_terms && n %in% kr) table(drop1(m, ddf = "Kenward-Roger")),
    drop1_lme4 = if (n %in% c("sleepstudy", "sleepstudy ML", "cake"))
      table(drop1(fits[[n]], test = "Chisq"))
  )
}}))"""
    )


@pytest.fixture(scope="module")
def models():
    return {name: fitted(name) for name in MODELS}


def same_table(ours, theirs, columns=R_COLUMNS, name=""):
    assert list(ours.term) == row_names(theirs["table"])
    for field, column in columns.items():
        tolerance = FLAT.get(name, P_VALUE if field == "p_value" else ROUND_TRIP)
        assert_close(getattr(ours, field), theirs["table"][column], tolerance, field)


@pytest.mark.parametrize("type", ["I", "II", "III"])
@pytest.mark.parametrize("name", WITH_TERMS)
def test_satterthwaite(models, reference, name, type):
    ours = models[name].anova(type)
    same_table(ours, reference[name][type], name=name)
    assert str(ours) == reference[name][type]["print"]


@pytest.mark.parametrize("type", ["I", "II", "III"])
@pytest.mark.parametrize("name", [n for n in WITH_KR if n in WITH_TERMS])
def test_kenward_roger(models, reference, name, type):
    ours = models[name].anova(type, ddf="kenward-roger")
    same_table(ours, reference[name]["kr"][type], name=name)
    assert str(ours) == reference[name]["kr"][type]["print"]


@pytest.mark.parametrize("name", WITH_TERMS)
def test_lme4_s_own_table(models, reference, name):
    ours = models[name].anova(ddf=None)
    theirs = reference[name]["lme4"]
    same_table(
        ours, theirs,
        {"num_df": "npar", "sum_sq": "Sum Sq", "mean_sq": "Mean Sq", "statistic": "F value"},
        name,
    )  # fmt: skip
    assert ours.den_df is None
    assert ours.p_value is None
    assert str(ours) == theirs["print"]


@pytest.mark.parametrize("name", WITH_TERMS)
def test_drop1(models, reference, name):
    ours = models[name].drop1()
    same_table(ours, reference[name]["drop1"], name=name)
    assert str(ours) == reference[name]["drop1"]["print"]


@pytest.mark.parametrize("name", [n for n in WITH_KR if n in WITH_TERMS])
def test_drop1_kenward_roger(models, reference, name):
    ours = models[name].drop1(ddf="Kenward-Roger")
    same_table(ours, reference[name]["drop1_kr"], name=name)
    assert str(ours) == reference[name]["drop1_kr"]["print"]


@pytest.mark.parametrize("name", ["sleepstudy", "sleepstudy ML", "cake"])
def test_drop1_by_likelihood(models, reference, name):
    ours = models[name].drop1(ddf=None)
    theirs = reference[name]["drop1_lme4"]
    same_table(
        ours, theirs, {"num_df": "npar", "aic": "AIC", "statistic": "LRT", "p_value": "Pr(Chi)"}
    )
    assert ours.statistic_name == "chisq"
    assert str(ours) == theirs["print"]


@pytest.mark.parametrize("type", [1, 2, 3])
def test_asymptotic_is_satterthwaite_without_df(models, type):
    """The same contrasts and statistic; a chi-squared p-value: F × num_df on num_df."""
    from scipy.stats import chi2

    model = models["ham"]
    wald, satterthwaite = model.anova(type, ddf="asymptotic"), model.anova(type)
    assert_close(wald.statistic, satterthwaite.statistic * satterthwaite.num_df, ARITHMETIC)
    assert_close(wald.p_value, chi2.sf(wald.statistic, wald.num_df), ARITHMETIC)
    assert wald.statistic_name == "chisq"
    assert np.isinf(wald.den_df).all()


def test_a_model_without_terms_has_an_empty_table(models, reference):
    ours = models["Penicillin"].anova()
    assert len(ours.to_frame()) == 0
    assert str(ours) == reference["Penicillin"]["III"]["print"]
    with pytest.raises(NotSupportedError, match="no term to drop"):
        models["Penicillin"].drop1()


def test_kenward_roger_of_an_ml_fit_is_refused(models):
    for ask in (models["sleepstudy ML"].anova, models["sleepstudy ML"].drop1):
        with pytest.raises(NotSupportedError, match="reml=True"):
            ask(ddf="Kenward-Roger")
    assert len(models["sleepstudy ML"].anova().term) == 2


def test_kenward_roger_that_would_not_fit_is_refused(models):
    """Blocks of rows that random effects connect decide: nested factors make small ones."""
    crossed, nested = models["InstEval"], models["sleepstudy"]
    call("check_kenward_roger_memory", nested._handle, 1e7)
    with pytest.raises(NotSupportedError, match=r"GB.*1500 rows.*Satterthwaite"):
        call("check_kenward_roger_memory", crossed._handle, 1e7)
    bytes_nested = call("check_kenward_roger_memory", nested._handle, 1e12, into=float)
    # 18 groups of 10 rows, 3 variance parameters and sigma: 12 bytes x entries x matrices
    assert bytes_nested == 12 * 18 * 10**2 * (4 * 4 + 2)


def test_unknown_arguments(models):
    m = models["sleepstudy"]
    with pytest.raises(ArgumentError, match="1, 2, 3"):
        m.anova(type=4)
    with pytest.raises(ArgumentError, match="Satterthwaite"):
        m.anova(ddf="Satterthwait")
    with pytest.raises(ArgumentError, match="typ"):
        m.anova(typ=2)
    with pytest.raises(ArgumentError, match="'Days'"):
        m.drop1("Day")


def test_rows_that_come_back_with_a_term_s_leaving(sleepstudy):
    data = sleepstudy.assign(z=np.arange(180.0) % 7)
    data.loc[3, "z"] = np.nan
    for model in (
        mlm.lmer("Reaction ~ Days + z + (1 | Subject)", data),
        mlm.glmer("I(Reaction > 300) ~ Days + z + (1 | Subject)", data, n_agq=0),
    ):
        with pytest.raises(DataError, match="complete rows"):
            model.drop1(ddf=None)
