"""Checklist row 7: multiple membership."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize, minimize_scalar

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.course.memberships import J, N, simulated
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.tolerances import ARITHMETIC, FLAT_CRITERION, FLAT_TAIL, REOPTIMIZED, SAME_PATH

#: lme4's optimizer stops when theta changes by less than about this.
OPTIMUM = 1e-4
#: The p-value has df in its exponent.
P_VALUE = 1e-2
#: Central differences of step 1e-3 err by the square of it, relative to small second derivatives.
BY_DIFFERENCES = 2e-3
#: 160,000 squares, correlated within a draw: about 2 % at worst; twice that.
SIMULATED = 0.04
#: A limit of the profile is interpolated; on the deviance's own scale by less than this.
INTERPOLATED = 0.02
#: Second differences of the deviance, by two programs.
HESSIAN = 1e-4

#: Native R, by hand: Z made by Matrix alone, the deviance function given to lmerTest.
CODE = """
library(Matrix)
d <- data.frame(y = c({y}), x = c({x}))
W <- sparseMatrix(i = c({i}), j = c({j}), x = c({w}), dims = c({n}, {J}))
d$school <- factor(rep_len(1:{J}, {n}))
p <- lFormula(y ~ x + (1 | school), d)
p$reTrms$Zt <- as(t(W), "dgCMatrix"); p$reTrms$Ztlist[[1]] <- p$reTrms$Zt
dev <- do.call(mkLmerDevfun, p[c("fr", "X", "reTrms", "REML")])
opt <- optimizeLmer(dev)
m <- mkMerMod(environment(dev), opt, p$reTrms, fr = p$fr, mc = quote(lmer(y ~ x + (1 | school), d)))
t <- lmerTest:::as_lmerModLT(m, dev)
naive <- suppressWarnings(lmerTest::as_lmerModLmerTest(m))
emit(list(fixef = unname(fixef(m)), sd = as.data.frame(VarCorr(m))$sdcor, crit = REMLcrit(m),
  satterthwaite = coef(summary(t)), kr = coef(summary(t, ddf = "Kenward-Roger")),
  naive = unname(coef(summary(naive))[, "df"]), ranef = ranef(m)$school[, 1],
  condsd = sqrt(attr(ranef(m, condVar = TRUE)$school, "postVar")[1, 1, ]),
  lrt = anova(t)$DenDF))
"""


@pytest.fixture(scope="module")
def data() -> tuple[pd.DataFrame, np.ndarray]:
    return simulated()


@pytest.fixture(scope="module")
def m(data) -> Any:
    return mlm.multiple_membership("y ~ x + (1 | school)", data[0], {"school": data[1]})


@pytest.fixture(scope="module")
def r(data) -> Any:
    d, W = data
    i, j = np.nonzero(W)

    def text(v: Any) -> str:
        return ",".join(repr(float(a)) for a in v)

    return native(CODE.format(y=text(d["y"]), x=text(d["x"]), i=text(i + 1), j=text(j + 1),
                              w=text(W[i, j]), n=N, J=J))  # fmt: skip


def criterion(theta: float, d: pd.DataFrame, W: np.ndarray) -> float:
    """The REML criterion by dense algebra, sigma profiled out: no lme4 in it."""
    X = np.column_stack([np.ones(N), d["x"]])
    V = np.eye(N) + theta**2 * W @ W.T
    L = np.linalg.cholesky(V)
    A, b = np.linalg.solve(L, X), np.linalg.solve(L, d["y"].to_numpy())
    beta = np.linalg.lstsq(A, b, rcond=None)[0]
    rss = float(np.sum((b - A @ beta) ** 2))
    k = N - 2
    return (2 * np.log(np.diag(L)).sum() + np.linalg.slogdet(A.T @ A)[1]
            + k * (1 + np.log(2 * np.pi * rss / k)))  # fmt: skip


def test_row_7_estimates_by_dense_algebra(m, data):
    d, W = data
    best = minimize_scalar(criterion, bounds=(0.01, 5), args=(d, W), method="bounded",
                           options={"xatol": 1e-9})  # fmt: skip
    assert m.theta.iloc[0] == pytest.approx(best.x, rel=OPTIMUM)
    assert m.reml_criterion == pytest.approx(best.fun, abs=REOPTIMIZED)


def test_row_7_estimates_by_native_r(m, r):
    assert_close(m.fixef().to_numpy(), r["fixef"], OPTIMUM)
    assert_close(m.varcorr().to_frame()["sdcor"], r["sd"], OPTIMUM)
    assert m.reml_criterion == pytest.approx(r["crit"], abs=REOPTIMIZED)


def test_row_7_satterthwaite(m, r):
    ours = m.summary().fixed
    theirs = np.array(r["satterthwaite"]["values"])
    assert_close(ours.df, theirs[:, 2], HESSIAN * 10)
    assert_close(ours.p_value[1:], theirs[1:, 4], P_VALUE)
    assert ours.df[0] < J
    assert 150 < ours.df[1] < N


def test_row_7_satterthwaite_by_hand(m, data):
    """df = 2 v² / Var(v) for the intercept, everything by dense numerical derivatives."""
    d, W = data
    X = np.column_stack([np.ones(N), d["x"]])
    y = d["y"].to_numpy()

    def both(p: np.ndarray) -> tuple[float, float]:
        V = p[1] ** 2 * (np.eye(N) + p[0] ** 2 * W @ W.T)
        inverse = np.linalg.inv(V)
        C = np.linalg.inv(X.T @ inverse @ X)
        e = y - X @ (C @ X.T @ inverse @ y)
        deviance = np.linalg.slogdet(V)[1] - np.linalg.slogdet(C)[1] + e @ inverse @ e
        return float(deviance), float(C[0, 0])

    at = np.array([m.theta.iloc[0], m.sigma])
    h = 1e-3
    E = np.eye(2) * h
    H = np.array([
        [(both(at + a + b)[0] - both(at + a - b)[0] - both(at - a + b)[0] + both(at - a - b)[0])
         / (4 * h**2) for b in E] for a in E
    ])  # fmt: skip
    g = np.array([(both(at + a)[1] - both(at - a)[1]) / (2 * h) for a in E])
    v = both(at)[1]
    df = 2 * v**2 / (g @ (2 * np.linalg.inv(H)) @ g)
    assert m.summary().fixed.df[0] == pytest.approx(df, rel=BY_DIFFERENCES)


def test_row_7_kenward_roger(m, r):
    ours = m.summary(ddf="Kenward-Roger").fixed
    theirs = np.array(r["kr"]["values"])
    assert_close(ours.df, theirs[:, 2], HESSIAN)
    assert_close(ours.std_error, theirs[:, 1], HESSIAN)


def test_row_7_lmertest_alone_would_be_wrong(m, r):
    # The trap: as_lmerModLmerTest() refits by lmer() and answers for another model, silently.
    assert abs(r["naive"][0] - r["satterthwaite"]["values"][0][2]) > 20
    assert abs(m.summary().fixed.df[0] - r["naive"][0]) > 20


def test_row_7_anova_and_contest_use_the_same_df(m):
    df = m.summary().fixed.df[1]
    assert m.anova().to_frame().loc["x", "den_df"] == pytest.approx(df, rel=REOPTIMIZED)
    assert m.contest("x = 0").df[0] == pytest.approx(df, rel=REOPTIMIZED)


def test_row_7_modes(m, r):
    modes = m.ranef().group("school")
    assert_close(modes.condval[:, 0], r["ranef"], OPTIMUM * 10)
    assert_close(modes.condsd[:, 0], r["condsd"], OPTIMUM)


def test_row_7_predictions_add_weighted_modes(m, data):
    d, W = data
    u = m.ranef()["school"]["(Intercept)"].to_numpy()
    b = m.fixef()
    by_hand = b["(Intercept)"] + b["x"] * d["x"] + W @ u
    assert_close(m.fitted(), by_hand, ARITHMETIC)
    assert_close(m.predict(), by_hand, ARITHMETIC)
    new = pd.DataFrame({"x": [0.0, 2.0]}, index=["p", "q"])
    weights = pd.DataFrame(np.eye(J)[:2], index=new.index, columns=range(1, J + 1))
    found = m.predict(new, memberships={"school": weights})
    assert_close(found, b["(Intercept)"] + b["x"] * new["x"] + u[:2], ARITHMETIC)
    assert list(found.index) == ["p", "q"]
    assert_close(m.predict(new, re_form="NA"), b["(Intercept)"] + b["x"] * new["x"], ROUND_TRIP)


def test_row_7_new_units(m):
    new = pd.DataFrame({"x": [1.0]})
    weights = {"school": pd.DataFrame({"1": [0.5], "elsewhere": [0.5]})}
    with pytest.raises(DataError, match="elsewhere"):
        m.predict(new, memberships=weights)
    found = m.predict(new, memberships=weights, allow_new_levels=True)
    b, u = m.fixef(), m.ranef()["school"].loc["1", "(Intercept)"]
    assert found[0] == pytest.approx(b.sum() + u / 2)


def test_row_7_simulations_have_the_models_covariance(m, data):
    _, W = data
    draws = m.simulate(400, seed=1).to_numpy()
    assert_close(draws, m.simulate(400, seed=1).to_numpy())
    centred = draws - m.predict(re_form="NA").to_numpy()[:, None]
    tau2, sigma2 = m.varcorr().variance("school"), m.sigma**2
    expected = sigma2 + tau2 * (W**2).sum(axis=1)
    assert np.mean(centred**2) == pytest.approx(expected.mean(), rel=SIMULATED)
    same = (W @ W.T)[0].argsort()[-2]
    covariance = np.mean(centred[0] * centred[same])
    assert covariance == pytest.approx(tau2 * W[0] @ W[same], abs=4 * expected.mean() / 20)


def test_row_7_slopes_missing_rows_and_a_further_factor(data):
    d, W = data
    rng = np.random.default_rng(2)
    d = d.assign(g=rng.choice(list("abcdefgh"), N)).set_index(np.arange(N) + 100)
    d["y"] += W @ rng.normal(size=J) * d["x"] + d["g"].map(
        {c: i / 4 for i, c in enumerate("abcdefgh")}
    )
    d.loc[105, "x"] = np.nan
    weights = pd.DataFrame(W, index=d.index, columns=[f"s{j}" for j in range(J)])
    m = mlm.multiple_membership(
        "y ~ x + (1 + x | school) + (1 | g)", d, {"school": weights}, reml=False
    )
    ok = d["x"].notna().to_numpy()
    X = np.column_stack([np.ones(N - 1), d["x"][ok]])
    G = (d["g"][ok].to_numpy()[:, None] == np.array(list("abcdefgh"))).astype(float)
    Ws = W[ok] * d["x"][ok].to_numpy()[:, None]
    y = d["y"][ok].to_numpy()

    def deviance(p: np.ndarray) -> float:
        a, b, c, e = p
        A, B = a * W[ok] + b * Ws, c * Ws
        V = np.eye(N - 1) + A @ A.T + B @ B.T + e**2 * G @ G.T
        L = np.linalg.cholesky(V)
        M, z = np.linalg.solve(L, X), np.linalg.solve(L, y)
        rss = np.sum((z - M @ np.linalg.lstsq(M, z, rcond=None)[0]) ** 2)
        return float(
            2 * np.log(np.diag(L)).sum() + (N - 1) * (1 + np.log(2 * np.pi * rss / (N - 1)))
        )

    theta = m.theta
    assert deviance(theta.to_numpy()) == pytest.approx(m.deviance, abs=REOPTIMIZED)
    best = minimize(deviance, theta.to_numpy(), method="Nelder-Mead",
                    options={"xatol": 1e-6, "fatol": 1e-8})  # fmt: skip
    assert m.deviance == pytest.approx(best.fun, abs=FLAT_CRITERION)
    assert np.isnan(m.fitted().loc[105])
    assert m.ngroups == {"school": J, "g": 8}
    assert m.memberships()["school"].shape == (N - 1, J)
    with pytest.raises(NotSupportedError, match="further grouping factor"):
        m.predict(d.head(2), memberships={"school": weights.head(2)})


def test_row_7_ordinary_nesting_is_the_special_case(sleepstudy):
    W = pd.get_dummies(sleepstudy["Subject"]).astype(float)
    ours = mlm.multiple_membership("Reaction ~ Days + (Days | unit)", sleepstudy, {"unit": W})
    plain = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    assert_close(ours.theta, plain.theta, OPTIMUM)
    assert_close(ours.summary().fixed.df, plain.summary().fixed.df, FLAT_TAIL)
    assert ours.reml_criterion == pytest.approx(plain.reml_criterion, abs=REOPTIMIZED)


def test_row_7_update_refit_and_comparison(m, data):
    d, W = data
    smaller = m.update(". ~ . - x")
    assert smaller.formula == "y ~ (1 | school)"
    table = mlm.anova(smaller, m).to_frame()
    direct = mlm.multiple_membership("y ~ 1 + (1 | school)", d, {"school": W}, reml=False)
    full = m.update(reml=False)
    assert table["chisq"].iloc[-1] == pytest.approx(
        2 * (full.loglik - direct.loglik), abs=FLAT_CRITERION
    )
    again = m.refit(d["y"] * 2)
    assert_close(again.fixef(), 2 * m.fixef(), OPTIMUM)
    assert_close(again.theta, m.theta, OPTIMUM)


def test_row_7_profile_intervals_hold_the_truth_of_the_right_model(m, data):
    d, W = data
    ci = m.confint("profile").to_frame()
    low = ci.iloc[0]["conf_low"] / 1.0
    # At the lower limit of tau the ML deviance is chi-squared's 3.84 above its minimum.
    ml = m.update(reml=False)

    def deviance(tau: float) -> float:
        def inner(sigma: float) -> float:
            X = np.column_stack([np.ones(N), d["x"]])
            V = sigma**2 * np.eye(N) + tau**2 * W @ W.T
            L = np.linalg.cholesky(V)
            A, b = np.linalg.solve(L, X), np.linalg.solve(L, d["y"].to_numpy())
            rss = np.sum((b - A @ np.linalg.lstsq(A, b, rcond=None)[0]) ** 2)
            return float(2 * np.log(np.diag(L)).sum() + rss + N * np.log(2 * np.pi))

        return float(minimize_scalar(inner, bounds=(0.7, 1.4), method="bounded").fun)

    assert deviance(low) - ml.deviance == pytest.approx(3.841, abs=INTERPOLATED)


def test_row_7_models_travel(m, tmp_path):
    copy = pickle.loads(pickle.dumps(m))
    assert_close(copy.summary().fixed.df, m.summary().fixed.df, REOPTIMIZED)
    assert type(copy) is type(m)
    loaded = mlm.load_model(m.save(tmp_path / "m.rds"))
    assert_close(loaded.summary().fixed.df, m.summary().fixed.df, REOPTIMIZED)
    assert type(loaded) is type(m)
    # In a fresh process too, where nothing of this has been imported yet.
    code = f"import pymlm; print(type(pymlm.load_model({str(tmp_path / 'm.rds')!r})).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "MultipleMembershipModel"
    with pytest.raises(ArgumentError, match="memberships"):  # never another model's answer
        loaded.predict(pd.DataFrame({"x": [0.0], "school": ["1"]}))


def test_row_7_ranova_beside_a_further_factor(data, m):
    d, W = data
    area = np.arange(N) % 7
    both = d.assign(area=area, y=d["y"] + np.array([1, -1, 0, 2, -2, 1, -1])[area])
    crossed = mlm.multiple_membership("y ~ x + (1 | school) + (1 | area)", both, {"school": W})
    found = crossed.ranova().to_frame()
    area_alone = mlm.lmer("y ~ x + (1 | area)", both)
    school_alone = m.refit(both["y"])
    fits = (crossed, area_alone, school_alone)
    assert_close(found["loglik"], [f.loglik for f in fits], REOPTIMIZED)
    # 1 variance on its boundary: half of the naive p-value
    assert_close(found["p_value_boundary"].iloc[1:], found["p_value"].iloc[1:] / 2)
    text = mlm.equations(crossed, form="combined")
    assert "u(school)_0j[i] = Σ_j w_ij u(school)_0j" in text


def test_row_7_many_rows_are_left_to_lmertest():
    """Above 500 rows Kenward-Roger would go to the closed forms, which know no weights."""
    d, W = simulated()
    wide = pd.concat([d] * 3, ignore_index=True)
    wide["y"] += np.random.default_rng(1).normal(size=len(wide))
    m = mlm.multiple_membership("y ~ x + (1 | school)", wide, {"school": np.tile(W, (3, 1))})
    found = m.summary(ddf="Kenward-Roger")
    assert found.fixed.df[0] < J
    assert found.ddf_engine == "pbkrtest"


def test_row_7_the_same_model_from_columns(data, m):
    d, W = data
    ids, weights = {}, {}
    order = np.argsort(-W, axis=1)[:, :3]
    values = np.take_along_axis(W, order, axis=1)
    for k in range(3):
        ids[f"s{k}"] = np.where(values[:, k] > 0, order[:, k] + 1, np.nan)
        weights[f"w{k}"] = np.where(values[:, k] > 0, values[:, k], np.nan)
    wide = d.assign(**ids, **weights)
    names = ([f"s{k}" for k in range(3)], [f"w{k}" for k in range(3)])
    ours = mlm.multiple_membership("y ~ x + (1 | school)", wide, {"school": names})
    assert ours.reml_criterion == pytest.approx(m.reml_criterion, abs=SAME_PATH)
    assert_close(ours.predict(wide.head(3)), m.fitted().head(3), OPTIMUM)
