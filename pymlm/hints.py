"""What is it called here? Names of R, statsmodels, pymer4, MixedModels.jl ... -> pymlm's.

One table for models, one for results, one for the module; an attribute that is not there is looked
up by `missing`, whose words stand in the AttributeError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pymlm.errors import near_names
from pymlm.synonyms import plain_word

_FIXED = "m.summary().fixed"

#: Of fitted models.
_FROM_ELSEWHERE: Mapping[str, str] = {
    # statsmodels
    "params": "m.fixef()", "fe_params": "m.fixef()", "bse": f"{_FIXED}.std_error",
    "bse_fe": f"{_FIXED}.std_error", "pvalues": f"{_FIXED}.p_value",
    "tvalues": f"{_FIXED}.statistic", "conf_int": "m.confint()", "cov_params": "m.vcov()",
    "cov_re": 'm.varcorr().matrix("group")', "vcomp": "m.varcorr()", "scale": "m.sigma ** 2",
    "random_effects": "m.ranef()", "random_effects_cov": "m.ranef().to_frame()",
    "fittedvalues": "m.fitted()", "resid": "m.residuals()", "llf": "m.loglik",
    "df_resid": "m.df_residual", "df_modelwc": "m.npar", "get_prediction": "m.predict(interval=)",
    "get_margeff": "m.avg_slopes()", "t_test": "m.contest(L)",
    "wald_test": "m.contest(L, joint=True)",
    "f_test": "m.contest(L, joint=True)", "compare_lr_test": "mlm.lrt(m0, m1)",
    "profile_re": "m.profile()", "rsquared": "mlm.r2(m)", "summary2": "m.summary()",
    "summary_frame": "m.tidy()", "get_influence": "m.influence()", "converged": "m.convergence.ok",
    "exog": "m.model_matrix()", "endog": "m.augment()", "exog_re": 'm.model_matrix("random")',
    "model": "m.formula", "groups": "m.ngroups", "bse_re": "m.varcorr_se()", "loglike": "m.loglik",
    "loglikelihood": "m.loglik", "normalized_cov_params": "m.vcov()", "method": "m.convergence",
    "use_t": "m.summary().fixed.df", "rsquared_adj": "mlm.r2(m)", "mse_resid": "m.sigma ** 2",
    "ssr": "m.residuals()", "wald_test_terms": "m.anova()", "t_test_pairwise":
    'm.emmeans(specs, contrast="pairwise")', "get_robustcov_results": "mlm.cluster_robust(m)",
    "get_distribution": "m.simulate()", "outlier_test": "m.influence()",
    "hessian": "m.convergence", "remove_data": "m.save(path)",
    "fit": "the model: mlm.lmer(formula, data) has fitted it",
    # R
    "logLik": "m.loglik", "VarCorr": "m.varcorr()", "REMLcrit": "m.reml_criterion",
    "getME": "m.theta, m.model_matrix()", "isSingular": "m.convergence.singular",
    "isREML": "m.reml", "ngrps": "m.ngroups", "coefficients": "m.coef()",
    "effects": "m.emmeans(specs)",
    "lsmeans": "m.emmeans(specs), or m.ls_means()",
    "pairs": 'm.emmeans(specs, contrast="pairwise")',
    "contrast": "m.emmeans(specs, contrast=)", "contest1D": "m.contest(L)",
    "contestMD": "m.contest(L, joint=True)", "bootMer": "m.bootstrap()", "allFit": "m.all_fit()",
    "rand": "m.ranova()", "optinfo": "m.convergence", "call": "m.to_r()", "nlevels": "m.ngroups",
    "vcovCL": "mlm.cluster_robust(m)", "refitML": "m.update(reml=False)", "terms": "m.formula",
    "REML": "m.reml", "frame": "m.augment()", "emmip": "m.emmeans(specs).plot()",
    "ref_grid": "m.emmeans(specs, at=)", "regrid": "m.emmeans(specs, regrid=)",
    "lstrends": "m.emtrends(specs, var)", "as_function": "m.deviance_at(theta)",
    "devfun": "m.deviance_at(theta)", "devFunOnly": "m.deviance_at(theta)",
    "isLMM": "type(m): LinearMixedModel", "isGLMM": "type(m): GeneralizedLinearMixedModel",
    "isNLMM": "type(m): NonlinearMixedModel", "model_frame": "m.augment()", "dotplot": "mlm.plot",
    "ls_means_diff": "m.ls_means(pairwise=True)", "difflsmeans": "m.ls_means(pairwise=True)",
    "lsmeansLT": "m.ls_means()", "get_model": "m.step().model", "vcovAdj":
    'm.vcov(ddf="Kenward-Roger")', "KRmodcomp": "mlm.kr_modcomp(m1, m0)",
    "PBmodcomp": "mlm.pb_modcomp(m1, m0)", "sdcor": "m.varcorr()", "check_model": 'm.plot()',
    "model_performance": "m.glance()", "extractAIC": "m.aic", "fixed_effects": "m.fixef()",
    # marginaleffects, margins
    "margins": "m.avg_slopes()", "marginaleffects": "m.slopes()", "hypotheses": "m.contest(L)",
    "plot_predictions": "mlm.plot", "plot_slopes": "mlm.plot",
    # pymer4
    "coefs": f"{_FIXED}.to_frame()", "ranef_var": "m.varcorr()", "ranef_corr": "m.varcorr()",
    "fits": "m.fitted()", "grps": "m.ngroups", "logLike": "m.loglik",
    "post_hoc": 'm.emmeans(specs, contrast="pairwise")', "design_matrix": "m.model_matrix()",
    "plot_summary": "mlm.plot", "to_corrs": "mlm.effect_sizes(m)", "result_anova": "m.anova()",
    "result_emmeans": "m.emmeans(specs)", "result_boots": "m.bootstrap()", "result_fit_stats":
    "m.glance()", "empredict": "m.emmeans(specs, at=)", "show_contrasts": "m.model_matrix()",
    "set_contrasts": "m.update(contrasts=)", "set_factors": "m.update(data=)",
    "factors": "m.model_matrix()", "sig_type": "m.summary(ddf=)", "marginal_estimates":
    "m.emmeans(specs)", "marginal_contrasts": 'm.emmeans(specs, contrast="pairwise")',
    "report": "m.summary()", "data": "m.augment()",
    "warnings": "m.convergence", "result_fit": "m.tidy()", "model_obj": "m.to_r()",
    # MixedModels.jl
    "coeftable": "m.summary()", "coefnames": "m.fixef().index", "stderror": f"{_FIXED}.std_error",
    "fixefnames": "m.fixef().index", "issingular":
    "m.convergence.singular", "PCA": "m.re_pca()", "optsum": "m.convergence", "beta": "m.fixef()",
    "sigmas": "m.varcorr()", "varest": "m.sigma ** 2", "sdest": "m.sigma", "lowerbd":
    "m.deviance_at(theta)", "modelmatrix": "m.model_matrix()", "response": "m.augment()",
    "aicc": "mlm.information_criteria(m)", "likelihoodratiotest": "mlm.lrt(m0, m1)",
    "shrinkageplot": "mlm.plot.shrinkage(m)", "caterpillar": "mlm.plot",
    "isfitted": "m.convergence",
    "θ": "m.theta", "β": "m.fixef()", "σ": "m.sigma", "u": "m.ranef()", "b": "m.ranef()",
    "X": "m.model_matrix()", "Z": 'm.model_matrix("random")', "y": "m.augment()",
    "dof": "m.npar", "dof_residual": "m.df_residual", "objective": "m.deviance",
    "raneftables": "m.ranef()", "condVar": "m.ranef(cond_var=True)",
    "parametricbootstrap": "m.bootstrap()", "leverage": "m.influence()",
}  # fmt: skip

#: Of fitted models, too, by what they are called here.
_CALLED_HERE: Mapping[str, str] = {
    "m.fixef()": "k_fe fixed get_parameters k_constant fixef_fit",
    "m.fixef().index": "exog_names term_names",
    f"{_FIXED}.std_error": "standard_error stderr se std_err",
    f"{_FIXED}.p_value": "p_value p_values pvalue",
    f"{_FIXED}.statistic": "tvalue t_values t_value z_values zvalues",
    f"{_FIXED}.df": "degrees_of_freedom dof_satterthwaite df_satterthwaite dof dendf",
    'm.summary(ddf="Kenward-Roger")': "dof_kenward p_value_kenward se_kenward",
    'm.summary(ddf="between-within")': "dof_betwithin p_value_betwithin dof_ml1 p_value_ml1",
    "m.confint()": (
        "ci ci_satterthwaite ci_kenward ci_betwithin intervals conf_method confint_default"
    ),
    "m.contest(L)": (
        "test lincom testlinearcombinations testparm linearHypothesis contrasts glht "
        "estimable"
    ),
    'm.contest(L, ddf="Kenward-Roger")': "Lb_ddf get_ddf_Lb get_Lb_ddf ddf_Lb",
    "m.avg_predictions(hypothesis=)": "nlcom deltaMethod specify_hypothesis delta_method",
    "m.avg_slopes()": "estimate_slopes ame AME marginal_effects dydx margeff",
    "m.predictions(newdata={'x': [0, 1]})": "datagrid counterfactual",
    "m.predictions()": (
        "estimate_relation estimate_expectation estimate_prediction ggpredict Effect "
        "predictorEffects ggeffect"
    ),
    "m.emmeans(specs)": "estimate_means qdrg margins_means ggemmeans popMeans LSmeans LE_matrix",
    'm.emmeans(specs, contrast="pairwise")': "estimate_contrasts tukey_hsd TukeyHSD pairwise",
    "m.emmeans(specs).plot()": "pwpp pwpm plot_emmeans",
    "m.bootstrap()": (
        "Boot inferences posterior_draws nboot boot boot_ci parametric_bootstrap sim "
        "fixef_samples restorereplicates savereplicates"
    ),
    "m.formula": (
        "find_formula find_predictors find_random find_response endog_names family_formula "
        "get_call model_formula"
    ),
    "m.ranef()": (
        "estimate_grouplevel get_random ranef_param retbl unscaledre random blups BLUP eblup "
        "modes conditional_modes ranef_fit"
    ),
    "m.ranef(cond_var=True)": "ranef_se postVar condVartables se_ranef random_effects_se pev",
    "m.varcorr()": (
        "get_variance random_parameters sigmarhos σs σρs ρs cnms corr cor corrmat k_re k_vc "
        "k_re2 getVarCov variances sds tau tau2"
    ),
    "m.theta": "getθ getpar θs nθ λ freepar freepat use_sqrt pars",
    "m.deviance_at(theta)": "setθ updateL logdet lower devfunOnly profile_objective",
    "m.sigma": "get_sigma pwrss residual_sd rse",
    "m.npar": "df_model n_parameters k_params np ncoef nparams",
    "m.nobs": "n size nrow N",
    "m.df_residual": "df rdf",
    "m.bic": "bic_llf",
    "m.loglik": "like performance_logloss",
    "m.aic": "performance_aic",
    "m.ngroups": "group_list group_labels flist n_groups getGroups grp_levels levels",
    "m.convergence": (
        "hist mle_retvals score optimum nlopt fit_history fitlog check_convergence "
        "convergence_status check_singularity clear_logs show_logs gradient messages conv "
        "warn"
    ),
    "m.model_matrix()": (
        "design contrast_codes r_contrasts rank vsize feterm fixed_design modelmat xvar"
    ),
    'm.model_matrix("random")': "exog_vc Zt Ztlist mmList reterms A random_design",
    "m.to_r(), and R's getME()": (
        "Lambda Lambdat Lind L RX RZX Gp devcomp pp resp r_model as_r rpy2"
    ),
    "m.augment()": (
        "fortify get_data meanresponse augment_columns weights offset get_response "
        "get_predictors get_model_data as_data_frame model_data df_augmented"
    ),
    "m.fitted()": "fitted_values yhat mu eta linear_predictors",
    "m.tidy()": "model_parameters as_dataframe to_df to_frame parameters params_table",
    "m.residuals(type)": (
        "resid_pearson resid_deviance resid_response resid_working resid_anscombe rstandard "
        "rstudent wresid weighted_residuals mss rss error residual"
    ),
    "m.influence()": (
        "dfbeta dfbetas influencePlot infIndexPlot leveragePlots influence_measures cookd "
        "covratio mdffits dffits"
    ),
    "m.plot()": "residualPlots avPlots crPlots plot_residuals residplot plot_model_checks",
    "m.vif()": "check_collinearity condition_number result_vif",
    "m.anova()": "fvalue f_pvalue mse_model mse_total ess anova_results waldtest_terms",
    'm.check("autocorrelation")': (
        "durbinWatsonTest check_autocorrelation ACF Variogram durbin_watson"
    ),
    'm.check("heteroscedasticity")': "ncvTest check_heteroscedasticity het_breuschpagan bptest",
    'm.check("normality")': "check_normality jarque_bera shapiro",
    'm.check("homogeneity")': "check_homogeneity leveneTest",
    'm.check("outliers")': "check_outliers outlierTest",
    'm.check("overdispersion")': "check_overdispersion pearson_chi2 overdisp_fun dispersion",
    'm.check("zero_inflation")': "check_zeroinflation",
    "m.simulate()": "check_predictions simulateResiduals posterior_predictive posterior_predict",
    "m.re_pca()": "eigenvals principal_components",
    "m.update(...)": (
        "initialize unset_factors set_transforms unset_transforms show_transforms set_data "
        "clone set_params"
    ),
    "m.save(path)": "pickle saveoptsum dump to_pickle saveRDS",
    "m.glance()": "result_stats fit_stats criteria nulldeviance null_deviance",
    "m.summary()": "show display jasp report_table describe",
    "mlm.load_model(path)": "load restoreoptsum readRDS",
    "mlm.anova(m0, m1)": "compare_f_test anova_lm waldtest compare_models",
    "mlm.lrt(m0, m1)": "compare_lm_test lrtest lr_test likelihood_ratio_test",
    "mlm.sat_modcomp(m1, m0)": "SATmodcomp",
    "mlm.exact_rlrt(m)": "exactRLRT",
    "mlm.exact_lrt(m, m0)": "exactLRT",
    "mlm.information_criteria(m)": "hqic AICc cAIC caic info_criteria",
    "mlm.compare_performance(m)": "performance test_performance",
    "mlm.r2(m)": (
        "r2_nakagawa r2_xu rsq r_squared r_squared_adj adjr2 r2_conditional r2_marginal "
        "centered_tss uncentered_tss rsquared_conditional rsquared_marginal"
    ),
    "mlm.pseudo_r2(m0, m1)": "llnull pseudo_rsquared nullloglikelihood prsquared mcfadden",
    "mlm.icc(m)": "performance_icc estat intraclass iccs",
    "mlm.variance_partition(m)": "get_variance_random vpc variance_components",
    "mlm.effect_sizes(m)": "standardize_parameters standardize cohens_d eta_squared std_beta",
    "mlm.cluster_robust(m)": (
        "vcovCR coef_test cov_kwds cov_type cluster vce vcovCluster clustered_se"
    ),
    "mlm.joint_wald(m, terms)": "Wald_test wald_chi2",
    "mlm.robust_errors(m)": (
        "vcovHC vcovHAC coeftest HC0_se HC1_se HC2_se HC3_se cov_HC0 cov_HC1 cov_HC2 cov_HC3 "
        "het_scale NeweyWest"
    ),
    "mlm.regression_table(m)": (
        "tab_model stargazer modelsummary texreg screenreg huxtable etable export_summs "
        "summary_table compareCoefs mtable to_latex as_latex"
    ),
    "mlm.equations(m)": "equatiomatic extract_eq equation",
    "mlm.group_lines(m, x)": "augPred group_predictions",
    "mlm.shrinkage(m)": "shrinkagenorm",
    "mlm.plot": (
        "qqmath lattice xyplot densityplot plot_comparisons margins_plot marginsplot plot_fit "
        "plot_ranef forest plot_random ridgeplot coefplot qqcaterpillar splom"
    ),
    "mlm.plot.coefs(m)": "plot_model plot_coefs plot_params dwplot",
    "mlm.power(...)": "powerSim powerCurve power_sim",
    "mlm.fit_many(...)": "fit_multiple map_models",
    "mlm.ddf_table(m)": "compare_ddf",
    "type(m)": "model_info class_name model_type",
    'm.vcov(ddf="Kenward-Roger")': "getKR vcov_kenward",
}  # fmt: skip


def _all_names(first: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    return {n: hint for hint, names in more.items() for n in names.split()} | dict(first)


#: What a name of a model is called here: the two tables above in one.
MODEL_NAMES: Mapping[str, str] = _all_names(_FROM_ELSEWHERE, _CALLED_HERE)

#: Functions of the module that take a model: m.icc is mlm.icc(m).
FUNCTIONS_OF_A_MODEL = (
    "cluster_robust", "design_effect", "ddf_table", "effect_sizes", "equations", "exact_rlrt",
    "icc",
    "information_criteria", "lrt", "kr_modcomp", "pb_modcomp", "pseudo_r2", "r2",
    "regression_table", "render", "sat_modcomp", "shrinkage", "total_r2", "variance_function",
    "variance_partition", "check_assumptions", "check_parity", "compare_performance",
    "r2_decomposition", "robust_errors", "implied_covariance", "power",
)  # fmt: skip

#: Of results, where the result has such a field.
RESULT_NAMES: Mapping[str, str] = {
    "params": "estimate", "coef": "estimate", "coefs": "estimate", "beta": "estimate",
    "estimates": "estimate", "bse": "std_error", "se": "std_error", "stderr": "std_error",
    "std_err": "std_error", "pvalues": "p_value", "pvalue": "p_value", "p": "p_value",
    "p_values": "p_value", "tvalues": "statistic", "zvalues": "statistic", "t": "statistic",
    "z": "statistic", "stat": "statistic", "conf_int": "conf_low", "lower": "conf_low",
    "postVar": "covariances", "condVar": "covariances",
    "upper": "conf_high", "ci_lower": "conf_low", "ci_upper": "conf_high", "llf": "loglik",
    "logLik": "loglik", "as_text": "text", "tables": "to_frame", "summary_frame": "to_frame",
    "frame": "to_frame", "df": "to_frame", "to_pandas": "to_frame", "to_dataframe": "to_frame",
    "SE": "std_error", "stdev": "std_error", "pvals": "p_value", "pval": "p_value",
    "t_value": "statistic", "z_value": "statistic", "tvalue": "statistic", "zvalue": "statistic",
    "t_stat": "statistic", "tstat": "statistic", "ci_low": "conf_low", "ci_high": "conf_high",
    "lwr": "conf_low", "upr": "conf_high", "LCL": "conf_low", "UCL": "conf_high",
    "lower_CL": "conf_low", "upper_CL": "conf_high", "asymp_LCL": "conf_low",
    "asymp_UCL": "conf_high", "confint": "conf_low", "emmean": "estimate", "mean": "estimate",
    "value": "estimate", "names": "term", "terms": "term",
    "as_data_frame": "to_frame", "to_df": "to_frame", "table": "to_frame", "data": "to_frame",
    "DataFrame": "to_frame", "coefficients": "fixed", "fixef": "fixed", "VarCorr": "varcorr",
}  # fmt: skip

#: Of the module.
MODULE_NAMES: Mapping[str, str] = {
    "LMM": "mlm.lmer(formula, data)", "GLMM": "mlm.glmer(formula, data)",
    "glmmTMB": "mlm.glmer(formula, data)", "BinomialBayesMixedGLM": "mlm.glmer(formula, data)",
    "MixedModel": "mlm.lmer(formula, data)",
    "logit": 'mlm.glm(formula, data, family="binomial")',
    "poisson": 'mlm.glm(formula, data, family="poisson")', "GEE": "mlm.gee",
    "melogit": 'mlm.glmer(formula, data, family="binomial")',
    "mepoisson": 'mlm.glmer(formula, data, family="poisson")', "meglm": "mlm.glmer(formula, data)",
    "rma": "mlm.meta_analysis", "rma_mv": "mlm.meta_analysis", "multimembership":
    "mlm.multiple_membership", "powerSim": "mlm.power", "simr": "mlm.power",
    "datagrid": "m.predictions(newdata={'x': [0, 1]})", "hypotheses": "m.contest(L)",
    "MixedRegressor": "mlm.sklearn.MixedRegressor", "makeLmer": "mlm.simulate",
    "describe": "mlm.describe_levels", "group_mean_center": "mlm.center", "degroup": "mlm.center",
    "plot_model": "mlm.plot.coefs", "tab_model": "mlm.regression_table",
    "Lmer": "mlm.lmer(formula, data)", "Lm": "mlm.lm(formula, data)",
    "mixedlm": "mlm.lmer(formula, data)", "MixedLM": "mlm.lmer(formula, data)",
    "mixed": "mlm.lmer(formula, data)", "from_formula": "mlm.lmer(formula, data)",
    "smf": "mlm.lmer(formula, data)", "read_csv": "pd.read_csv(file)",
    "fit": "mlm.lmer(formula, data)", "ols": "mlm.lm(formula, data)",
    "OLS": "mlm.lm(formula, data)",
    "glmer.nb": "mlm.glmer_nb", "lmList": "mlm.lm_list", "KRmodcomp": "mlm.kr_modcomp",
    "PBmodcomp": "mlm.pb_modcomp", "exactRLRT": "mlm.exact_rlrt",
    "exactLRT": "mlm.exact_lrt", "readRDS": "mlm.load_model",
    "load": "mlm.load_model", "read_rds": "mlm.load_model", "demean": "mlm.center",
    "centre": "mlm.center", "vcovCL": "mlm.cluster_robust",
    "AICc": "mlm.compare_performance(m)",
    "model_performance": "mlm.compare_performance", "performance": "mlm.compare_performance",
    "vcovHC": "mlm.robust_errors", "NeweyWest": "mlm.robust_errors",
    "coeftest": "mlm.robust_errors", "vcovBS": "mlm.robust_errors",
    "coef_test": "mlm.cluster_robust",
    "plm": "mlm.panel", "xtreg": "mlm.panel", "geeglm": "mlm.gee", "lrtest": "mlm.lrt",
    "likelihood_ratio_test": "mlm.lrt", "AIC": "m.aic, or mlm.information_criteria(m)",
    "BIC": "m.bic, or mlm.information_criteria(m)", "vpc": "mlm.variance_partition(m)",
    "deff": "mlm.design_effect(m)", "r_squared": "mlm.r2(m)", "load_data": "mlm.load_dataset",
}  # fmt: skip


def missing(name: str, table: Mapping[str, str], known: Iterable[str], of: str) -> str:
    """Return the words of an AttributeError: what `name` is called here, or near names."""
    public = [k for k in known if not k.startswith("_")]
    said = f"{of} has no {name!r}"
    if name in table:
        return f"{said}; here it is {table[name]}"
    plain = plain_word(name)
    same = [k for k in public if plain_word(k) == plain]
    if same:
        return f"{said}; here it is {same[0]}"
    return f"{said}.{near_names(name, public)}"


def missing_in_model(name: str, model: type) -> str:
    """Return the words for an attribute that a model has not."""
    known = dir(model)
    table = {k: v for k, v in MODEL_NAMES.items() if _there(v, known)}
    table |= {k: f"mlm.{k}(m)" for k in FUNCTIONS_OF_A_MODEL}
    return missing(name, table, known, f"{model.__name__}")


def _there(hint: str, known: Iterable[str]) -> bool:
    """Whether the model has what a hint names first: a gls has no ranova."""
    first = re.match(r"m\.(\w+)", hint)
    return first is None or first[1] in known


def missing_in_result(name: str, result: type) -> str:
    """Return the words for an attribute that a result has not."""
    known = dir(result)
    table = {
        k: f".{v}{'()' if v == 'to_frame' else ''}" for k, v in RESULT_NAMES.items() if v in known
    }
    return missing(name, table, known, f"{result.__name__}")


def missing_in_module(name: str, public: Iterable[str], methods: Iterable[str]) -> str:
    """Return the words for a name that the module has not: often a method of the model."""
    own = {n for n in methods if not n.startswith("_")}
    table = dict(MODULE_NAMES)
    table |= {k: v for k, v in MODEL_NAMES.items() if k not in table and v.startswith("m.")}
    table |= {n: f"a method of the model: m.{n}" for n in own}
    return missing(name, table, [*public, *own], "pymlm")
