"""What people type who come from elsewhere: each name is here, or is told."""

from __future__ import annotations

from typing import Any

import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from pymlm.hints import FUNCTIONS_OF_A_MODEL
from tests.engine.test_names import works

#: Attributes and methods of the fitted models of other packages, and R's functions of a model.
NAMES = {
    "statsmodels": (
        "params fe_params bse bse_fe bse_re pvalues tvalues conf_int cov_params cov_re vcomp scale "
        "random_effects random_effects_cov fittedvalues resid llf aic bic df_resid df_modelwc "
        "nobs get_prediction t_test wald_test f_test compare_lr_test profile_re rsquared summary2 "
        "converged predict model save t_test_pairwise wald_test_terms loglike bootstrap"
    ),
    "pymer4": (
        "coefs fixef ranef ranef_var ranef_corr fits residuals grps AIC BIC logLike post_hoc "
        "design_matrix warnings anova confint predict simulate plot_summary result_fit "
        "result_fit_stats result_anova result_emmeans result_boots emmeans vif family "
        "set_contrasts set_factors report formula params fit"
    ),
    "lme4": (
        "VarCorr logLik REMLcrit getME isSingular isREML ngrps refitML rePCA allFit bootMer AIC "
        "fixef ranef coef vcov sigma deviance profile confint simulate predict refit update "
        "hatvalues influence terms model_frame optinfo theta devFunOnly isLMM isGLMM isNLMM"
    ),
    "lmerTest, emmeans, pbkrtest": (
        "rand ranova step drop1 contest contest1D contestMD ls_means lsmeansLT difflsmeans "
        "show_tests get_model lsmeans pairs contrast emtrends lstrends joint_tests cld emmip "
        "ref_grid regrid eff_size KRmodcomp PBmodcomp vcovAdj"
    ),
    "marginaleffects, performance": (
        "avg_predictions avg_comparisons avg_slopes predictions comparisons slopes hypotheses "
        "marginaleffects plot_predictions plot_slopes icc r2 model_performance check_model"
    ),
    "MixedModels.jl": (
        "coeftable coefnames stderror dof dof_residual objective raneftables condVar fixefnames "
        "parametricbootstrap leverage loglik issingular PCA optsum θ β σ b u X varest sdest "
        "modelmatrix response likelihoodratiotest shrinkageplot nobs σs σρs λ getθ setθ ranef "
        "retbl stderr corr nθ condVartables fitlog saveoptsum restoreoptsum logdet pwrss feterm "
        "reterms coef fixef rss adjr2 nullloglikelihood meanresponse"
    ),
    "statsmodels, further": (
        "df_model bic_llf hqic compare_f_test compare_lm_test exog exog_names endog endog_names "
        "exog_re exog_vc group_labels k_fe k_re k_vc hist mle_retvals freepar score cov_type "
        "cov_kwds fvalue f_pvalue condition_number eigenvals HC0_se HC3_se cov_HC3 resid_pearson "
        "resid_deviance resid_response null_deviance pearson_chi2 llnull pseudo_rsquared load "
        "get_influence get_margeff get_robustcov_results outlier_test wresid mse_resid ssr ess"
    ),
    "broom.mixed, insight, parameters": (
        "tidy glance augment model_parameters standardize_parameters ci p_value standard_error "
        "degrees_of_freedom dof_satterthwaite dof_kenward dof_betwithin find_formula get_data "
        "get_variance get_random get_sigma get_parameters n_parameters model_info "
        "random_parameters estimate_means estimate_contrasts estimate_slopes estimate_relation "
        "estimate_grouplevel check_collinearity check_outliers check_overdispersion r2_nakagawa "
        "check_heteroscedasticity check_normality check_autocorrelation check_singularity "
        "compare_performance performance_icc performance_aic"
    ),
    "R's generics, lme4's insides, other packages": (
        "dfbetas cooks_distance rstandard rstudent weighted_residuals flist cnms Lambdat Zt L RX "
        "devcomp as_data_frame qqmath postVar fortify weights offset intervals getVarCov ACF "
        "augPred vcovCR vcovHC coeftest coef_test waldtest linearHypothesis Anova glht deltaMethod "
        "lincom nlcom testparm estat margins marginsplot datagrid tab_model plot_model "
        "stargazer modelsummary texreg extract_eq powerSim SATmodcomp get_ddf_Lb getKR lrtest"
    ),
}
#: What the hint of some must say.
SAID = {
    "params": "m.fixef()", "bse": "std_error", "pvalues": "p_value", "conf_int": "m.confint()",
    "AIC": "aic", "VarCorr": "varcorr", "coefs": "fixed.to_frame()", "rand": "m.ranova()",
    "devFunOnly": "m.deviance_at", "icc": "mlm.icc(m)", "θ": "m.theta", "t_test": "m.contest",
    "bootMer": "m.bootstrap()", "ref_grid": "at=", "KRmodcomp": "mlm.kr_modcomp",
}  # fmt: skip
#: Functions of a model in R, or of a package's module.
OF_THE_MODULE = (
    "emmeans emtrends fixef ranef coef VarCorr confint summary predict simulate refit update anova "
    "contest drop1 step ranova bootMer allFit logLik isSingular Lmer glmer lmer lm "
    "mixedlm MixedLM plm geeglm KRmodcomp PBmodcomp exactRLRT readRDS demean lmList lrtest "
    "avg_slopes slopes augment tidy glance show_tests deviance_at"
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Any:
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


def said_of(thing: Any, name: str) -> str | None:
    """The words of the error, None where the thing has the name."""
    try:
        getattr(thing, name)
    except AttributeError as error:
        return str(error)
    return None


@pytest.mark.parametrize("package", NAMES)
def test_names_of_models(package: str, model: Any) -> None:
    unknown = []
    for name in NAMES[package].split():
        words = said_of(model, name)
        if words is None:
            continue
        if "here it is " not in words and not (name == "family" and "no 'family'" in words):
            unknown.append(words)
        elif "here it is " in words:
            works(words.split("here it is ")[1], model)
        if name in SAID:
            assert SAID[name] in words, name
    assert not unknown


@pytest.mark.parametrize("name", FUNCTIONS_OF_A_MODEL)
def test_functions_of_the_module_are_no_methods(name: str, model: Any) -> None:
    assert callable(getattr(mlm, name))
    words = said_of(model, name)
    assert words is None or f"mlm.{name}(m)" in words


ARGUMENTS = {
    "vcov": (lambda m: m.anova(vcov="kenward-roger"), "ddf="),
    "conf_level": (lambda m: m.avg_slopes(conf_level=0.9), "level="),
    "p_adjust": (lambda m: m.emmeans("1", p_adjust="holm"), "adjust="),
    "contrasts": (lambda m: m.emmeans("1", contrasts="pairwise"), "contrast="),
    "use_rfx": (lambda m: m.predict(use_rfx=False), "re_form="),
    "newweights": (lambda m: m.refit(newweights="w"), "weights="),
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_told(name: str, model: Any) -> None:
    ask, own = ARGUMENTS[name]
    with pytest.raises(ArgumentError, match=f"no argument '{name}'. Here it is {own}"):
        ask(model)


def test_degrees_of_freedom_are_no_covariance(model: Any) -> None:
    with pytest.raises(ArgumentError, match="ddf='kenward-roger'"):
        model.avg_slopes(vcov="kenward-roger")


def test_names_of_the_module() -> None:
    for name in OF_THE_MODULE.split():
        words = said_of(mlm, name)
        assert words is None or "here it is" in words, words
