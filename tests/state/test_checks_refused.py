"""check() of every class: performance's answer to that question, or a refusal in words."""

from __future__ import annotations

import warnings

import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError
from tests.native import needs_r, r_version
from tests.state.kinds import KINDS, grouped

needs_r("performance")
#: With it performance simulates any model's dispersion.
WITH_DHARMA = ("overdispersion", "zero_inflation")

#: Class -> check -> what its refusal says.
REFUSED = {
    "lm": {
        "random_effects": "no random effects; check 'normality'",
        "homogeneity": "two rows in each",
        "overdispersion": "of counts", "zero_inflation": "of counts",
    },
    "glm": {
        "normality": "not normal by design", "random_effects": "no random effects$",
        "heteroscedasticity": "follows its mean", "homogeneity": "two rows in each",
    },
    "Gamma": {"overdispersion": "of counts", "zero_inflation": "of counts",
              "normality": "not normal by design"},
    "lmer": {"overdispersion": "of counts", "zero_inflation": "of counts",
             "homogeneity": "two rows in each"},
    "lme": dict.fromkeys(("normality", "random_effects", "outliers", "homogeneity"), "of nlme")
    | {"overdispersion": "of counts"},
    "gls": dict.fromkeys(("normality", "outliers", "autocorrelation"), "of nlme")
    | {"random_effects": "no random effects$"},
    "nlmer": dict.fromkeys(
        ("normality", "heteroscedasticity", "homogeneity", "autocorrelation", "overdispersion",
         "zero_inflation", "outliers"), "linear predictors",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_check_that_there_is_not_is_refused_in_words(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of these fits
        if name == "gls":
            m = mlm.gls("normal ~ f + x", grouped(), correlation="cs", group="g")
        else:
            kind = KINDS[name]
            m = kind.fit(kind.data(), kind.response)
    for what, why in REFUSED[name].items():
        if what in WITH_DHARMA and why == "of counts" and r_version("DHARMa"):
            continue
        with pytest.raises(NotSupportedError, match=why):
            m.check(what)
