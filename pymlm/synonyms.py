"""Other words for the same option: those of lectures, of SAS, Stata, SPSS, and of other packages.

One table for every option that `pymlm.arguments.choice` checks: argument -> word -> pymlm's own. A
word counts only where the option it stands for is one of those allowed, so that functions may share
an argument's name. Case, spaces, hyphens, points and brackets do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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
    "form": {"reduced": "combined", "mixed": "combined"},
    "family": {"normal": "gaussian", "logistic": "binomial"},
}  # fmt: skip


def synonyms(argument: str) -> Mapping[str, str]:
    """Return the other words of an argument, word -> option."""
    return SYNONYMS.get(argument, {})


def plain_word(word: str) -> str:
    """Return a word without case, spaces, hyphens, underscores, points and brackets."""
    return re.sub(r"[\s\-_.()]", "", word).casefold()
