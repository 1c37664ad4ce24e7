"""Predictions against native R, and their standard errors against algebra done another way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError, RWarning
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.tolerances import ARITHMETIC, SAME_PATH

#: Two routes through linear algebra (Cholesky of the mixed-model equations here, inverse of the
#: marginal covariance there) agree to the conditioning of V.
ALGEBRA = 1e-8

REFERENCE = r"""
lmer <- lme4::lmer
s <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
nd <- data.frame(Days = c(0, 4.5, 12), Subject = c("308", "372", "308"))
new <- data.frame(Days = c(0, 4.5), Subject = c("308", "nobody"))
p <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)
pn <- data.frame(plate = c("a", "c"), sample = c("B", "F"))
q <- lmer(angle ~ poly(temp, 2) * recipe + (1 | recipe:replicate), cake)
qn <- data.frame(temp = c(180, 200), recipe = c("A", "C"), replicate = c("1", "15"))
g <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
gn <- data.frame(period = c("1", "4"), herd = c("1", "15"), size = 10)
# lme4 1.1-35's definition of se.fit, for models whose L has no permutation
se <- function(m, X, Z) {
  L <- getME(m, "L"); RX <- getME(m, "RX"); RZX <- getME(m, "RZX")
  tinv <- solve(t(RX)); LL <- solve(L, getME(m, "Lambdat"), system = "L")
  M <- sigma(m) * rbind(cbind(LL, Matrix(0, nrow(L), ncol(RX))),
                        cbind(-tinv %*% t(RZX) %*% LL, tinv))
  ZX <- cbind(Z, X); sqrt(Matrix::rowSums((ZX %*% crossprod(M)) * ZX))
}
a <- airquality
mm <- lmer(Ozone ~ Temp + (1 | Month), a)
nas <- sum(is.na(predict(mm)))
emit(list(
  known = unname(predict(s, nd)), population = unname(predict(s, nd, re.form = NA)),
  partial = unname(predict(s, nd, re.form = ~ (1 | Subject))),
  new = unname(predict(s, new, allow.new.levels = TRUE)),
  own = unname(predict(s)), crossed = unname(predict(p, pn)),
  one_of_two = unname(predict(p, pn, re.form = ~ (1 | sample))),
  poly = unname(predict(q, qn)),
  link = unname(predict(g, gn)), response = unname(predict(g, gn, type = "response")),
  se = unname(se(s, getME(s, "X"), getME(s, "Z"))),
  se_glmm = unname(se(g, getME(g, "X"), getME(g, "Z"))),
  se_fixed = unname(sqrt(diag(getME(s, "X") %*% as.matrix(vcov(s)) %*% t(getME(s, "X"))))),
  missing = unname(predict(mm, a))
))
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def sleep() -> Any:
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


@pytest.fixture(scope="module")
def penicillin() -> Any:
    return mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))


@pytest.fixture(scope="module")
def cbpp() -> Any:
    return mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp"),
        family="binomial",
    )  # fmt: skip


KNOWN = pd.DataFrame({"Days": [0, 4.5, 12], "Subject": ["308", "372", "308"]}, index=list("xyz"))


# --- values -------------------------------------------------------------------------------------


def test_known_groups(sleep: Any, reference: Any) -> None:
    ours = sleep.predict(KNOWN)
    assert_close(ours, reference["known"])
    assert list(ours.index) == ["x", "y", "z"]


def test_population(sleep: Any, reference: Any) -> None:
    assert_close(sleep.predict(KNOWN[["Days"]], re_form="NA"), reference["population"])


def test_some_random_effects(sleep: Any, penicillin: Any, reference: Any) -> None:
    assert_close(sleep.predict(KNOWN, re_form="~ (1 | Subject)"), reference["partial"])
    rows = pd.DataFrame({"plate": ["a", "c"], "sample": ["B", "F"]})
    assert_close(penicillin.predict(rows), reference["crossed"])
    assert_close(penicillin.predict(rows, re_form="~ (1 | sample)"), reference["one_of_two"])


def test_new_groups(sleep: Any, reference: Any) -> None:
    rows = pd.DataFrame({"Days": [0, 4.5], "Subject": ["308", "nobody"]})
    assert_close(sleep.predict(rows, allow_new_levels=True), reference["new"])


def test_own_rows(sleep: Any, reference: Any) -> None:
    assert_close(sleep.predict(), reference["own"])
    assert_close(sleep.predict(), sleep.fitted())


def test_data_dependent_terms_keep_their_basis(reference: Any) -> None:
    m = mlm.lmer(
        "angle ~ poly(temp, 2) * recipe + (1 | recipe:replicate)", mlm.load_dataset("cake")
    )
    rows = pd.DataFrame({"temp": [180.0, 200.0], "recipe": ["A", "C"], "replicate": ["1", "15"]})
    assert_close(m.predict(rows), reference["poly"])
    ours = m.predict(rows, interval="confidence")
    assert_close(ours.fit, reference["poly"])


def test_glmm_scales(cbpp: Any, reference: Any) -> None:
    rows = pd.DataFrame({"period": ["1", "4"], "herd": ["1", "15"], "size": [10, 10]})
    assert_close(cbpp.predict(rows, type="link"), reference["link"])
    assert_close(cbpp.predict(rows), reference["response"])


def test_course_new_levels(course: Path) -> None:
    cases = {c["id"]: c for c in json.loads((course / "cases.json").read_text())}
    case = cases["hermansen_nb_crossed"]
    printed = next(e for e in case["extras"] if e["kind"] == "predict_new_levels")["printed"]
    m = mlm.lmer(case["formula"], pd.read_csv(course / case["data"]).astype({"ID": str}))
    rows = pd.DataFrame(
        {
            "x": [0.1, 0.15, 0.1, 0.15], "EPElection": 0, "Reform2016": 0,
            "Nationality": ["Bulgaria", "Bulgaria", "Sweden", "Sweden"], "ID": "new",
        }
    )  # fmt: skip
    ours = m.predict(rows, allow_new_levels=True)
    assert [f"{x:.7f}" for x in ours] == [printed[f"p{i}"] for i in range(1, 5)]


def test_rows_with_missing_values(reference: Any) -> None:
    air = mlm.load_dataset("datasets::airquality")
    m = mlm.lmer("Ozone ~ Temp + (1 | Month)", air)
    assert m.n_dropped == 37
    assert_close(m.predict(air), reference["missing"])
    own = m.predict(interval="prediction").to_frame()
    assert own.index.equals(air.index)
    assert own["std_error"].isna().equals(air["Ozone"].isna())
    holes = pd.DataFrame({"Temp": [70, np.nan, 70], "Month": [5, 5, np.nan]})
    assert m.predict(holes).isna().tolist() == [False, True, True]
    assert m.predict(holes, interval="confidence")["fit"].isna().tolist() == [False, True, True]


# --- standard errors ----------------------------------------------------------------------------


def test_known_groups_by_lme4_s_definition(sleep: Any, reference: Any) -> None:
    ours = sleep.predict(interval="confidence")
    assert_close(ours.std_error, reference["se"], ALGEBRA)
    z = 1.959963984540054
    assert_close(ours.conf_high, ours.fit + z * ours.std_error, ROUND_TRIP)


def test_glmm_by_lme4_s_definition(cbpp: Any, reference: Any) -> None:
    ours = cbpp.predict(type="link", interval="confidence")
    assert_close(ours.std_error, reference["se_glmm"], ALGEBRA)


def test_fixed_part(sleep: Any, reference: Any) -> None:
    ours = sleep.predict(re_form="NA", interval="confidence")
    assert_close(ours.std_error, reference["se_fixed"], ALGEBRA)


def kriging_variance(X: Any, Z: Any, G: Any, R: Any, x: Any, z: Any) -> Any:
    """Error variance of x'β̂ + z'û from the marginal covariance V = ZGZ' + R (GLS and BLUP)."""
    V = Z @ G @ Z.T + R
    ViX, ViZGz = np.linalg.solve(V, X), np.linalg.solve(V, Z @ G @ z.T)
    part = z @ G @ z.T - (Z @ G @ z.T).T @ ViZGz
    d = x.T - X.T @ ViZGz
    return np.diag(part + d.T @ np.linalg.solve(X.T @ ViX, d))


def test_crossed_factors_by_brute_force(penicillin: Any) -> None:
    m = penicillin
    X, Z = m.model_matrix().to_numpy(), m.model_matrix("random").to_numpy()
    v = m.varcorr()
    plates = m.ngroups["plate"]
    G = np.diag([v.variance("plate")] * plates + [v.variance("sample")] * m.ngroups["sample"])
    R = m.sigma**2 * np.eye(len(X))
    expected = kriging_variance(X, Z, G, R, X, Z)
    assert_close(m.predict(interval="confidence").std_error ** 2, expected, ALGEBRA)
    # the same rows as if they were new data, in another order
    data = mlm.load_dataset("Penicillin").iloc[::-1]
    ours = m.predict(data, interval="confidence")
    assert_close(ours.std_error[::-1] ** 2, expected, ALGEBRA)
    only = Z.copy()
    only[:, :plates] = 0
    expected = kriging_variance(X, Z, G, R, X, only)
    ours = m.predict(interval="confidence", re_form="~ (1 | sample)")
    assert_close(ours.std_error**2, expected, ALGEBRA)


@pytest.mark.parametrize("kind", ["penicillin", "sleep", "cbpp"])
def test_many_rows_are_answered_as_few(kind: str, request: Any) -> None:
    """More rows than coefficients: each coefficient is solved for once. Few rows: each row is."""
    m = request.getfixturevalue(kind)
    data = m._source.data
    new = pd.concat([data, data.sample(frac=1.0, random_state=1)], ignore_index=True)
    whole = m.predict(new, interval="confidence").to_frame()
    few = (m.predict(new.iloc[i : i + 3], interval="confidence") for i in (0, 31, 70))
    parts = pd.concat([p.to_frame() for p in few])
    assert_close(whole.loc[parts.index].to_numpy(), parts.to_numpy(), ARITHMETIC)


def test_fill_reducing_permutation_by_brute_force() -> None:
    """lme4 permutes crossed factors; leaving that out gives standard errors off by half."""
    data = mlm.load_dataset("InstEval").head(700)
    m = mlm.lmer("y ~ service + (1 | s) + (1 | d)", data)
    v = m.varcorr()
    sizes = [(v.variance(g), m.ngroups[g]) for g in m.ngroups]
    G = np.diag(np.concatenate([np.full(n, tau) for tau, n in sizes]))
    X, Z = m.model_matrix().to_numpy(), m.model_matrix("random").to_numpy()
    expected = kriging_variance(X, Z, G, m.sigma**2 * np.eye(len(X)), X, Z)
    assert_close(m.predict(interval="confidence").std_error ** 2, expected, ALGEBRA)
    assert_close(m.predict(data, interval="confidence").std_error ** 2, expected, ALGEBRA)


def test_slopes_weights_and_several_terms_by_brute_force() -> None:
    data = mlm.load_dataset("sleepstudy")
    data["w"] = np.where(data["Days"] > 4, 2.0, 1.0)
    m = mlm.lmer("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", data, weights="w")
    X, Z = m.model_matrix().to_numpy(), m.model_matrix("random").to_numpy()
    v = dict(zip(m.varcorr().var1, m.varcorr().vcov, strict=True))
    G = np.diag([v["(Intercept)"]] * 18 + [v["Days"]] * 18)
    R = np.diag(m.sigma**2 / data["w"])
    expected = kriging_variance(X, Z, G, R, X, Z)
    assert_close(m.predict(interval="confidence").std_error ** 2, expected, ALGEBRA)
    assert_close(m.predict(data, interval="confidence").std_error ** 2, expected, ALGEBRA)
    prediction = m.predict(interval="prediction").std_error ** 2
    assert_close(prediction - expected, m.sigma**2 / data["w"], SAME_PATH)
    with pytest.warns(RWarning, match="weight of 1"):
        m.predict(data.head(1), interval="prediction")


def test_new_group_adds_its_variance(sleep: Any) -> None:
    rows = pd.DataFrame({"Days": [0.0, 3.0], "Subject": ["new", "newer"]})
    x = np.column_stack([np.ones(2), rows["Days"]])
    tau = sleep.varcorr().matrix("Subject").to_numpy()
    expected = np.diag(x @ (sleep.vcov().to_numpy() + tau) @ x.T)
    ours = sleep.predict(rows, allow_new_levels=True, interval="confidence")
    assert_close(ours.std_error**2, expected, ALGEBRA)
    ours = sleep.predict(rows, allow_new_levels=True, interval="prediction")
    assert_close(ours.std_error**2, expected + sleep.sigma**2, ALGEBRA)


def test_new_level_of_one_of_two_factors(penicillin: Any) -> None:
    """Terms are reordered by their number of levels: 24 plates stand before 6 samples."""
    rows = pd.DataFrame({"plate": ["new"], "sample": ["A"]})
    both = penicillin.predict(rows, allow_new_levels=True, interval="confidence").std_error
    known = penicillin.predict(rows, re_form="~ (1 | sample)", interval="confidence").std_error
    assert_close(both**2 - known**2, penicillin.varcorr().variance("plate"), ALGEBRA)


def test_singular_fit() -> None:
    m = _singular()
    tau = m.varcorr().variance("Batch")
    assert tau == pytest.approx(0.0, abs=ROUND_TRIP)
    ours = m.predict(interval="confidence").std_error
    assert_close(ours, np.full(30, float(np.sqrt(m.vcov().iloc[0, 0]))), ALGEBRA)


def _singular() -> Any:
    with pytest.warns(mlm.errors.SingularFitWarning):
        return mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff2"))


def test_response_scale_transforms_the_ends(cbpp: Any) -> None:
    link = cbpp.predict(type="link", interval="confidence").to_frame()
    response = cbpp.predict(interval="confidence").to_frame()
    inverse = 1 / (1 + np.exp(-link))
    for end in ("fit", "conf_low", "conf_high"):
        assert_close(response[end], inverse[end], ROUND_TRIP * 10)
    slope = inverse["fit"] * (1 - inverse["fit"])
    assert_close(response["std_error"], slope * link["std_error"], ARITHMETIC)


@pytest.mark.filterwarnings("ignore::pymlm.errors.PymlmWarning")
def test_coverage_of_intervals() -> None:
    """95 % intervals hold new observations in known and in new groups; 2,000 draws each, ±3 SE."""
    rng = np.random.default_rng(20)
    hits = {"known": 0, "new": 0}
    total = 0
    for _ in range(50):
        n_groups, n = 20, 8
        u = rng.normal(0, 1.0, n_groups + 5)
        b = rng.normal(0, 0.5, n_groups + 5)
        g = np.repeat(np.arange(n_groups), n)
        x = rng.normal(size=g.size)
        y = 2 + x + u[g] + b[g] * x + rng.normal(size=g.size)
        data = pd.DataFrame({"y": y, "x": x, "g": [f"g{i}" for i in g]})
        m = mlm.lmer("y ~ x + (x | g)", data)
        at = {"known": rng.integers(0, n_groups, 40), "new": n_groups + np.arange(40) % 5}
        total += 40
        for kind, who in at.items():
            xs = rng.normal(size=40)
            truth = 2 + xs + u[who] + b[who] * xs + rng.normal(size=40)
            rows = pd.DataFrame({"x": xs, "g": [f"g{i}" for i in who]})
            p = m.predict(rows, allow_new_levels=True, interval="prediction").to_frame()
            hits[kind] += int(((p["conf_low"] < truth) & (truth < p["conf_high"])).sum())
    # new groups share five draws of (u, b) a data set, so their hits are clustered: ±3 SE of 250
    assert hits["known"] / total == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / 2000))
    assert hits["new"] / total == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / 250))


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"Days": [1.0]}, "no column 'Subject'"),
        ({"Subject": ["308"]}, "no column 'Days'"),
        ({"Days": ["one"], "Subject": ["308"]}, "'Days' has text"),
        ({"Days": [True], "Subject": ["308"]}, "True and False"),
        ({"Days": [1.0], "Subject": ["999"]}, "'Subject' has the level '999'"),
        ({"Days": [np.inf], "Subject": ["308"]}, "infinite"),
        ({"Days": [1 + 1j], "Subject": ["308"]}, "complex"),
    ],
)
def test_bad_newdata(sleep: Any, rows: dict[str, Any], said: str) -> None:
    for interval in (None, "confidence"):
        with pytest.raises(DataError, match=said):
            sleep.predict(pd.DataFrame(rows), interval=interval)
    assert len(sleep.predict(KNOWN)) == 3


def test_unknown_level_of_a_predictor() -> None:
    m = mlm.lmer("angle ~ recipe + (1 | recipe:replicate)", mlm.load_dataset("cake"))
    rows = pd.DataFrame({"recipe": ["D"], "replicate": ["1"]})
    with pytest.raises(DataError, match=r"'recipe' has the level 'D'.*A, B, C"):
        m.predict(rows)
    with pytest.raises(DataError, match="'recipe' has the level 'D'"):
        m.predict(rows, re_form="NA", interval="confidence")
    with pytest.raises(DataError, match="allow_new_levels=True"):
        m.predict(pd.DataFrame({"recipe": ["A"], "replicate": ["99"]}))


def test_unknown_level_of_a_factor_made_in_the_formula() -> None:
    m = mlm.lmer("Reaction ~ factor(Days) + (1 | Subject)", mlm.load_dataset("sleepstudy"))
    with pytest.raises(DataError, match="new level 33"):
        m.predict(pd.DataFrame({"Days": [33], "Subject": ["308"]}), interval="confidence")


def test_text_for_a_transformed_predictor() -> None:
    m = mlm.lmer("angle ~ log(temp) + (1 | replicate)", mlm.load_dataset("cake"))
    with pytest.raises(DataError, match="'temp' has text"):
        m.predict(pd.DataFrame({"temp": ["hot"], "replicate": ["1"]}))


def test_bad_arguments(sleep: Any, cbpp: Any) -> None:
    with pytest.raises(ArgumentError, match="no grouping factor 'Subjct'"):
        sleep.predict(re_form="~ (1 | Subjct)")
    with pytest.raises(ArgumentError, match="one-sided"):
        sleep.predict(re_form="Reaction ~ Days")
    for unknown in ("~ (Reaction | Subject)", "~ (I(Days^2) | Subject)"):
        with pytest.raises(ArgumentError, match=r"it has '\(Intercept\) \| Subject', 'Days"):
            sleep.predict(re_form=unknown, interval="confidence")
    with pytest.raises(ArgumentError, match="interval"):
        sleep.predict(interval="credible")
    with pytest.raises(ArgumentError, match="level"):
        sleep.predict(interval="confidence", level=95)
    with pytest.raises(NotSupportedError, match="simulate"):
        cbpp.predict(interval="prediction")


def test_rows_that_all_miss_something(sleep: Any) -> None:
    rows = pd.DataFrame({"Days": [np.nan, np.nan], "Subject": ["308", "309"]})
    assert sleep.predict(rows).isna().all()
    assert sleep.predict(rows, interval="prediction").to_frame().isna().all(axis=None)
