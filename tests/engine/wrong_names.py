"""Calls with one wrong name, by "function.parameter": the tables of test_unknown_names."""

from __future__ import annotations

import pymlm as mlm
from pymlm import plot

MARGINAL = (
    "avg_predictions", "avg_comparisons", "avg_slopes", "predictions", "comparisons", "slopes",
)  # fmt: skip
LMER = "Reaction ~ Days + (Days | Subject)"

#: The formula that is to be fitted; the name comes in.
IN_FORMULAS = {
    "lmer.formula": lambda d, f: mlm.lmer(f"Reaction ~ {f} + (1 | Subject)", d),
    "lmer.formula's group": lambda d, f: mlm.lmer(f"Reaction ~ Days + (1 | {f})", d),
    "glmer.formula": lambda d, f: mlm.glmer(f"bin ~ {f} + (1 | Subject)", d),
    "glmer_nb.formula": lambda d, f: mlm.glmer_nb(f"bin ~ {f} + (1 | Subject)", d),
    "nlmer.formula": lambda d, f: mlm.nlmer(
        f"Reaction ~ SSlogis({f}, Asym, xmid, scal) ~ Asym | Subject", d,
        {"Asym": 200, "xmid": 700, "scal": 350}),
    "update.formula": lambda d, f: mlm.lm("Reaction ~ Days", d).update(f". ~ . + {f}"),
    "lm.formula": lambda d, f: mlm.lm(f"Reaction ~ {f}", d),
    "glm.formula": lambda d, f: mlm.glm(f"bin ~ {f}", d, family="binomial"),
    "lm_list.formula": lambda d, f: mlm.lm_list(f"Reaction ~ {f} | Subject", d),
    "lme.formula": lambda d, f: mlm.lme(f"Reaction ~ {f}", d, random="~ 1 | Subject"),
    "lme.random": lambda d, f: mlm.lme("Reaction ~ Days", d, random=f"~ 1 | {f}"),
    "gls.formula": lambda d, f: mlm.gls(f"Reaction ~ {f}", d),
    "gee.formula": lambda d, f: mlm.gee(f"Reaction ~ {f}", d, "Subject"),
    "panel.formula": lambda d, f: mlm.panel(f"Reaction ~ {f}", d, "Subject"),
    "hausman.formula": lambda d, f: mlm.hausman(f"Reaction ~ {f}", d, "Subject"),
    "pooling.formula": lambda d, f: mlm.pooling(f"Reaction ~ {f}", d, "Subject"),
    "residuals_by_group.formula": lambda d, f: mlm.residuals_by_group(
        f"Reaction ~ {f}", d, "Subject"),
    "compare_alternatives.formula": lambda d, f: mlm.compare_alternatives(
        f"Reaction ~ {f}", d, "Subject"),
    "within_between.formula": lambda d, f: mlm.within_between(
        f"Reaction ~ Days + {f} + (1 | Subject)", d, "Days", "Subject"),
    "fit_many.formula": lambda d, f: mlm.fit_many(
        f"Reaction ~ {f} + (1 | Subject)", d, by="half", progress=False),
    "meta_analysis.formula": lambda d, f: mlm.meta_analysis(
        f"Reaction ~ {f}", d, "v", "~ 1 | Subject"),
    "meta_analysis.random": lambda d, f: mlm.meta_analysis("y2 ~ 1", d, "v", f"~ 1 | {f}"),
    "multiple_membership.formula": lambda d, f: mlm.multiple_membership(
        f"Reaction ~ {f} + (1 | mm)", d, {"mm": mlm.membership_weights(d, ["Subject", "s2"])}),
    "power.formula": lambda d, f: mlm.power(
        f"Reaction ~ {f} + (1 | Subject)", d, beta=[1, 1], theta=[1], sigma=1, nsim=2),
    "simulate.formula": lambda d, f: mlm.simulate(
        f"Reaction ~ {f} + (1 | Subject)", d, beta=[1, 1], theta=[1], sigma=1),
}  # fmt: skip

#: A column of data.
AS_COLUMNS = {
    **{
        f"{name}.{argument}": (
            lambda d, c, f=function, t=text, a=argument, e=extra: f(t, d, **e, **{a: c})
        )
        for name, function, text, extra in (
            ("lmer", mlm.lmer, LMER, {}),
            ("glmer", mlm.glmer, "bin ~ Days + (1 | Subject)", {"family": "binomial"}),
            ("glmer_nb", mlm.glmer_nb, "bin ~ Days + (1 | Subject)", {}),
            ("lm", mlm.lm, "Reaction ~ Days", {}),
            ("glm", mlm.glm, "bin ~ Days", {"family": "binomial"}),
            ("lm_list", mlm.lm_list, "Reaction ~ Days | Subject", {}),
            ("nlmer", mlm.nlmer, "Reaction ~ SSlogis(Days, a, b, c) ~ a | Subject",
             {"start": {"a": 200, "b": 7, "c": 3}}),
            ("fit_many", mlm.fit_many, LMER, {"by": "half", "progress": False}),
            ("simulate", mlm.simulate, "y ~ Days + (1 | Subject)",
             {"beta": [1, 1], "theta": [1], "sigma": 1}),
            ("power", mlm.power, "y ~ Days + (1 | Subject)",
             {"beta": [1, 1], "theta": [1], "sigma": 1, "nsim": 2}),
        )
        for argument in ("weights", "offset") if (name, argument) != ("glmer_nb", "weights")
    },
    "multiple_membership.weights": lambda d, c: mlm.multiple_membership(
        "Reaction ~ Days + (1 | mm)", d, {"mm": mlm.membership_weights(d, ["Subject", "s2"])},
        weights=c),
    "multiple_membership.offset": lambda d, c: mlm.multiple_membership(
        "Reaction ~ Days + (1 | mm)", d, {"mm": mlm.membership_weights(d, ["Subject", "s2"])},
        offset=c),
    "multiple_membership.memberships": lambda d, c: mlm.multiple_membership(
        "Reaction ~ Days + (1 | mm)", d, {"mm": ["Subject", c]}),
    "lmer.contrasts": lambda d, c: mlm.lmer(LMER, d, contrasts={c: "contr.sum"}),
    "glmer.mustart": lambda d, c: mlm.glmer("bin ~ Days + (1 | Subject)", d, mustart=c),
    "glmer.etastart": lambda d, c: mlm.glmer("bin ~ Days + (1 | Subject)", d, etastart=c),
    "glm.mustart": lambda d, c: mlm.glm("bin ~ Days", d, mustart=c),
    "glm.etastart": lambda d, c: mlm.glm("bin ~ Days", d, etastart=c),
    "glmer.contrasts": lambda d, c: mlm.glmer(
        "bin ~ Days + (1 | Subject)", d, contrasts={c: "contr.sum"}),
    "glmer_nb.contrasts": lambda d, c: mlm.glmer_nb(
        "bin ~ Days + (1 | Subject)", d, contrasts={c: "contr.sum"}),
    "gls.contrasts": lambda d, c: mlm.gls("Reaction ~ Days", d, contrasts={c: "contr.sum"}),
    "lme.contrasts": lambda d, c: mlm.lme(
        "Reaction ~ Days", d, random="~ 1 | Subject", contrasts={c: "contr.sum"}),
    "lm.contrasts": lambda d, c: mlm.lm("Reaction ~ Days", d, contrasts={c: "contr.sum"}),
    "glm.contrasts": lambda d, c: mlm.glm("bin ~ Days", d, contrasts={c: "contr.sum"}),
    "multiple_membership.contrasts": lambda d, c: mlm.multiple_membership(
        "Reaction ~ Days + (1 | mm)", d, {"mm": mlm.membership_weights(d, ["Subject", "s2"])},
        contrasts={c: "contr.sum"}),
    "aggregate.by": lambda d, c: mlm.aggregate(d, c, ["Days"]),
    "aggregate.columns": lambda d, c: mlm.aggregate(d, "Subject", [c]),
    "center.x": lambda d, c: mlm.center(d, c, by="Subject"),
    "center.by": lambda d, c: mlm.center(d, "Days", by=c),
    "compare_alternatives.by": lambda d, c: mlm.compare_alternatives("Reaction ~ Days", d, c),
    "describe_levels.groups": lambda d, c: mlm.describe_levels(d, ["Subject", c]),
    "describe_levels.predictors": lambda d, c: mlm.describe_levels(d, "Subject", [c]),
    "describe_levels.unit": lambda d, c: mlm.describe_levels(d, "Subject", unit=c),
    "fit_many.by": lambda d, c: mlm.fit_many(LMER, d, by=["half", c], progress=False),
    "fit_many.responses": lambda d, c: mlm.fit_many(LMER, d, responses=["y2", c], progress=False),
    "gee.by": lambda d, c: mlm.gee("Reaction ~ Days", d, c),
    "gls.group": lambda d, c: mlm.gls("Reaction ~ Days", d, correlation="ar1", group=c),
    "gls.time": lambda d, c: mlm.gls(
        "Reaction ~ Days", d, correlation="ar1", group="Subject", time=c),
    "gls.variance_by": lambda d, c: mlm.gls("Reaction ~ Days", d, variance_by=c),
    "lme.time": lambda d, c: mlm.lme(
        "Reaction ~ Days", d, random="~ 1 | Subject", correlation="ar1", time=c),
    "lme.correlation_by": lambda d, c: mlm.lme(
        "Reaction ~ Days", d, random="~ 1 | Subject", correlation="ar1", correlation_by=c),
    "robust_errors.order_by": lambda d, c: mlm.robust_errors(
        mlm.lm("Reaction ~ Days", d), type="HAC", order_by=c),
    "stack_outcomes.outcomes": lambda d, c: mlm.stack_outcomes(d, ["Reaction", c]),
    "lme.variance_by": lambda d, c: mlm.lme(
        "Reaction ~ Days", d, random="~ 1 | Subject", variance_by=c),
    "hausman.by": lambda d, c: mlm.hausman("Reaction ~ Days", d, c),
    "icc_of.columns": lambda d, c: mlm.icc_of(d, ["Reaction", c], by="Subject"),
    "icc_of.by": lambda d, c: mlm.icc_of(d, "Reaction", by=c),
    "latent_centering.outcome": lambda d, c: mlm.latent_centering(c, "y2", d, "Subject"),
    "latent_centering.x": lambda d, c: mlm.latent_centering("Reaction", c, d, "Subject"),
    "latent_centering.by": lambda d, c: mlm.latent_centering("Reaction", "w", d, c),
    "latent_centering.within": lambda d, c: mlm.latent_centering(
        "Reaction", "y2", d, "Subject", within=[c]),
    "latent_centering.between": lambda d, c: mlm.latent_centering(
        "Reaction", "y2", d, "Subject", between=[c]),
    "membership_weights.ids": lambda d, c: mlm.membership_weights(d, ["Subject", c]),
    "membership_weights.weights": lambda d, c: mlm.membership_weights(
        d, ["Subject", "s2"], weights=["w", c]),
    "meta_analysis.variance": lambda d, c: mlm.meta_analysis(
        "Reaction ~ Days", d, c, "~ 1 | Subject"),
    "moulton.outcome": lambda d, c: mlm.moulton(data=d, outcome=c, x="Days", by="Subject"),
    "moulton.x": lambda d, c: mlm.moulton(data=d, outcome="Reaction", x=c, by="Subject"),
    "moulton.by": lambda d, c: mlm.moulton(data=d, outcome="Reaction", x="Days", by=c),
    "one_per_group.by": lambda d, c: mlm.one_per_group(d, c),
    "panel.by": lambda d, c: mlm.panel("Reaction ~ Days", d, c),
    "pooling.by": lambda d, c: mlm.pooling("Reaction ~ Days", d, c),
    "residuals_by_group.by": lambda d, c: mlm.residuals_by_group("Reaction ~ Days", d, c),
    "within_between.x": lambda d, c: mlm.within_between(
        "Reaction ~ Days + (1 | Subject)", d, c, "Subject"),
    "within_between.by": lambda d, c: mlm.within_between(
        "Reaction ~ Days + (1 | Subject)", d, "Days", c),
    "within_between_lines.y": lambda d, c: mlm.within_between_lines(d, c, "Days", "Subject"),
    "within_between_lines.x": lambda d, c: mlm.within_between_lines(d, "Reaction", c, "Subject"),
    "within_between_lines.by": lambda d, c: mlm.within_between_lines(d, "Reaction", "Days", c),
    "plot.levels.groups": lambda d, c: plot.levels(d, ["Subject", c]),
    "plot.levels.unit": lambda d, c: plot.levels(d, "Subject", unit=c),
    "plot.within_between.y": lambda d, c: plot.within_between(d, c, "Days", "Subject"),
    "plot.within_between.x": lambda d, c: plot.within_between(d, "Reaction", c, "Subject"),
    "plot.within_between.by": lambda d, c: plot.within_between(d, "Reaction", "Days", c),
}  # fmt: skip

#: A column that new rows lack: of what, and of which rows.
IN_NEW_ROWS = {
    "lmer": ("lmer", ["Days", "Subject"]), "lmer's group": ("lmer", ["Days", "half"]),
    "glmer": ("glmer", ["Days", "Subject"]), "lm": ("lm", ["half"]), "lme": ("lme", ["Subject"]),
    "lm_list": ("lm_list", ["Days"]), "membership": ("membership", ["Subject"]),
}  # fmt: skip

#: A column of a model's own data.
AS_COLUMNS_OF_MODELS = {
    "refit.y": lambda m, c: m["lmer"].refit(c),
    "refit.weights": lambda m, c: m["lmer"].refit(weights=c),
    "refit.y of glmer": lambda m, c: m["glmer"].refit(c),
    "influence.groups": lambda m, c: m["lmer"].influence(c),
    "cluster_robust.by": lambda m, c: mlm.cluster_robust(m["lm"], c),
    "cluster_robust.by of lmer": lambda m, c: mlm.cluster_robust(m["lmer"], c),
    **{
        f"{name}.by": lambda m, c, n=name: getattr(m["lmer"], n)("Days", by=c)
        for name in ("avg_predictions", "avg_comparisons", "avg_slopes")
    },
    **{
        f"{name}.newdata": lambda m, c, n=name: getattr(m["lmer"], n)(
            "Days", newdata=m["data"].drop(columns="Days").assign(**{c: 1})
        )
        for name in MARGINAL
    },
    **{
        f"{name}.wts": lambda m, c, n=name: getattr(m["lmer"], n)("Days", wts=c)
        for name in MARGINAL[:3]
    },
    **{
        f"{name}.vcov": lambda m, c, n=name: getattr(m["lmer"], n)("Days", vcov=f"~ {c}")
        for name in MARGINAL
    },
    "emmeans.vcov": lambda m, c: m["lmer"].emmeans("half", vcov=f"~ {c}"),
    "emtrends.vcov": lambda m, c: m["lmer"].emtrends("half", "Days", vcov=f"~ {c}"),
    "cld.vcov": lambda m, c: m["lmer"].cld("half", vcov=f"~ {c}"),
    "eff_size.vcov": lambda m, c: m["lm"].eff_size("half", vcov=f"~ {c}"),
    "joint_tests.vcov": lambda m, c: m["lmer"].joint_tests(vcov=f"~ {c}"),
    "effect_types.by": lambda m, c: mlm.effect_types(m["lmer"], by=c),
    "group_lines.x": lambda m, c: mlm.group_lines(m["lmer"], c),
    "update.changes": lambda m, c: m["lmer"].update(weights=c),
    "update.changes of lm": lambda m, c: m["lm"].update(offset=c),
    "plot.group_lines.x": lambda m, c: plot.group_lines(m["lmer"], c),
    "plot.residuals_by_group.by": lambda m, c: plot.residuals_by_group(m["lm"], by=c),
}

#: A part of a model, or an option.
AS_PARTS = {
    "emmeans.specs": lambda m, c: m["lmer"].emmeans(c),
    "emmeans.specs as text": lambda m, c: m["lmer"].emmeans(f"~ half | {c}"),
    "emmeans.by": lambda m, c: m["lmer"].emmeans("half", by=c),
    "emmeans.at": lambda m, c: m["lmer"].emmeans("half", at={c: [1]}),
    "emtrends.specs": lambda m, c: m["lmer"].emtrends(c, "Days"),
    "emtrends.var": lambda m, c: m["lmer"].emtrends("half", c),
    "emtrends.by": lambda m, c: m["lmer"].emtrends("half", "Days", by=c),
    "emtrends.at": lambda m, c: m["lmer"].emtrends("half", "Days", at={c: [1]}),
    **{
        f"emmeans.{argument}": lambda m, c, a=argument, v=value: m["lmer"].emmeans(
            "half", **{a: v(c)})
        for argument, value in {
            "cov_reduce": lambda c: {c: "mean"}, "cov_keep": str, "nuisance": str,
            "counterfactuals": str, "nesting": lambda c: {"half": [c]},
        }.items()
    },
    "emmeans.submodel": lambda m, c: m["lmer"].emmeans("half", submodel=f"~ {c}"),
    "emmeans.simple": lambda m, c: m["lmer"].emmeans("half", contrast="eff", simple=c),
    "emtrends.simple": lambda m, c: m["lmer"].emtrends("half", "Days", contrast="eff", simple=c),
    "emmeans.contrast_options": lambda m, c: m["lmer"].emmeans(
        "half", contrast="eff", contrast_options={"exclude": c}),
    "emtrends.contrast_options": lambda m, c: m["lmer"].emtrends(
        "half", "Days", contrast="eff", contrast_options={"exclude": c}),
    "emtrends.cov_reduce": lambda m, c: m["lmer"].emtrends(
        "half", "Days", cov_reduce={c: "mean"}),
    "emtrends.nesting": lambda m, c: m["lmer"].emtrends("half", "Days", nesting={"half": [c]}),
    "eff_size.specs": lambda m, c: m["lm"].eff_size(c),
    "eff_size.by": lambda m, c: m["lm"].eff_size("half", by=c),
    "eff_size.at": lambda m, c: m["lm"].eff_size("half", at={c: [1]}),
    "eff_size.contrast_options": lambda m, c: m["lm"].eff_size(
        "half", contrast="eff", contrast_options={"exclude": c}),
    "deviance_at.theta": lambda m, c: m["lmer"].deviance_at({c: 1}),
    "deviance_at.beta": lambda m, c: m["glmer"].deviance_at([1], beta={c: 1}),
    "cld.specs": lambda m, c: m["lmer"].cld(c),
    "cld.by": lambda m, c: m["lmer"].cld("half", by=c),
    "cld.at": lambda m, c: m["lmer"].cld("half", at={c: [1]}),
    "joint_tests.by": lambda m, c: m["lmer"].joint_tests(by=c),
    "joint_tests.at": lambda m, c: m["lmer"].joint_tests(at={c: [1]}),
    "predict.re_form": lambda m, c: m["lmer"].predict(re_form=f"~ (1 | {c})"),
    "simulate.re_form": lambda m, c: m["lmer"].simulate(re_form=f"~ (1 | {c})"),
    "contest.L": lambda m, c: m["lmer"].contest(f"{c} = 0"),
    "confint.parm": lambda m, c: m["lmer"].confint(parm=c),
    "profile.parm": lambda m, c: m["lmer"].profile(c),
    "ls_means.which": lambda m, c: m["lmer"].ls_means(c),
    "drop1.scope": lambda m, c: m["lmer"].drop1(c),
    "step.keep": lambda m, c: m["lmer"].step(keep=c),
    "icc.at": lambda m, c: mlm.icc(m["lmer"], at={c: 1}),
    "variance_partition.at": lambda m, c: mlm.variance_partition(m["lmer"], at={c: 1}),
    "variance_function.x": lambda m, c: mlm.variance_function(m["lmer"], c),
    "implied_covariance.by": lambda m, c: mlm.implied_covariance(m["lmer"], "308", by=c),
    "implied_covariance.group": lambda m, c: mlm.implied_covariance(m["groups"], c),
    "johnson_neyman.x": lambda m, c: mlm.johnson_neyman(m["lmer"], c, "halfodd"),
    "johnson_neyman.moderator": lambda m, c: mlm.johnson_neyman(m["lmer"], "Days", c),
    "simple_slopes.x": lambda m, c: mlm.simple_slopes(m["lmer"], c, "halfodd"),
    "simple_slopes.moderator": lambda m, c: mlm.simple_slopes(m["lmer"], "Days", c),
    "residual_covariance.group": lambda m, c: m["lme"].residual_covariance(c),
    **{f"{name}.variables": lambda m, c, n=name: getattr(m["lmer"], n)(c) for name in MARGINAL},
    **{
        f"{name}.hypothesis": lambda m, c, n=name: getattr(m["lmer"], n)(hypothesis=f"{c} = 1")
        for name in MARGINAL
    },
    **{
        f"{name}.re_form": lambda m, c, n=name: getattr(m["lmer"], n)(
            "Days", re_form=f"~ (1 | {c})"
        )
        for name in MARGINAL
    },
    "joint_wald.terms": lambda m, c: mlm.joint_wald(m["lmer"], [c]),
    "prediction_lines.variables": lambda m, c: mlm.prediction_lines(m["lmer"], c),
    "prediction_lines.at": lambda m, c: mlm.prediction_lines(m["lmer"], "Days", at={c: 1}),
    "r2_decomposition.by": lambda m, c: mlm.r2_decomposition(m["lmer"], by=c),
    "group_lines.by": lambda m, c: mlm.group_lines(m["lmer"], "Days", by=c),
    "group_lines.groups": lambda m, c: mlm.group_lines(m["groups"], "Days", groups=[c]),
    "regression_table.labels": lambda m, c: mlm.regression_table(m["lmer"], labels={c: "x"}),
    "plot.caterpillar.by": lambda m, c: plot.caterpillar(m["lmer"], by=c),
    "plot.caterpillar.terms": lambda m, c: plot.caterpillar(m["lmer"], terms=[c]),
    "plot.coefs.terms": lambda m, c: plot.coefs(m["lmer"], terms=[c]),
    "plot.group_lines.by": lambda m, c: plot.group_lines(m["lmer"], "Days", by=c),
    "plot.group_lines.highlight": lambda m, c: plot.group_lines(
        m["groups"], "Days", highlight=[c]),
    "plot.johnson_neyman.x": lambda m, c: plot.johnson_neyman(m["lmer"], c, "halfodd"),
    "plot.johnson_neyman.moderator": lambda m, c: plot.johnson_neyman(m["lmer"], "Days", c),
    "plot.predictions.variables": lambda m, c: plot.predictions(m["lmer"], c),
    "plot.predictions.at": lambda m, c: plot.predictions(m["lmer"], "Days", at={c: 1}),
    "plot.ranef_density.by": lambda m, c: plot.ranef_density(m["lmer"], by=c),
    "plot.ranef_density.terms": lambda m, c: plot.ranef_density(m["lmer"], terms=[c]),
    "plot.shrinkage.by": lambda m, c: plot.shrinkage(m["lmer"], by=c),
    "plot.shrinkage.terms": lambda m, c: plot.shrinkage(m["lmer"], terms=[c]),
    "plot.variance.x": lambda m, c: plot.variance(m["lmer"], c),
    "plot.residuals_by_group.highlight": lambda m, c: plot.residuals_by_group(
        m["groups"], highlight=[c]),
    "plot.pooling.terms": lambda m, c: plot.pooling(m["pooling"], terms=[c]),
    "plot.profile.parameters": lambda m, c: plot.profile(m["profile"], parameters=[c]),
    "plot.bootstrap.terms": lambda m, c: plot.bootstrap(m["bootstrap"], terms=[c]),
    "simulate.beta": lambda m, c: mlm.simulate(
        "y ~ Days + (1 | Subject)", m["data"], beta={c: 1, "(Intercept)": 1}, theta=[1], sigma=1),
    "simulate.theta": lambda m, c: mlm.simulate(
        "y ~ Days + (1 | Days)", m["data"], beta=[1, 1], theta={f"{c}.(Intercept)": 1}, sigma=1),
    "power.beta": lambda m, c: mlm.power(
        "y ~ Days + (1 | Subject)", m["data"], beta={c: 1}, theta=[1], sigma=1, nsim=2),
    "power.theta": lambda m, c: mlm.power(
        "y ~ Days + (1 | Days)", m["data"], beta=[1, 1], theta={f"{c}.(Intercept)": 1}, sigma=1,
        nsim=2),
    "power.test": lambda m, c: mlm.power(
        "y ~ Days + (1 | Subject)", m["data"], beta=[1, 1], theta=[1], sigma=1, nsim=2, test=c),
}  # fmt: skip

#: Arguments that hold no name of the user's data or model: numbers, flags, models, frames, texts to
#: print, and options, of which `choice` and `refuse_unknown` list what there is.
NO_NAMES = frozenset([
    "add_dropped", "bias_adjust", "delta", "edf", "max_degree", "null", "random_only", "regrid",
    "side", "tran", "transform", "comparison", "slope", "cross_adjust",
    "adjust", "allow_new_levels", "alpha", "approximation", "estimator", "full", "grid", "lag",
    "mean", "prewhite", "alpha_fixed", "alpha_random", "args", "ax",
    "axes", "bars", "between_at", "boot", "boot_type", "boundary", "ci", "column_labels",
    "command", "comparisons", "component", "cond_var", "conf_int", "conf_level",
    "conf_method", "connect", "contrast", "control", "correlation", "corstr", "covtest",
    "data", "data_name", "ddf", "df", "digits", "directed", "dots", "effects", "emm",
    "engine", "estimates", "exponentiate", "family", "fit", "flat", "flavour", "form",
    "format", "icc", "infer", "interaction", "intercept", "interval", "j", "joint", "kind",
    "kwargs", "label", "level", "line", "link", "links", "m", "m0", "m1", "m_full",
    "m_null", "max_evaluations", "method", "missing", "model", "models", "more", "n",
    "n_agq", "n_groups", "n_jobs", "name", "names", "normalize", "nsim", "observed",
    "optimizers", "options", "order", "others", "p", "package", "pairwise", "path",
    "points", "pool", "progress", "ranef", "reduce_fixed", "reduce_random", "reduce_terms",
    "ref", "refit", "reml", "replace", "resume", "rhs", "rows", "scale", "se", "seed", "self",
    "self_weight", "sigma", "sigma2", "single_row", "sizes", "stars", "start", "statistic",
    "std_err", "std_error", "style", "t", "tau", "timeout", "title", "to", "tolerance",
    "trusted", "type", "units", "use_hessian", "use_u", "vary", "vpc_x", "vpc_y", "warn",
    "what",
])  # fmt: skip
#: The same argument names something elsewhere, but not here.
NO_NAMES_HERE = frozenset([
    "plot.variance.at", "simple_slopes.at", "variance_function.at", "fit_many.keep",
    "cld.offset", "emmeans.offset", "cld.weights", "emmeans.weights", "emtrends.weights",
    "eff_size.weights",
    "glmer_nb.weights", "anova.test", "plot.residuals_by_group.random",
    "joint_tests.submodel", "predict.memberships", "center.at", "mixture_critical_value.weights",
    "mixture_p_value.weights",
])  # fmt: skip
