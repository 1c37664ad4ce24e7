"""What was drawn, read back from the artists, against native R's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection

import pymlm as mlm
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.plot.figures import cake, cake_lines, data, draw, fit, moderated, pastes, sleep
from tests.tolerances import ARITHMETIC, BY_HAND, SAME_PATH

#: The limit on the curve is interpolated linearly in 301 points between R's, R's by splines.
READ_OFF = 2e-3

REFERENCE = r"""
lmer <- lme4::lmer
s <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
b <- coef(s)$Subject
r <- ranef(s, condVar = TRUE)$Subject
sd <- sqrt(apply(attr(r, "postVar"), 3, diag))
own <- coef(lmList(Reaction ~ Days | Subject, sleepstudy))
q <- qqnorm(residuals(s, "pearson"), plot.it = FALSE)
n <- nrow(sleepstudy); i <- seq_len(n)
left <- sleepstudy$Reaction - predict(s, re.form = NA)
V <- as.matrix(VarCorr(s)$Subject)
data(Exam, package = "mlmRev")
w <- coef(lm(normexam ~ standLRT + school, Exam))[["standLRT"]]
m <- aggregate(cbind(normexam, standLRT) ~ school, Exam, mean)
k <- lmer(angle ~ temp * recipe + (1 | recipe:replicate), cake)
at <- expand.grid(temp = c(175, 225), recipe = c("A", "B", "C"))
X <- model.matrix(~ temp * recipe, at)
ck <- lmer(angle ~ recipe * temperature + (1 | recipe:replicate), cake)
e <- as.data.frame(emmeans::emmeans(lmerTest::as_lmerModLmerTest(ck), ~ temperature | recipe,
                                    lmer.df = "satterthwaite"))
data(bdf, package = "nlme")
j <- lmerTest::lmer(langPOST ~ ses * schoolSES + IQ.verb + (1 | schoolNR), bdf)
ct <- coef(summary(j))[-1, ]
jm <- lmer(normexam ~ standLRT * schavg + (standLRT | school), Exam)
jv <- as.matrix(vcov(jm))[c("schavg", "standLRT:schavg"), c("schavg", "standLRT:schavg")]
pr <- suppressWarnings(profile(s, signames = FALSE))
pf <- as.data.frame(pr)
p <- lmer(strength ~ 1 + (1 | batch / cask), Pastes)
v <- as.data.frame(VarCorr(p))
pooled <- coef(lm(normexam ~ standLRT, Exam))[[1]]
alone <- coef(lm(normexam ~ 0 + school + standLRT, Exam))
partial <- coef(lmer(normexam ~ standLRT + (1 | school), Exam))$school
boot <- bootMer(s, function(m) fixef(m)[["Days"]], nsim = 60, seed = 1)
emit(list(
  intercept = b[["(Intercept)"]], slope = b[["Days"]], subject = rownames(b),
  fixed = unname(fixef(s)), mode = r[["Days"]], mode0 = r[["(Intercept)"]],
  sd = unname(sd[2, ]), own0 = own[["(Intercept)"]], own1 = own[["Days"]],
  own_subject = rownames(own), qx = q$x, qy = unname(q$y),
  band = qnorm(qbeta(0.025, i, n + 1 - i)), tau = attr(VarCorr(s)$Subject, "stddev")[["Days"]],
  ghost = tapply(left, sleepstudy$Subject, mean), ghost_sd = tapply(left, sleepstudy$Subject, sd),
  variance = V[1, 1] + 2 * (0:9) * V[1, 2] + (0:9)^2 * V[2, 2], residual = sigma(s)^2,
  lowest = -V[1, 2] / V[2, 2], within = w,
  between = coef(lm(normexam ~ standLRT, m))[[2]],
  pooled = coef(lm(normexam ~ standLRT, Exam))[[2]],
  fit = as.numeric(X %*% fixef(k)), fit_se = unname(sqrt(diag(X %*% as.matrix(vcov(k)) %*% t(X)))),
  emmean = e$emmean, lower = e$lower.CL, upper = e$upper.CL, recipe = as.character(e$recipe),
  est = unname(ct[, "Estimate"]), half = unname(ct[, "Std. Error"] * qt(0.975, ct[, "df"])),
  zeta = pf$.zeta[pf$.par == "sigma"], zeta_at = pf$.focal[pf$.par == "sigma"],
  limits = unname(confint(pr)["sigma", ]),
  shares = v$vcov / sum(v$vcov), share_names = v$grp,
  alone = unname(alone[paste0("school", rownames(partial))]), size = as.numeric(table(Exam$school)),
  partial = partial[["(Intercept)"]], complete = pooled,
  jn_b = unname(fixef(jm)[c("schavg", "standLRT:schavg")]),
  jn_v = jv[c(1, 2, 4)],
  cook = unname(cooks.distance(s)), days = boot$t[, 1]
))
"""


@pytest.fixture(scope="module")
def r() -> Any:
    return native(REFERENCE)


def lines(ax: Any) -> dict[str, Any]:
    """Lines of an Axes by label, the unlabelled ones by number."""
    return {line.get_label(): line for line in ax.get_lines()}


def segments(ax: Any, at: int = 0) -> np.ndarray[Any, Any]:
    """Ends of the at-th set of intervals, shape (n, 2, 2)."""
    sets = [c for c in ax.collections if isinstance(c, LineCollection)]
    return np.array(sets[at].get_segments())


def test_group_lines(r):
    ax = draw("group_lines")
    i = r["subject"].index("308")
    x, y = lines(ax)["308"].get_data()
    assert (x.min(), x.max()) == (0.0, 9.0)
    assert_close(y, r["intercept"][i] + r["slope"][i] * x, ARITHMETIC)
    x, y = lines(ax)["fixed effects"].get_data()
    assert_close(y, r["fixed"][0] + r["fixed"][1] * x, ARITHMETIC)
    assert len(ax.get_lines()) == 18 + 1
    points = np.array(ax.collections[0].get_offsets())
    sleepstudy = data("sleepstudy")
    assert_close(points, sleepstudy[["Days", "Reaction"]].to_numpy())


def test_group_lines_of_a_nested_factor_are_the_sums_of_its_effects():
    """Every replicate's line is its recipe's fixed line, shifted by its mode."""
    m = cake_lines()
    lines = mlm.group_lines(m, "temp")
    assert len(lines["grp"].unique()) == 1 + 45
    b, u = m.fixef(), m.ranef()["recipe:replicate"]
    for recipe, group in (("A", "A:3"), ("C", "C:15")):
        more = [0.0, 0.0] if recipe == "A" else [b["recipeC"], b["temp:recipeC"]]
        by_hand = b["(Intercept)"] + more[0] + (b["temp"] + more[1]) * np.array([175.0, 225.0])
        own = lines.loc[lines["grp"] == group, "predicted"]
        assert_close(own, by_hand + u.loc[group, "(Intercept)"], ARITHMETIC, group)


def test_caterpillar(r):
    intercepts, slopes = draw("caterpillar", level=0.9)
    order = np.argsort(r["mode0"], kind="stable")
    labels = [t.get_text() for t in intercepts.get_yticklabels()]
    assert labels == [r["subject"][i] for i in order]
    x, _ = slopes.get_lines()[-1].get_data()
    assert_close(x, np.array(r["mode"])[order])
    z = 1.6448536269514722  # qnorm(0.95)
    ends = segments(slopes)[:, :, 0]
    assert_close(ends[:, 1] - ends[:, 0], 2 * z * np.array(r["sd"])[order], SAME_PATH)


def test_ranef_density(r):
    ax = draw("ranef_density", terms="Days")[0]
    at, height = ax.get_lines()[-2].get_data()
    tau = r["tau"]
    assert_close(height, np.exp(-0.5 * (at / tau) ** 2) / (tau * np.sqrt(2 * np.pi)), ARITHMETIC)
    ticks = ax.get_lines()[0].get_xdata()
    assert_close(sorted(ticks), sorted(r["mode"]))


def test_qq(r):
    ax = draw("qq")
    x, y = ax.get_lines()[-1].get_data()
    assert_close(x, sorted(r["qx"]), SAME_PATH)
    assert_close(y, sorted(r["qy"]))
    low, high = np.quantile(r["qy"], [0.25, 0.75])  # qqline's, type 7
    slope = (high - low) / (2 * 0.6744897501960817)
    lower = ax.collections[0].get_paths()[0].vertices
    band = (low + high) / 2 + slope * np.array(r["band"])
    drawn = {round(float(a), 9): float(b) for a, b in lower[1 : len(x) + 1]}
    assert_close([drawn[round(float(a), 9)] for a in x], band, SAME_PATH)


def test_shrinkage(r):
    drawn = lines(draw("shrinkage"))
    own = drawn["each group's own"].get_data()
    model = drawn["mixed model"].get_data()
    order = np.argsort(r["own0"], kind="stable")
    assert r["own_subject"] == r["subject"]
    assert_close(own[0], np.array(r["own0"])[order], BY_HAND)
    assert_close(own[1], np.array(r["own1"])[order], BY_HAND)
    assert_close(model[0], np.array(r["intercept"])[order])
    assert_close(model[1], np.array(r["slope"])[order])
    assert_close(np.ravel(drawn["fixed effects"].get_data()), r["fixed"])


def test_pooling(r):
    ax = draw("pooling")[0]
    drawn = lines(ax)
    order = np.lexsort((sorted_names(), r["size"]))
    assert_close(drawn["partial pooling"].get_ydata(), np.array(r["partial"])[order])
    alone = drawn["no pooling, 95 %"].get_ydata()
    assert_close(alone, np.array(r["alone"])[order], BY_HAND)
    assert_close(drawn["complete pooling"].get_ydata(), [r["complete"]] * 2)
    sizes = drawn["partial pooling"].get_xdata()
    assert np.all(np.abs(sizes / np.array(r["size"])[order] - 1) <= 0.06 + 1e-9)  # set apart


def sorted_names() -> Any:
    return np.array([str(c) for c in data("mlmRev::Exam")["school"].cat.categories])


def test_within_between(r):
    drawn = draw("within_between").get_lines()
    found = {}
    for line in drawn:
        x, y = line.get_data()
        if len(x) == 2:
            found[line.get_label().split()[0]] = (y[1] - y[0]) / (x[1] - x[0])
    for kind in ("within", "between", "pooled"):
        assert_close(found[kind], r[kind], BY_HAND, kind)


def test_residuals_by_group(r):
    ax = draw("residuals_by_group")
    means = lines(ax)["mean ± standard deviation"].get_xdata()
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert_close(means, [r["ghost"][n] for n in names], BY_HAND)
    assert names == sorted(names, key=lambda n: r["ghost"][n])
    ends = segments(ax)[:, :, 0]
    assert_close(ends[:, 1] - ends[:, 0], [2 * r["ghost_sd"][n] for n in names], BY_HAND)


def test_variance(r):
    drawn = lines(mlm.plot.variance(sleep(), "Days", at=range(10)))
    assert_close(drawn["between groups"].get_ydata(), r["variance"])
    assert_close(drawn["total"].get_ydata(), np.array(r["variance"]) + r["residual"])
    ax = draw("variance", label="all")
    mark = ax.get_lines()[-1]
    assert_close(mark.get_xdata(), [r["lowest"]], SAME_PATH)
    chosen = lines(mlm.plot.variance(at=[-1, 0, 2], tau=[[2, 0.5], [0.5, 1]], sigma=3))
    assert chosen["total"].get_ydata().tolist() == [2 - 1 + 1 + 9, 2 + 9, 2 + 2 + 4 + 9]


def test_predictions(r):
    ax = mlm.plot.predictions(cake_lines(), ["temp", "recipe"], at={"temp": [175, 225]})
    drawn = lines(ax)
    fits = np.concatenate([drawn[g].get_ydata() for g in "ABC"])
    assert_close(fits, r["fit"])
    bands = [c.get_paths()[0].vertices[:, 1] for c in ax.collections]
    low = np.array(r["fit"]) - 1.959963984540054 * np.array(r["fit_se"])
    for i, band in enumerate(bands):
        assert_close(band.min(), low[2 * i : 2 * i + 2].min(), SAME_PATH)


def test_predictions_have_panels_for_a_third_variable():
    m = fit("normexam ~ standLRT * schavg * sex + (1 | school)", "mlmRev::Exam")
    panels = mlm.plot.predictions(m, ["standLRT", "schavg", "sex"])
    assert [p.get_title() for p in panels] == ["sex = F", "sex = M"]
    grid = mlm.prediction_lines(m, ["standLRT", "schavg", "sex"])
    drawn = np.concatenate([line.get_ydata() for line in panels[1].get_lines()])
    want = grid[grid["sex"] == "M"].sort_values("schavg", kind="stable")["fit"]
    assert_close(drawn, want)


def test_means(r):
    ax = draw("means")
    drawn = lines(ax)
    for i, recipe in enumerate("ABC"):
        own = [k == recipe for k in r["recipe"]]
        assert_close(drawn[recipe].get_ydata(), np.array(r["emmean"])[own], SAME_PATH)
        ends = segments(ax, i)[:, :, 1]
        assert_close(ends[:, 0], np.array(r["lower"])[own], SAME_PATH)
        assert_close(ends[:, 1], np.array(r["upper"])[own], SAME_PATH)
    panels = mlm.plot.means(cake().emmeans("temperature", by="recipe"))
    assert [p.get_title() for p in panels] == [f"recipe = {k}" for k in "ABC"]
    contrasts = mlm.plot.means(cake().emmeans("recipe", contrast="pairwise", infer="both"))
    assert [t.get_text() for t in contrasts.get_yticklabels()] == ["A - B", "A - C", "B - C"]


def test_johnson_neyman(r):
    """The bound within the data is where R's slope over its error is the critical t."""
    m = fit("normexam ~ standLRT * schavg + (standLRT | school)", "mlmRev::Exam")
    ax = mlm.plot.johnson_neyman(m, "schavg", "standLRT", ddf="asymptotic")
    (mark,) = [line.get_xdata()[0] for line in ax.get_lines() if line.get_linestyle() == "--"]
    b, v = r["jn_b"], np.array(r["jn_v"])
    slope = b[0] + b[1] * mark
    error = np.sqrt(v[0] + 2 * mark * v[1] + mark**2 * v[2])
    assert_close(abs(slope) / error, 1.959963984540054, SAME_PATH)
    x, y = ax.get_lines()[1].get_data()
    assert_close(y, b[0] + b[1] * x, SAME_PATH)
    shown = [t.get_text() for t in ax.get_legend().get_texts()]
    assert shown == ["p < 0.05", "not significant"]


def test_profile(r):
    (ax,) = draw("profile", parameters="sigma")
    curve, dots = ax.get_lines()[:2]
    order = np.argsort(r["zeta_at"])
    # R keeps points of a profile; the estimate itself stands in it twice, pymlm draws it once.
    at, zeta = np.array(r["zeta_at"])[order], np.array(r["zeta"])[order]
    single = np.concatenate([[True], np.diff(at) > 0])
    assert_close(dots.get_xdata(), at[single], SAME_PATH)
    assert_close(dots.get_ydata(), zeta[single], SAME_PATH)
    x, y = curve.get_data()
    assert np.all(np.diff(y) > 0)
    limits = sorted(line.get_xdata()[0] for line in ax.get_lines()[3:])
    assert_close(limits, r["limits"], READ_OFF)
    (ax,) = draw("profile", kind="density", parameters="sigma")
    x, y = ax.get_lines()[0].get_data()
    mass = float(np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)))
    assert abs(mass - 1) < READ_OFF


def test_coefs(r):
    ax = draw("coefs", label="lmer")
    drawn = lines(ax)["lmer"].get_xdata()
    assert_close(drawn, r["est"])
    ends = segments(ax)[:, :, 0]
    assert_close((ends[:, 1] - ends[:, 0]) / 2, r["half"], SAME_PATH)
    both = mlm.plot.coefs({"one": moderated(), "two": mlm.lm("langPOST ~ ses", data("nlme::bdf"))})
    assert [t.get_text() for t in both.get_legend().get_texts()] == ["one", "two"]
    assert len(lines(both)["two"].get_xdata()) == 1


def test_bootstrap(r):
    (ax,) = draw("bootstrap", terms="Days")
    assert_close(ax.get_lines()[1].get_xdata()[0], r["fixed"][1])
    x, _ = ax.get_lines()[0].get_data()
    assert_close([x.min(), x.max()], [min(r["days"]), max(r["days"])], SAME_PATH)


def test_variance_shares(r):
    ax = draw("variance_shares")
    widths = {c.get_label(): c.patches[0].get_width() for c in ax.containers}
    for name, share in zip(r["share_names"], r["shares"], strict=True):
        assert_close(widths[name], share)


def test_design_effect():
    ax = mlm.plot.design_effect(icc=[0.1, 0.3], n=[1, 5, 11])
    drawn = lines(ax)
    np.testing.assert_allclose(drawn["ICC 0.3"].get_ydata(), [1.0, 2.2, 4.0], rtol=ARITHMETIC)
    own = draw("design_effect").get_lines()[2].get_data()
    found = mlm.design_effect(pastes())
    assert_close(own[0], found.size)
    assert_close(own[1], found.design_effect)


def test_check(r):
    panels = draw("check")
    titles = [p.get_title().split("\n")[0] for p in panels]
    assert titles == [
        "Simulated responses", "Linearity", "Equal spread", "Influence", "Normality of residuals",
        "Normality of (Intercept) by Subject", "Normality of Days by Subject",
    ]  # fmt: skip
    assert_close(segments(panels[3])[:, 1, 1], r["cook"], SAME_PATH)
    dots = panels[1].get_lines()[1].get_ydata()
    assert_close(sorted(dots), sorted(r["qy"]))
    assert_close(panels[4].get_lines()[-1].get_ydata(), sorted(r["qy"]))


def test_levels():
    batch, sample, table = draw("levels")
    assert [p.get_height() for p in batch.patches] == [6] * 10
    assert sum(p.get_height() for p in sample.patches) == 30
    marks = table.get_lines()[0].get_xydata()
    assert len(marks) == 30  # nested: every sample in one batch, three in each
    assert np.bincount(marks[:, 0].astype(int)).tolist() == [3] * 10
    crossed = mlm.plot.levels(data("Penicillin"), ["plate", "sample"])[2]
    assert len(crossed.get_lines()[0].get_xydata()) == 24 * 6


def test_comparison_arrows():
    """Their ends are those of emmeans' own plot."""
    ends = native(
        "ck <- lme4::lmer(angle ~ recipe * temperature + (1 | recipe:replicate), cake)\n"
        'e <- emmeans::emmeans(lmerTest::as_lmerModLmerTest(ck), "temperature", '
        'lmer.df = "satterthwaite")\n'
        "d <- plot(e, comparisons = TRUE, plotit = FALSE)\n"
        "emit(list(low = d$lcmpl[-1], high = d$rcmpl, level = as.character(d$temperature)))"
    )  # the lowest mean has no arrow downwards
    emm = cake().emmeans("temperature", comparisons=True)
    assert list(emm.labels[0].text) == ends["level"]
    assert np.isnan(emm.arrow_low[0])
    assert_close(emm.arrow_low[1:], ends["low"], SAME_PATH)
    high = np.array([np.nan if h is None else h for h in ends["high"]])
    assert_close(np.asarray(emm.arrow_high)[np.isfinite(high)], high[np.isfinite(high)], SAME_PATH)
    drawn = [a.xy[1] for a in emm.plot().texts if a.arrow_patch is not None]
    wanted = [*emm.arrow_low[np.isfinite(emm.arrow_low)], *high[np.isfinite(high)]]
    assert_close(sorted(drawn), sorted(wanted), SAME_PATH)
    with pytest.raises(mlm.errors.ArgumentError, match="of means, not of contrasts"):
        cake().emmeans("recipe", contrast="pairwise", comparisons=True)
