"""Leverages, influence, collinearity, quantiles and checks against native R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError, RPackageError, RWarning
from tests.native import ROUND_TRIP, native, needs_r, r_version
from tests.native import assert_fits_close as assert_close
from tests.tolerances import BY_HAND, FLAT_TAIL

#: Refits stop where the optimizer's tolerance lets them, not at the same last digit each time.
REFITS = 1e-5

REFERENCE = r"""
lmer <- lme4::lmer
s <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
k <- lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake)
p <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)
a <- lmer(Ozone ~ Temp + Wind + (1 | Month), airquality)
g <- glmer(incidence ~ period + (1 | herd), cbpp, poisson)
pack <- function(i) list(cook = unname(cooks.distance(i)), dfbeta = unclass(dfbeta(i)),
  dfbetas = unclass(dfbetas(i)), vc = unclass(dfbeta(i, which = "var.cov")),
  level = as.character(i$deleted), fixed = i[[2]])
one <- influence(p, "sample", data = Penicillin)
v <- car::vif(k)
q <- qqnorm(residuals(s, "pearson"), plot.it = FALSE)
r <- qqnorm(ranef(s)$Subject$Days, plot.it = FALSE)
h <- performance::check_homogeneity(s)
set.seed(1) # both simulate since performance 0.12
over <- performance::check_overdispersion(g)
set.seed(1)
zero <- performance::check_zeroinflation(g)
say <- function(x) paste(capture.output(print(x)), collapse = "\n")
norm <- performance::check_normality(s)
emit(list(
  hat = unname(hatvalues(s)), cook = unname(cooks.distance(s)),
  hat_crossed = unname(hatvalues(p)), hat_missing = unname(hatvalues(a)),
  groups = pack(influence(s, "Subject", data = sleepstudy)),
  cases = pack(influence(a, data = a@frame)),
  crossed = pack(influence(k, "both",
                           data = transform(cake, both = paste(recipe, temp, sep = ".")))),
  one_cook = unname(cooks.distance(one)), one_fixed = unname(one[[2]][, 1]),
  pca = rePCA(s)$Subject$sdev, pca_print = say(rePCA(s)),
  vif = unname(v[, 1]), vif_df = unname(v[, 2]), vif_scaled = unname(v[, 3]),
  vif_plain = unname(car::vif(a)),
  q = q$x, r = r$x,
  normality = as.numeric(norm), normality_print = say(norm),
  re = as.numeric(performance::check_normality(s, effects = "random")),
  homogeneity = as.numeric(h), over = unclass(over)[1:4], zero = unclass(zero)[1:3],
  outliers = which(as.logical(performance::check_outliers(s)))
))
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    needs_r("performance", "car")
    return native(REFERENCE)


@pytest.fixture(scope="module")
def sleep() -> Any:
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


@pytest.fixture(scope="module")
def cake() -> Any:
    return mlm.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))


@pytest.fixture(scope="module")
def air() -> Any:
    return mlm.lmer("Ozone ~ Temp + Wind + (1 | Month)", mlm.load_dataset("datasets::airquality"))


@pytest.fixture(scope="module")
def penicillin() -> Any:
    return mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))


@pytest.fixture(scope="module")
def counts() -> Any:
    return mlm.glmer("incidence ~ period + (1 | herd)", mlm.load_dataset("cbpp"), family="poisson")


def test_hat_values(sleep: Any, penicillin: Any, reference: Any) -> None:
    assert_close(sleep.hat_values(), reference["hat"])
    # the crossed fit's optimum itself repeats to about eleven digits only
    assert_close(penicillin.hat_values(), reference["hat_crossed"], BY_HAND)


def test_hat_values_come_back_on_the_data_s_index(air: Any, reference: Any) -> None:
    ours = air.hat_values()
    assert len(ours) == 153
    assert ours.isna().equals(mlm.load_dataset("datasets::airquality")["Ozone"].isna())
    assert_close(ours.dropna(), np.array(reference["hat_missing"], dtype=float))


def test_cooks_distance(sleep: Any, reference: Any) -> None:
    assert_close(sleep.cooks_distance(), reference["cook"])


def agree(ours: Any, theirs: Any) -> None:
    assert list(ours.level) == theirs["level"]
    assert_close(ours.cooks_distance, theirs["cook"], REFITS)
    assert_close(ours.dfbeta, theirs["dfbeta"]["values"], REFITS)
    assert_close(ours.dfbetas, theirs["dfbetas"]["values"], REFITS)
    assert_close(ours.component_change, theirs["vc"]["values"], REFITS)
    assert_close(ours.fixed(), theirs["fixed"]["values"], REFITS)


def test_influence_of_groups(sleep: Any, reference: Any) -> None:
    ours = sleep.influence("Subject")
    agree(ours, reference["groups"])
    assert ours.component == ("sigma^2", "v[(Intercept)]", "C[Days,(Intercept)]", "v[Days]")
    assert list(ours.to_frame().columns) == [
        "cooks_distance", "dfbetas.(Intercept)", "dfbetas.Days", "converged",
    ]  # fmt: skip


def test_a_group_left_out_is_a_fit_without_it(sleep: Any) -> None:
    data = mlm.load_dataset("sleepstudy")
    less = mlm.lmer("Reaction ~ Days + (Days | Subject)", data[data["Subject"] != "337"])
    ours = sleep.influence("Subject")
    assert_close(ours.fixed().loc["337"], less.fixef(), REFITS)
    assert_close(ours.variances().loc["337", "v[Days]"], less.varcorr().vcov[1], FLAT_TAIL)


def test_influence_of_cases_uses_the_rows_that_were_used(air: Any, reference: Any) -> None:
    ours = air.influence()
    assert len(ours.level) == air.nobs == 116
    agree(ours, reference["cases"])


def test_influence_with_one_fixed_effect(penicillin: Any, reference: Any) -> None:
    """lme4's dfbetas() stops here; ours are the change over its standard error."""
    ours = penicillin.influence("sample")
    assert_close(ours.cooks_distance, reference["one_cook"], REFITS)
    assert_close(ours.coefficients[:, 0], reference["one_fixed"], REFITS)
    assert np.isfinite(ours.dfbetas).all()


def test_influence_of_crossed_columns(cake: Any, reference: Any) -> None:
    """lme4 1.1-31 leaves out single rows where it is given two columns."""
    ours = cake.influence(["recipe", "temp"])
    assert ours.groups == "recipe.temp"
    agree(ours, reference["crossed"])


def test_influence_of_a_combined_grouping_factor(cake: Any) -> None:
    whole, crossed = (cake.influence(g) for g in ("recipe:replicate", ["recipe", "replicate"]))
    assert whole.level[0] == "A:1"
    assert whole.cooks_distance.tolist() == crossed.cooks_distance.tolist()


def test_influence_where_a_coefficient_is_lost_with_its_only_row() -> None:
    """lme4 fills the lost coefficient's place with the first number of the row."""
    data = mlm.load_dataset("sleepstudy").assign(b=0.0, c=0.0)
    data.loc[data.index[[2, 30]], "b"] = 1.0
    data.loc[data.index[7], "c"] = 1.0
    m = mlm.lmer("Reaction ~ Days + b + c + (1 | Subject)", data)
    with pytest.warns(RWarning, match="without '8'"):
        ours = m.influence()
    without = mlm.lmer("Reaction ~ Days + b + (1 | Subject)", data.drop(data.index[7]))
    assert_close(ours.fixed().loc["8"].dropna(), without.fixef(), REFITS)
    assert list(ours.fixed().columns[ours.fixed().loc["8"].isna()]) == ["c"]
    assert np.isnan(ours.to_frame().loc["8", "cooks_distance"])


def test_influence_of_a_level_that_the_model_cannot_be_without() -> None:
    data = mlm.load_dataset("sleepstudy").head(20)
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    with pytest.raises(DataError, match="leaving out one level of Subject"):
        m.influence("Subject")


def test_components_of_the_random_effects(sleep: Any, reference: Any) -> None:
    ours = sleep.re_pca()
    assert_close(ours.groups[0].std_dev, reference["pca"])
    assert str(ours) == reference["pca_print"]
    assert ours.groups[0].cumulative[-1] == pytest.approx(1.0)


def test_variance_inflation(cake: Any, air: Any, reference: Any) -> None:
    ours = cake.vif()
    assert ours.term == ("recipe", "temp", "recipe:temp")
    assert_close(ours.vif, reference["vif"], BY_HAND)
    assert_close(ours.df, reference["vif_df"])
    assert_close(ours.scaled_vif, reference["vif_scaled"], BY_HAND)
    assert_close(air.vif().vif, reference["vif_plain"], BY_HAND)


def test_variance_inflation_needs_two_terms(sleep: Any) -> None:
    with pytest.raises(NotSupportedError, match="two terms"):
        sleep.vif()
    with pytest.raises(NotSupportedError, match="the model has 0"):
        sleep.update(". ~ . - Days").vif()


def test_quantiles(sleep: Any, reference: Any) -> None:
    residuals = sleep.qq_data().to_frame()
    assert_close(residuals["theoretical"], reference["q"])
    assert_close(residuals["sample"], sleep.residuals("pearson"))
    random = sleep.qq_data("random").to_frame()
    days = random[random["term"] == "Days"]
    assert_close(days["theoretical"], reference["r"])
    assert_close(days["sample"], sleep.ranef()["Subject"]["Days"])
    modes = sleep.ranef().to_frame()
    assert_close(days["std_error"], modes[modes["term"] == "Days"]["condsd"])


def test_normality(sleep: Any, reference: Any) -> None:
    ours = sleep.check("normality")
    assert_close(ours.p_value, reference["normality"])
    assert str(ours) == reference["normality_print"]
    assert_close(list(sleep.check("random_effects").values.values()), reference["re"])


def test_homogeneity_and_outliers(sleep: Any, reference: Any) -> None:
    assert_close(sleep.check("homogeneity").p_value, reference["homogeneity"])
    outliers = sleep.check("outliers")
    assert outliers.rows is not None
    assert [i + 1 for i in outliers.rows] == reference["outliers"]


def test_counts(counts: Any, reference: Any) -> None:
    over = counts.check("overdispersion")
    assert {"dispersion_ratio", "p_value"} <= set(over.values)
    for name, value in over.values.items():
        assert_close(value, reference["over"][name], ROUND_TRIP * 1e3, name)
    assert over.p_value == over.values["p_value"]
    zero = counts.check("zero_inflation")
    assert zero.values["observed_zeros"] == reference["zero"]["observed.zeros"]
    assert zero.values["predicted_zeros"] == reference["zero"]["predicted.zeros"]


def test_heteroscedasticity_by_hand(sleep: Any) -> None:
    e, f = sleep.residuals().to_numpy(), sleep.fitted().to_numpy()
    u = e**2 / np.mean(e**2)
    slope = np.polynomial.Polynomial.fit(f, u, 1)
    expected = float(np.sum((slope(f) - 1.0) ** 2) / 2)
    assert sleep.check("heteroscedasticity").values["statistic"] == pytest.approx(expected)


def test_heteroscedasticity_has_its_level() -> None:
    """Under the null 5 % of data sets are rejected at 5 %; 200 data sets, ±3 SE (±4.6 %)."""
    rng = np.random.default_rng(4)
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", mlm.load_dataset("sleepstudy"))
    mean, rejected = m.predict(re_form="NA").to_numpy(), 0
    for _ in range(200):
        y = mean + np.repeat(rng.normal(0, 40, 18), 10) + rng.normal(0, 30, 180)
        rejected += m.refit(y).check("heteroscedasticity").p_value < 0.05
    assert rejected / 200 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_checks_that_do_not_apply(sleep: Any, counts: Any) -> None:
    needs_r("performance")
    if not r_version("DHARMa"):  # with it performance simulates any model's dispersion
        with pytest.raises((NotSupportedError, RPackageError), match=r"of counts|DHARMa"):
            sleep.check("overdispersion")
    with pytest.raises(NotSupportedError, match="overdispersion"):
        counts.check("heteroscedasticity")
    with pytest.raises(ArgumentError, match="normality"):
        sleep.check("normalty")


def test_bad_groups(sleep: Any, tmp_path: Any) -> None:
    with pytest.raises(DataError, match="'School' is no column"):
        sleep.influence("School")
    with pytest.raises(ArgumentError, match="list of names"):
        sleep.influence([1])
    assert len(sleep.hat_values()) == 180


def test_influence_needs_the_data(tmp_path: Any) -> None:
    native(f"""
        d <- sleepstudy
        m <- lme4::lmer(log(Reaction) ~ Days + (1 | Subject), d)
        saveRDS(m, "{tmp_path / "m.rds"}"); emit(1)""")
    with pytest.raises(DataError, match="data did not come with it"):
        mlm.load_model(tmp_path / "m.rds").influence("Subject")
