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
MODEL_NAMES: Mapping[str, str] = {
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

#: Functions of the module that take a model: m.icc is mlm.icc(m).
FUNCTIONS_OF_A_MODEL = (
    "cluster_robust", "design_effect", "ddf_table", "effect_sizes", "equations", "exact_rlrt",
    "icc",
    "information_criteria", "lrt", "kr_modcomp", "pb_modcomp", "pseudo_r2", "r2",
    "regression_table", "render", "sat_modcomp", "shrinkage", "total_r2", "variance_function",
    "variance_partition", "check_assumptions", "check_parity", "implied_covariance", "power",
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
    "DataFrame": "to_frame", "coefficients": "fixed", "fixef": "fixed", "VarCorr": "varcorr",
}  # fmt: skip

#: Of the module.
MODULE_NAMES: Mapping[str, str] = {
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
