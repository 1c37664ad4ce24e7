"""An offset is one thing, in the formula, as a column, as an array; weights where they count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import DataError, NotSupportedError
from tests.native import assert_close, native
from tests.tolerances import BY_HAND

#: The optimizer starts anew for each spelling, from sums in another order.
REFIT = 1e-6
#: Two computations of one closed form.
SAME = 1e-10

# R's own remarks on a handful of draws, and on any hat matrix of a GLMM.
pytestmark = [
    pytest.mark.filterwarnings("ignore:extreme order statistics"),
    pytest.mark.filterwarnings("ignore:the hat matrix may not make sense"),
]

SPELLINGS = ("formula", "column", "array")
MODELS = ("lmer", "glmer", "glmer_nb", "lm", "glm")


def _data() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n = 240
    d = pd.DataFrame(
        {
            "g": np.repeat([f"g{i:02d}" for i in range(12)], 20),
            "x": rng.normal(size=n),
            "t": rng.integers(1, 50, n).astype(float),
            "f": np.tile(list("uvw"), 80),
            "w": rng.uniform(0.5, 2, n),
        }
    )
    d["lt"] = np.log(d["t"])
    group = np.repeat(0.4 * rng.normal(size=12), 20)
    mean = np.exp(-1 + d["lt"] + 0.3 * d["x"] + group)
    d["n"] = rng.negative_binomial(4, 4 / (4 + mean))
    d["y"] = d["lt"] + 0.3 * d["x"] + group + rng.normal(size=n)
    return d


def _fit(kind: str, spelling: str, d: pd.DataFrame) -> Any:
    given: dict[str, Any] = {
        "formula": {}, "column": {"offset": "lt"}, "array": {"offset": d["lt"].to_numpy()}
    }[spelling]  # fmt: skip
    right = "x + f" + (" + offset(lt)" if spelling == "formula" else "")
    group = "" if kind in ("lm", "glm") else " + (1 | g)"
    text = ("y" if kind in ("lmer", "lm") else "n") + " ~ " + right + group
    if kind in ("glmer", "glm"):
        given["family"] = "poisson"
    return getattr(mlm, kind)(text, d, **given)


QUESTIONS = {
    "predict": lambda m, d: m.predict(),
    "residuals": lambda m, d: m.residuals(),
    "vcov": lambda m, d: np.diag(m.vcov()),
    "predict without groups": lambda m, d: m.predict(re_form="NA"),
    "predict interval": lambda m, d: m.predict(interval="confidence").to_frame(),
    "emmeans": lambda m, d: m.emmeans("f").to_frame()[["emmean", "std_error"]],
    "emmeans offset": lambda m, d: m.emmeans("f", offset=1.5).to_frame()["emmean"],
    "emtrends": lambda m, d: m.emtrends("f", var="x").to_frame()[["trend", "std_error"]],
    "joint_tests": lambda m, d: m.joint_tests().statistic,
    "simulate": lambda m, d: m.simulate(1, seed=2),
    "simulate given the groups": lambda m, d: m.simulate(1, seed=2, use_u=True),
    "refit": lambda m, d: m.refit(m.simulate(1, seed=5)["sim_1"]).fixef(),
    "bootstrap": lambda m, d: m.bootstrap(nsim=2, seed=1).draws_frame(),
    "augment": lambda m, d: m.augment()[[".fitted", ".resid", ".fixed", ".offset"]],
}
OF_ALL = ("predict", "residuals", "vcov")


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return _data()


@pytest.fixture(scope="module")
def fits(data: pd.DataFrame) -> dict[tuple[str, str], Any]:
    return {(k, s): _fit(k, s, data) for k in MODELS for s in SPELLINGS}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_one_answer_for_three_spellings(
    fits: dict[tuple[str, str], Any], data: pd.DataFrame, kind: str, question: str
) -> None:
    if kind in ("lm", "glm") and question not in OF_ALL:
        return  # these classes do not have the question
    one, two, three = (QUESTIONS[question](fits[kind, s], data) for s in SPELLINGS)
    assert_close(two, one, REFIT, "column")
    assert_close(three, one, REFIT, "array")


@pytest.mark.parametrize("kind", MODELS)
def test_new_rows(fits: dict[tuple[str, str], Any], data: pd.DataFrame, kind: str) -> None:
    rows = data.iloc[[200, 7, 31]].drop(columns=["n", "y"])
    for spelling in ("formula", "column"):
        m = fits[kind, spelling]
        assert_close(m.predict(rows), m.fitted().loc[rows.index], SAME, spelling)
        with pytest.raises(DataError, match="no column 'lt'"):
            m.predict(rows.drop(columns="lt"))
    with pytest.raises(DataError, match="given as an array"):
        fits[kind, "array"].predict(rows)


def test_group_lines_know_the_column(fits: dict[tuple[str, str], Any]) -> None:
    one, two = (mlm.group_lines(fits["lmer", s], "x").predicted for s in ("formula", "column"))
    assert_close(two, one, REFIT)


def test_means_at_values_of_the_offset_s_variable(data: pd.DataFrame) -> None:
    m = mlm.glmer("n ~ f + offset(log(t)) + (1 | g)", data, family="poisson")
    cells = pd.DataFrame({"f": list("uvw")})
    for at, t in ((None, data["t"].mean()), ({"t": 1}, 1.0), ({"t": 7}, 7.0)):
        means = m.emmeans("f", at=at, type="response").to_frame()["emmean"]
        assert_close(means, m.predict(cells.assign(t=t), re_form="NA"), SAME, str(at))
    by_t = m.emmeans(["f", "t"], at={"t": [1, 2]}).to_frame()
    assert_close(by_t["emmean"][by_t["t"] == 2], by_t["emmean"][by_t["t"] == 1] + np.log(2), SAME)
    rates = m.emmeans("f", offset=0, type="response").to_frame()["emmean"]
    assert_close(rates, m.predict(cells.assign(t=1.0), re_form="NA"), SAME)
    with pytest.raises(NotSupportedError, match="coefficient 1"):
        m.emtrends("f", var="t")
    column = mlm.glmer("n ~ f + (1 | g)", data, family="poisson", offset="lt")
    assert_close(
        column.emmeans("f", at={"lt": 0}).to_frame()["emmean"], np.log(rates), REFIT, "column"
    )


def test_means_are_those_of_emmeans(data: pd.DataFrame) -> None:
    """A grid of emmeans with this offset, which every version has."""
    m = mlm.lmer("y ~ f + (1 | g)", data, offset="lt")
    found = native(
        f"d <- data.frame(y = c({','.join(map(repr, data['y'].tolist()))}),\n"
        f"  lt = c({','.join(map(repr, data['lt'].tolist()))}),\n"
        "  g = rep(sprintf('%02d', 1:12), each = 20), f = rep(c('u', 'v', 'w'), 80))\n"
        "d$z <- d$y - d$lt\n"
        "m <- lmer(z ~ f + (1 | g), d)\n"
        "s <- summary(emmeans::emmeans(m, 'f', lmer.df = 'satterthwaite'))\n"
        "emit(list(mean = s$emmean + mean(d$lt), se = s$SE))"
    )
    ours = m.emmeans("f").to_frame()
    assert_close(ours["emmean"], found["mean"], REFIT)
    assert_close(ours["std_error"], found["se"], REFIT)


# --- weights --------------------------------------------------------------------------------------


def test_weights_of_a_negative_binomial_are_refused(data: pd.DataFrame) -> None:
    text = "n ~ x + (1 | g)"
    for fit in (
        lambda: mlm.glmer_nb(text, data, weights="w"),
        lambda: mlm.glmer(text, data, family="negative.binomial(3)", weights=np.full(240, 2.0)),
        lambda: mlm.glmer(text, data, family="poisson", weights="w").update(
            family="negative.binomial(3)"
        ),
    ):
        with pytest.raises(NotSupportedError, match="negative binomial"):
            fit()


@pytest.mark.parametrize("family", ["poisson", "negative.binomial(3)"])
def test_a_weight_of_two_is_the_row_twice(data: pd.DataFrame, family: str) -> None:
    """Of a glm in both families; of a glmer where it is not refused."""
    twice = pd.concat([data, data], ignore_index=True)
    one = mlm.glm("n ~ x", data, family=family, weights=np.full(240, 2.0))
    two = mlm.glm("n ~ x", twice, family=family)
    assert_close(one.coef(), two.coef(), REFIT)
    assert_close(one.loglik, two.loglik, REFIT)
    if family == "poisson":
        text = "n ~ x + (1 | g)"
        mixed = mlm.glmer(text, data, family=family, weights=np.full(240, 2.0))
        assert_close(mixed.loglik, mlm.glmer(text, twice, family=family).loglik, REFIT)


def test_multiple_membership_takes_the_offset_from_new_rows(data: pd.DataFrame) -> None:
    d = data.assign(second=data["g"].shift(1, fill_value="g00"))
    units = {"unit": ["g", "second"]}
    m = mlm.multiple_membership("y ~ x + (1 | unit)", d, units, offset="lt")
    assert_close(m.predict(d.tail(3)), m.fitted().tail(3), SAME)
    with pytest.raises(DataError, match="no column 'lt'"):
        m.predict(d.tail(3).drop(columns="lt"))


def test_a_saved_model_knows_its_offset(data: pd.DataFrame, tmp_path: Any) -> None:
    m = _fit("glmer", "column", data)
    again = mlm.load_model(m.save(tmp_path / "m.rds"))
    assert_close(again.predict(data.tail(3)), m.fitted().tail(3), SAME)
    assert_close(
        again.emmeans("f", at={"lt": 0}).to_frame()["emmean"],
        m.emmeans("f", offset=0).to_frame()["emmean"],
        SAME,
    )
    array = mlm.load_model(_fit("glmer", "array", data).save(tmp_path / "a.rds"))
    with pytest.raises(DataError, match="given as an array"):
        array.predict(data.tail(3))


@pytest.mark.parametrize("spelled", ["formula", "column", "array"])
def test_tests_and_trends_of_an_lm_with_an_offset(data: pd.DataFrame, spelled: str) -> None:
    """emmeans 1.8 stops at an offset here; the model is that of the response less the offset."""
    more = {"formula": {}, "column": {"offset": "lt"}, "array": {"offset": data["lt"].to_numpy()}}
    right = "x * f" + (" + offset(lt)" if spelled == "formula" else "")
    m = mlm.lm(f"y ~ {right}", data, **more[spelled])
    less = mlm.lm("y ~ x * f", data.assign(y=data["y"] - data["lt"]))
    for ask in (
        lambda m: m.emtrends("f", "x").to_frame()[["trend", "std_error", "df"]],
        lambda m: m.joint_tests().to_frame()[["num_df", "den_df", "statistic", "p_value"]],
    ):
        assert_close(ask(m).to_numpy(float), ask(less).to_numpy(float), BY_HAND)


@pytest.mark.parametrize("at", [None, {"x": [0.0, 1.0]}])
@pytest.mark.parametrize("terms", ["f + x + I(x^2)", "f * scale(x)", "f + poly(x, 2)"])
@pytest.mark.parametrize("spelled", ["formula", "column", "array", "formula and column"])
def test_means_of_an_lm_with_an_offset(
    data: pd.DataFrame, spelled: str, terms: str, at: Any
) -> None:
    """emmeans 2 loses one given beside I(x^2), emmeans 1.8 one of two; y less it knows."""
    given: Any = {"column": "lt", "array": data["lt"].to_numpy(), "formula and column": "w"}
    right = terms + (" + offset(lt)" if spelled.startswith("formula") else "")
    m = mlm.lm(f"y ~ {right}", data, offset=given.get(spelled))
    offset = data["lt"] + (data["w"] if spelled == "formula and column" else 0)
    less = mlm.lm(f"y ~ {terms}", data.assign(y=data["y"] - offset))
    specs = ["f"] if at is None else ["f", "x"]
    ours, theirs = (one.emmeans(specs, at=at).to_frame() for one in (m, less))
    assert_close(ours["emmean"] - offset.mean(), theirs["emmean"], BY_HAND)
    assert_close(ours["std_error"], theirs["std_error"], BY_HAND)
