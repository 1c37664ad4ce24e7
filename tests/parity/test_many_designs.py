"""Many responses on one kept design: every number is that of lmer on the response alone."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, FormulaError, NotSupportedError
from tests.native import native
from tests.tolerances import ARITHMETIC, BY_HAND, FLAT_CRITERION, OTHER_OPTIMIZER, REOPTIMIZED

#: lme4's optimizer on the same numbers in the same process repeats bit for bit; another alignment
#: of memory may change the last digits of sums.
SAME_FIT = 1e-10
#: lmerTest differentiates numerically, the closed forms exactly.
LMERTEST_NUMERICS = 1e-5
#: Below any p-value that a double holds.
UNDERFLOW = 1e-300

RANDOM = {
    "intercepts": "x + (1 | g)",
    "slopes": "x + (x | g)",
    "uncorrelated": "x + (x || g)",
    "nested": "x * f + (1 | g / h)",
    "crossed": "f + (1 | g) + (1 | k)",
    "no intercept": "0 + f + (0 + x | g)",
    "polynomial": "poly(x, 2) + (1 | k)",
}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(14)
    n = 240
    d = pd.DataFrame(
        {
            "x": rng.normal(size=n), "f": rng.choice(list("uvw"), n),
            "g": np.repeat(np.arange(12), 20), "h": np.tile(np.repeat(np.arange(4), 5), 12),
            "k": rng.choice(list("abcdefgh"), n), "w": rng.uniform(0.5, 2, n),
            "o": rng.normal(size=n),
        }
    )  # fmt: skip
    for i in range(5):
        d[f"y{i}"] = (
            i + d.x * (0.5 + 0.6 * rng.normal(size=12)[d.g]) + rng.normal(size=12)[d.g]
            + 0.7 * rng.normal(size=48)[d.g * 4 + d.h] + rng.normal(size=n)
        )  # fmt: skip
    d.loc[[3, 50], "y2"] = np.nan
    d.loc[[3, 50], "y3"] = np.nan
    d.loc[7:30, "y4"] = np.nan
    return d


ANSWERS = [f"y{i}" for i in range(5)]


def alone(formula, data, answer, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlm.lmer(f"{answer} ~ {formula}", data, **options)


def close(ours, theirs, tolerance=SAME_FIT):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), tolerance)


@pytest.mark.parametrize("options", [{}, {"reml": False}, {"weights": "w"}, {"offset": "o"},
                                     {"control": {"optimizer": "bobyqa"}}], ids=str)  # fmt: skip
@pytest.mark.parametrize("random", RANDOM.values(), ids=RANDOM)
def test_a_fit_is_lmer_s_own(frame, random, options):
    fits = mlm.fit_many(f"~ {random}", frame, responses=ANSWERS, **options)
    assert not fits.failures
    tidy, glance = fits.to_frame(), fits.to_frame("glance").set_index("response")
    varcorr, theta = fits.to_frame("varcorr"), fits.to_frame("theta")
    for answer in ANSWERS:
        m = alone(random, frame, answer, **options)
        fixed = m.summary(engine="exact").fixed.to_frame()
        ours = tidy[tidy.response == answer].set_index("term")
        assert list(ours.index) == list(fixed.index)
        for column in ("estimate", "std_error", "df", "statistic", "conf_low", "conf_high"):
            close(ours[column], fixed[column])
        np.testing.assert_allclose(ours.p_value, fixed.p_value, SAME_FIT, atol=UNDERFLOW)
        close(theta[theta.response == answer].theta, m.theta)
        assert theta[theta.response == answer].name.tolist() == list(m.theta.index)
        v = m.varcorr().to_frame()
        own = varcorr[varcorr.response == answer]
        assert own.grp.tolist() == v.grp.tolist()
        close(own.vcov, v.vcov)
        close(own.sdcor, v.sdcor)
        row = glance.loc[answer]
        theirs = m.glance()
        for column in ("nobs", "sigma", "loglik", "aic", "bic", "deviance", "df_residual"):
            close(row[column], getattr(theirs, column))
        if m.reml:
            close(row.reml_criterion, m.reml_criterion)
        assert row.npar == m.npar
        assert row.singular == m.convergence.singular
        assert row.converged == m.convergence.ok


def test_against_a_loop_of_r(frame, tmp_path):
    frame.to_csv(tmp_path / "d.csv", index=False)
    reference = native(
        f"""
d <- read.csv("{tmp_path / "d.csv"}", stringsAsFactors = TRUE)
one <- function(y) {{
  m <- lmerTest::lmer(as.formula(paste(y, "~ x + (x | g)")), d)
  list(table = coef(summary(m)), theta = unname(lme4::getME(m, "theta")))
}}
emit(sapply(paste0("y", 0:4), one, simplify = FALSE))"""
    )
    fits = mlm.fit_many("~ x + (x | g)", frame, responses=ANSWERS)
    theta = fits.to_frame("theta")
    for answer in ANSWERS:
        table = np.array(reference[answer]["table"]["values"])
        ours = fits.tables[answer]
        close(ours.estimate, table[:, 0], REOPTIMIZED)
        close(ours.df, table[:, 2], LMERTEST_NUMERICS)
        close(
            theta[theta.response == answer].theta,
            np.ravel(reference[answer]["theta"]),
            OTHER_OPTIMIZER,
        )


@pytest.mark.parametrize("ddf", ["Kenward-Roger", "between-within", "asymptotic", None])
def test_other_degrees_of_freedom(frame, ddf):
    fits = mlm.fit_many("~ x + (x | g)", frame, responses=ANSWERS, ddf=ddf)
    for answer in ANSWERS:
        theirs = alone("x + (x | g)", frame, answer).summary(ddf=ddf).fixed
        ours = fits.tables[answer]
        close(ours.std_error, theirs.std_error, BY_HAND)
        if ddf is None:
            assert ours.df is None
            assert ours.p_value is None
        else:
            close(ours.df, theirs.df, LMERTEST_NUMERICS)
            np.testing.assert_allclose(ours.p_value, theirs.p_value, FLAT_CRITERION, atol=UNDERFLOW)


def test_kenward_roger_of_an_ml_fit_is_refused(frame):
    fits = mlm.fit_many("~ x + (1 | g)", frame, responses=["y0"], ddf="Kenward-Roger", reml=False)
    assert fits.failures["y0"].error == "NotSupportedError"


def test_groups_and_responses_together(frame):
    d = frame.assign(half=np.where(frame.g < 6, "low", "high"))
    fits = mlm.fit_many("~ x + (1 | g)", d, by="half", responses=ANSWERS)
    for half in ("low", "high"):
        for answer in ANSWERS:
            m = alone("x + (1 | g)", d[d.half == half], answer)
            close(fits.tables[(answer, half)].estimate, m.fixef())
            assert fits[(answer, half)].nobs == m.nobs


def test_levels_that_a_group_has_not(frame):
    # R drops a factor's unused levels: the design of a group has its own columns
    d = frame.assign(f=pd.Categorical(np.where(frame.g < 6, "u", frame.f), list("uvwz")))
    d["half"] = np.where(frame.g < 3, "one level", "three")
    fits = mlm.fit_many("y0 ~ f + (1 | g)", d, by="half")
    assert "factors with 2 or more levels" in fits.failures["one level"].message
    rest = alone("f + (1 | g)", d[d.half == "three"], "y0")
    assert list(fits.tables["three"].term) == list(rest.fixef().index)
    close(fits.tables["three"].estimate, rest.fixef())


def test_modes(frame):
    fits = mlm.fit_many("~ x + (x | g)", frame, responses=["y0", "y4"], ranef=True)
    modes = fits.to_frame("ranef")
    for answer in ("y0", "y4"):
        theirs = alone("x + (x | g)", frame, answer).ranef().to_frame()
        own = modes[modes.response == answer]
        both = own.merge(theirs, on=["grpvar", "term", "grp"], suffixes=("", "_r"))
        assert len(both) == len(theirs) == len(own)
        close(both.condval, both.condval_r, BY_HAND)
    with pytest.raises(ArgumentError, match="ranef=True"):
        mlm.fit_many("~ x + (1 | g)", frame, responses=["y0"]).to_frame("ranef")


def test_generalized():
    d = mlm.load_dataset("cbpp")
    rng = np.random.default_rng(2)
    answers = []
    for i in range(3):
        d[f"p{i}"] = rng.binomial(d["size"], 0.15) / d["size"]
        answers.append(f"p{i}")
    d.loc[4, "p2"] = np.nan
    d["bad"] = 2.0
    fits = mlm.fit_many(
        "~ period + (1 | herd)", d, responses=[*answers, "bad"], family="binomial", weights="size"
    )
    for answer in answers:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            m = mlm.glmer(f"{answer} ~ period + (1 | herd)", d, weights="size")
        theirs, ours = m.summary().fixed, fits.tables[answer]
        assert ours.statistic_name == "z"
        close(ours.estimate, theirs.estimate)
        close(ours.std_error, theirs.std_error)
        np.testing.assert_allclose(ours.p_value, theirs.p_value, SAME_FIT, atol=UNDERFLOW)
    assert fits.failures["bad"].error == "DataError"


def test_bad_responses_are_failures(frame):
    d = frame.assign(
        constant=1.0, missing=np.nan, text="a", huge=np.where(frame.x > 2, np.inf, frame.x),
        flag=frame.x > 0, imaginary=frame.x * 1j, long=2**53 + 1 + np.arange(len(frame)),
        sparse=pd.arrays.SparseArray(frame.x), few=frame.x.where(frame.index < 2),
    )  # fmt: skip
    wanted = ["y0", "constant", "missing", "text", "huge", "flag", "x", "imaginary", "long",
              "sparse", "few"]  # fmt: skip
    fits = mlm.fit_many("~ x + (1 | g)", d, responses=wanted)
    assert set(fits) >= {"y0", "flag"}
    said = {k: f.message for k, f in fits.failures.items()}
    assert "constant" in said["constant"]
    assert "misses the response" in said["missing"]
    assert "not numeric" in said["text"]
    assert "infinite" in said["huge"]
    assert "complex" in said["imaginary"]
    assert "2^53" in said["long"]
    assert "sparse" in said["sparse"]
    assert "sampled level" in said["few"]
    frame_of_all = fits.to_frame()
    assert set(frame_of_all.response) == set(wanted)
    assert frame_of_all[frame_of_all.response == "huge"].estimate.isna().all()
    # the response that is a predictor, too, is R's affair alone
    assert ("x" in fits.failures) or fits.warnings["x"]


def test_what_no_fit_could_be_made_of(frame):
    with pytest.raises(FormulaError, match="'xx'"):
        mlm.fit_many("~ xx + (1 | g)", frame, responses=["y0"])
    with pytest.raises(FormulaError, match="no random effects"):
        mlm.fit_many("~ x", frame, responses=["y0"])
    with pytest.raises(DataError, match="'y9', which is not a column"):
        mlm.fit_many("~ x + (1 | g)", frame, responses=["y9"])
    with pytest.raises(ArgumentError, match="keep"):
        mlm.fit_many("~ x + (1 | g)", frame, responses=["y0"], keep="all")
    with pytest.raises(ArgumentError, match="adjust"):
        mlm.fit_many("~ x + (1 | g)", frame, responses=["y0"], adjust="fdrr")


def test_what_lmer_refuses_is_refused(frame):
    counts = frame.assign(n=np.abs(frame.y0 * 3).round())
    for given in ({"by": "f"}, {"responses": ["n"]}):
        with pytest.raises(NotSupportedError, match="weights of a negative binomial"):
            mlm.fit_many(
                "n ~ x + (1 | g)", counts, family="negative.binomial(1.5)", weights="w", **given
            )
        with pytest.raises(ArgumentError, match="reml must be True or False"):
            mlm.fit_many("n ~ x + (1 | g)", counts, reml="yes", **given)
        with pytest.raises(ArgumentError, match="timeout"):
            mlm.fit_many("n ~ x + (1 | g)", counts, timeout="x", **given)
    late = mlm.fit_many("~ x + (x | g) + (1 | k)", frame, responses=["y0"], timeout=1e-6)
    assert late.failures["y0"].error == "FitTimeout"


def test_advice_stands_on_every_fit(frame):
    formula = "x + (0 + f || k)"
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        mlm.lmer(f"y0 ~ {formula}", frame)
    advice = [str(w.message) for w in heard if w.category is mlm.errors.AdviceWarning]
    assert advice
    fits = mlm.fit_many(f"~ {formula}", frame, responses=["y0", "y1"])
    for answer in fits:
        said = [w for w in fits.warnings[answer] if w.startswith("AdviceWarning")]
        assert said == [f"AdviceWarning: {text}" for text in advice]


def test_where_the_closed_forms_do_not_reach_lmertest_answers(frame, monkeypatch):
    monkeypatch.setattr("pymlm.inference.plan._MEMORY_LIMIT", 0)
    formula = "x + (1 | g) + (1 | k)"
    fits = mlm.fit_many(f"~ {formula}", frame, responses=["y0", "y2"])
    by = mlm.fit_many(f"y0 ~ {formula}", frame, by="f")
    assert (
        set(fits.to_frame("glance").ddf_engine)
        == {"lmerTest"}
        == set(by.to_frame("glance").ddf_engine)
    )
    for answer in fits:
        theirs = alone(formula, frame, answer).summary(engine="lmerTest").fixed
        close(fits.tables[answer].df, theirs.df)
    assert list(by) == ["u", "v", "w"]


def test_adjusted_as_r(frame):
    fits = mlm.fit_many("~ x + (1 | g)", frame, responses=ANSWERS, adjust="fdr")
    table = fits.to_frame()
    for term in ("(Intercept)", "x"):
        rows = table[table.term == term]
        p = ", ".join(f"{v:.17g}" for v in rows.p_value)
        theirs = native(f'emit(list(p = p.adjust(c({p}), "fdr")))')["p"]
        close(rows.p_adjusted, np.ravel(theirs), ARITHMETIC)


def test_models_are_made_when_asked_for(frame):
    fits = mlm.fit_many("~ x + (1 | g)", frame, responses=ANSWERS)
    m = fits["y1"]
    assert m is fits["y1"]
    close(m.fixef(), fits.tables["y1"].estimate, 0)
    kept = mlm.fit_many("~ x + (1 | g)", frame, responses=ANSWERS, keep="models")
    close(kept["y1"].fixef(), m.fixef(), 0)
    frame_before = frame.copy()
    changed = mlm.fit_many("~ x + (1 | g)", frame, responses=["y0"])
    frame["y0"] = frame["y0"] * 3  # theirs; the fits have their own
    try:
        close(changed["y0"].fixef(), changed.tables["y0"].estimate, 0)
    finally:
        frame["y0"] = frame_before["y0"]
