"""Other words for the same option: those of lectures, of SAS, Stata, SPSS, and of other packages.

One table for every option that `pymlm.arguments.choice` checks: argument -> word -> pymlm's own. A
word counts only where the option it stands for is one of those allowed, so that functions may share
an argument's name. Case, spaces, hyphens, points and brackets do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "ddf": {
        "KR": "Kenward-Roger", "kroger": "Kenward-Roger", "satterth": "Satterthwaite",
        "Satt": "Satterthwaite", "BW": "between-within", "betwithin": "between-within",
        "repeated": "between-within", "anova": "containment",  # of Stata's dfmethod()
        "z": "asymptotic", "normal": "asymptotic", "Wald": "asymptotic", "inf": "asymptotic",
    },
    "type": {
        # Huber 1967, White 1980, Liang & Zeger 1986: the estimator as it is, without a correction.
        "Huber-White": "CR0", "sandwich": "CR0", "Liang-Zeger": "CR0", "robust": "CR0",
        "Newey-West": "HAC", "White": "HC0",
        "raw": "response", "prob": "response", "mean": "response", "linear": "link", "lp": "link",
        "standardised": "standardized", "studentised": "studentized",
    },
    "method": {
        "group": "cluster", "group-mean": "cluster", "cluster-mean": "cluster", "CWC": "cluster",
        "within": "cluster", "grand-mean": "grand", "CGM": "grand",
        # Hoffman's slides.
        "Cluster-MC": "cluster", "C-MC": "cluster", "variable": "cluster",
        "cluster-mean-centering": "cluster", "Grand-MC": "grand", "GMC": "grand",
        "grand-mean-centering": "grand", "constant-centering": "constant",
        "bootstrap": "boot", "parametric bootstrap": "boot", "likelihood": "profile",
    },
    "boot_type": {"pairs": "xy", "rademacher": "wild"},
    "model": {
        "fe": "within", "fixed": "within", "fixed effects": "within", "re": "random",
        "random effects": "random", "be": "between", "between effects": "between",
        "ols": "pooling", "pooled": "pooling",
    },
    "correlation": {
        "compound-symmetry": "cs", "exchangeable": "cs", "AR(1)": "ar1", "CAR(1)": "car1",
        "unstructured": "symm", "UN": "symm",
    },
    "corstr": {
        "compound-symmetry": "exchangeable", "cs": "exchangeable", "independent": "independence",
        "AR(1)": "ar1", "UN": "unstructured",
    },
    "missing": {"ml": "fiml", "full information": "fiml", "complete": "listwise"},
    "test": {"chi2": "Chisq", "chi-squared": "Chisq", "likelihood ratio": "LRT", "score": "Rao"},
    "interval": {"mean": "confidence", "conf": "confidence", "pred": "prediction"},
    # What R writes for them.
    "side": {
        "<": "left", ">": "right", "=": "equivalence", "both": "two-sided", "!=": "two-sided",
    },
    "conf_method": {"bootstrap": "boot", "likelihood": "profile"},
    "boundary": {"mixture": "auto"},
    "ci": {"bootstrap": "boot"},
    "form": {"reduced": "combined", "mixed": "combined"},
    "family": {"normal": "gaussian", "logistic": "binomial"},
}  # fmt: skip

#: What a word stands for where the option above is none of those allowed: HC0 is the sandwich of
#: rows as CR0 is that of clusters.
ELSE: Mapping[str, Mapping[str, str]] = {"type": {"Huber-White": "HC0", "sandwich": "HC0"}}


#: Arguments of R's and other packages' functions -> what they are called in pymlm's.
METHOD_ARGUMENTS: Mapping[str, str] = {
    "vcov": "ddf", "lmer_df": "ddf", "conf_level": "level", "conf_int": "level",
    "p_adjust": "adjust",
    "contrasts": "contrast", "method": "contrast", "tost": "delta", "equivalence": "delta",
    "use_rfx": "re_form", "rfx": "re_form", "re.form": "re_form", "random.only": "random_only",
    "allow.new.levels": "allow_new_levels", "verify_predictions": "allow_new_levels",
    "pred_type": "type", "marginal_vars": "specs", "grouping_vars": "by",
    "p_adjust_method": "adjust",
    "bias.adjust": "bias_adjust", "cov.reduce": "cov_reduce", "add.dropped": "add_dropped",
    "correlation": "corstr",
    "newresp": "y", "newweights": "weights", "add_groups": "re_form", "wts": "weights",
}  # fmt: skip


def argument_elsewhere(name: str, known: Collection[str]) -> str:
    """Return what another package's argument is called here, as a sentence; "" for none."""
    if name == "digits":
        return " Digits are of the print: result.print(digits=3), or mlm.options(digits=3)."
    own = METHOD_ARGUMENTS.get(name)
    return f" Here it is {own}=." if own in known else ""


def synonyms(argument: str, options: Collection[object]) -> Mapping[str, str]:
    """Return the other words of an argument, word -> the one of `options` that it stands for."""
    found = {w: o for w, o in ELSE.get(argument, {}).items() if o in options}
    return found | {w: o for w, o in SYNONYMS.get(argument, {}).items() if o in options}


def plain_word(word: str) -> str:
    """Return a word without case, spaces, hyphens, underscores, points and brackets."""
    return re.sub(r"[\s\-_.()]", "", word).casefold()


# --- what other packages' formulas and arguments are here -----------------------------------------

_CODING = "mlm.lmer(..., contrasts={'x': %r})"
#: Functions of formulas in Python (patsy, formulaic), and what R writes.
_IN_R: Mapping[str, str] = {
    "Q": "the column's name in backticks: `a b`",
    "Treatment": "relevel(x, ref = 'level'), or " + _CODING % "contr.treatment",
    "Sum": _CODING % "contr.sum", "Poly": _CODING % "contr.poly",
    "Helmert": _CODING % "contr.helmert",
    "Diff": _CODING % "contr.sdif", "cr": "ns(x, df = 3)", "cc": "ns(x, df = 3)",
    "standardize": "scale(x)", "center": "scale(x, scale = FALSE), or mlm.center beforehand",
    "power": "I(x^2)", "square": "I(x^2)", "where": "ifelse(test, yes, no)",
}  # fmt: skip
#: NumPy's names that R writes otherwise.
_NUMPY = {"absolute": "abs", "maximum": "pmax", "minimum": "pmin"}

#: Arguments of other packages' fitting functions, and what stands for them here.
ARGUMENTS: Mapping[str, str] = {
    "groups": "the grouping factor stands in the formula: 'y ~ x + (1 | g)'",
    "re_formula": "random slopes stand in the formula: 'y ~ x + (1 + x | g)'",
    "vc_formula": "variance components stand in the formula: 'y ~ x + (1 | g) + (1 | g:h)'",
    "exog_re": "random slopes stand in the formula: 'y ~ x + (1 + x | g)'",
    "endog": "the response stands in the formula: 'y ~ x + (1 | g)'",
    "exog": "the predictors stand in the formula: 'y ~ x + (1 | g)'",
    "method": "reml=False is maximum likelihood; an optimizer is control={'optimizer': ...}",
    "missing": "rows that miss a value are left out, as in R",
    "na_action": "rows that miss a value are left out, as in R",
    "subset": "give the rows: data[rows]",
    "freq_weights": "weights= has one number per row",
    "var_weights": "weights= has one number per row",
    "verbose": "mlm.options.progress shows long work",
    "factors": "contrasts={'x': 'contr.treatment'}", "cov_type": "mlm.cluster_robust(m)",
    "cov_struct": "mlm.gls(..., correlation=)",
    "random": "random terms stand in the formula; mlm.lme takes nlme's way to write them",
}  # fmt: skip


def in_r(name: str) -> str | None:
    """Return what R writes for a function of Python's formulas; None where it is none."""
    module, _, function = name.rpartition(".")
    if module in ("np", "numpy", "math", "scipy.special", "special"):
        return _NUMPY.get(function, _IN_R.get(function, function))
    return _IN_R.get(function if module in ("patsy", "formulaic") else name)


#: Python's constants, and R's.
_CONSTANTS: Mapping[str, str] = {"True": "TRUE", "False": "FALSE", "None": "NA"}


def constant_in_r(name: str) -> str:
    """Say how R writes a constant of Python's, for the end of a message."""
    return f" R writes {_CONSTANTS[name]}." if name in _CONSTANTS else ""


_SLOPES = {"lme": "random slopes stand in random='~ x | g'"} | {
    name: f"{name}() has no random slopes: mlm.{other}" for name, other in (
        ("lm", "lmer('y ~ x + (1 + x | g)', data)"),
        ("glm", "glmer('y ~ x + (1 + x | g)', data)"),
        ("gls", "lme('y ~ x', data, random='~ x | g')"),
    )
}  # fmt: skip
_LIKELIHOOD = dict.fromkeys(
    ("glmer", "glmer_nb", "nlmer"), "it is always maximum likelihood"
) | dict.fromkeys(("lm", "lm_list", "glm"), "there is no choice: REML is of mixed models")
#: Where an argument stands in functions whose models are written otherwise than lme4's.
_IN_FUNCTION: Mapping[str, Mapping[str, str]] = {
    "groups": {
        "lm": "lm() knows no groups: mlm.lmer('y ~ x + (1 | g)', data)",
        "glm": "glm() knows no groups: mlm.glmer('y ~ x + (1 | g)', data)",
        "gls": "group= names the column", "lme": "the grouping factor stands in random='~ 1 | g'",
        "lm_list": "the grouping factor stands in the formula: 'y ~ x | g'",
    },
    "re_formula": _SLOPES, "exog_re": _SLOPES, "REML": _LIKELIHOOD, "reml": _LIKELIHOOD,
}  # fmt: skip


def elsewhere(argument: str, function: str = "lmer") -> str:
    """Say what stands in a fitting function for an argument of other packages, to end a message."""
    words = _IN_FUNCTION.get(argument, {}).get(function) or ARGUMENTS.get(argument)
    return f" Here {words}." if words else ""
