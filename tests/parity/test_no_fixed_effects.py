"""Models without fixed effects: the right answer, or a refusal that says why."""

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ConvergenceWarning, NotSupportedError
from tests.native import assert_close

#: Two ways through a sparse Cholesky factor.
BY_HAND = 1e-9


@pytest.fixture(scope="module")
def data():
    d = mlm.load_dataset("sleepstudy")
    return d.assign(up=(d.Reaction > 300).astype(int), dev=d.Reaction - d.Reaction.mean())


@pytest.fixture(scope="module")
def models(data):
    return {
        "lmer": mlm.lmer("dev ~ 0 + (1 | Subject)", data),
        "glmer": mlm.glmer("up ~ 0 + (1 | Subject)", data),
        "slopes": mlm.lmer("dev ~ 0 + (Days | Subject)", data),
    }


REFUSED = {
    "cooks_distance": lambda m: m.cooks_distance(),
    "influence": lambda m: m.influence(),
    "influence of groups": lambda m: m.influence(groups="Subject"),
    "emmeans": lambda m: m.emmeans("1"),
    "cld": lambda m: m.cld("Days"),
    "joint_tests": lambda m: m.joint_tests(),
    "effect_types": mlm.effect_types,
    "lme4's anova": lambda m: m.anova(ddf=None),
}
OF_LM = {
    **{q: REFUSED[q] for q in ("cooks_distance", "influence", "emmeans", "joint_tests")},
    **{
        f"robust_errors {t}": lambda m, t=t: mlm.robust_errors(m, type=t)
        for t in ("HC3", "HAC", "bootstrap")
    },
    "cluster_robust": lambda m: mlm.cluster_robust(m, by="Subject"),
    "interval": lambda m: m.predict(mlm.load_dataset("sleepstudy")[:2], interval="confidence"),
}
LINEAR_ONLY = {
    **{style: lambda m, s=style: mlm.render(m, s) for style in ("sas", "spss", "stata")},
    "cluster_robust": mlm.cluster_robust,
    "show_tests": lambda m: m.show_tests(),
    "kr_modcomp": lambda m: mlm.kr_modcomp(m, m),
    "sat_modcomp": lambda m: mlm.sat_modcomp(m, m),
    "Kenward-Roger": lambda m: m.summary(ddf="Kenward-Roger"),
    "anova by Kenward-Roger": lambda m: m.anova(ddf="Kenward-Roger"),
    "vcov by Kenward-Roger": lambda m: m.vcov(ddf="Kenward-Roger"),
}


@pytest.mark.parametrize("name", ["lmer", "glmer", "slopes"])
@pytest.mark.parametrize("question", [*REFUSED, *LINEAR_ONLY])
def test_what_is_about_fixed_effects_says_that_there_are_none(models, name, question):
    if name == "glmer" and question in LINEAR_ONLY:
        pytest.skip("refused because the model is generalized")
    with pytest.raises(NotSupportedError, match=r"has none|intercept|fixed effects"):
        {**REFUSED, **LINEAR_ONLY}[question](models[name])


@pytest.mark.parametrize("question", OF_LM)
@pytest.mark.parametrize("name", ["lm", "glm"])
def test_so_do_models_without_any_coefficient(data, name, question):
    m = mlm.lm("dev ~ 0", data) if name == "lm" else mlm.glm("up ~ 0", data, "binomial")
    with pytest.raises(NotSupportedError, match=r"has none|no term|no intervals"):
        OF_LM[question](m)
    assert_close(m.predict(data[:2]), np.full(2, 0.5 * (name == "glm")))


@pytest.mark.parametrize("name", ["lmer", "glmer"])
def test_augment_has_the_leverages_of_the_random_effects(models, name):
    rows = models[name].augment()
    assert rows[".cooksd"].isna().all()
    Z = models[name].model_matrix("random").to_numpy()
    theta = models[name].theta.iloc[0]
    if name == "lmer":
        inverse = np.linalg.inv(np.eye(Z.shape[1]) + theta**2 * Z.T @ Z)
        assert_close(rows[".hat"], np.diag(theta**2 * Z @ inverse @ Z.T), BY_HAND)
    assert (rows[".hat"] > 0).all()
    assert_close(rows[".fitted"], models[name].predict(type="link"))


@pytest.mark.parametrize("name", ["lmer", "glmer", "slopes"])
def test_coefficients_of_the_groups_are_their_modes(models, name):
    coef = models[name].coef()["Subject"]
    modes = models[name].ranef()["Subject"]
    for column in coef.columns:
        assert_close(coef[column], modes[column])


def test_a_smaller_model_without_fixed_effects(data, models):
    large = mlm.lmer("dev ~ Days + (1 | Subject)", data)
    for compare in (mlm.kr_modcomp, mlm.sat_modcomp):
        both = compare(large, models["lmer"])
        assert_close(both.p_value, compare(large, np.eye(2)).p_value)


def test_other_answers_are_there(models):
    for model in models.values():
        assert len(model.summary().fixed.term) == 0
        assert len(model.anova(ddf="asymptotic").term) == 0
        assert str(mlm.equations(model))
        assert mlm.shrinkage(model).to_frame().notna().any().any()


def test_an_optimizer_that_stopped_early_is_a_convergence_warning(data):
    control = {"optimizer": "Nelder_Mead", "opt_ctrl": {"maxfun": 12}}
    with pytest.warns(ConvergenceWarning, match="failure to converge in 12 evaluations"):
        mlm.glmer("up ~ Days + (1 | Subject)", data, control=control)


def test_pooling_of_an_intercept_alone(data):
    one, all_ = (mlm.pooling("Reaction ~ 1", data, "Subject", vary=v) for v in ("intercept", "all"))
    assert_close(one.no_pooling, all_.no_pooling)
    assert_close(one.no_pooling_se, all_.no_pooling_se)


def test_a_deletion_table_says_its_test_and_keeps_aic(data):
    frame = mlm.lmer("Reaction ~ Days + (1 | Subject)", data).drop1(ddf=None).to_frame()
    assert list(frame["test"]) == ["chisq", "chisq"]
    assert frame.loc["Days", "aic"] > frame.loc["<none>", "aic"]
    assert "test" not in mlm.lmer("Reaction ~ Days + (1 | Subject)", data).drop1().to_frame()
