"""Generalized models that the course's material prints, by an old lme4."""

from __future__ import annotations

import json
import warnings

import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import PymlmWarning
from tests.native import has_structures
from tests.tolerances import LAPLACE_SINCE_2

#: Printed precision of old lme4 output in the course cases: a unit in the last digit.
PRINTED_UNIT = 1.01
#: Another version's optimizer stops elsewhere in the fifth digit (the cases' notes say so) ...
OTHER_LME4 = LAPLACE_SINCE_2 if has_structures() else 1e-4
#: ... which a p-value of size 1e-10 shows z^2 times as large.
OTHER_LME4_P = 40 * LAPLACE_SINCE_2 if has_structures() else 5e-3


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        return function(*args, **kwargs)


def course_glmm(course, name):
    case = next(c for c in json.loads((course / "cases.json").read_text()) if c["id"] == name)
    data = pd.read_csv(course / case["data"])
    for column, levels in case["factors"].items():
        data[column] = (
            data[column].astype("category")
            if levels == "any"
            else pd.Categorical(data[column].astype(str), categories=levels)
        )
    return case, quiet(mlm.glmer, case["formula"], data, family=case["family"])


def printed_equal(printed, got, what, loose=OTHER_LME4):
    decimals, _, exponent = printed.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(decimals.partition(".")[2]))
    assert abs(got - float(printed)) <= max(PRINTED_UNIT * unit, loose * abs(float(printed))), what


@pytest.mark.parametrize(
    "name", ["hoffman_glmer_empty", "contraception_gm1", "contraception_gm2", "contraception_gm3"]
)
def test_course_case(course, name):
    case, m = course_glmm(course, name)
    expected = case["expected"]
    table = quiet(m.summary).fixed.to_frame()
    columns = {"estimate": "estimate", "se": "std_error", "z": "statistic", "p": "p_value"}
    for term, row in expected["fixef"].items():
        for key, printed in row.items():
            loose = OTHER_LME4_P if key == "p" else OTHER_LME4
            printed_equal(printed, table.loc[term, columns[key]], f"{term} {key}", loose)
    for part in expected["varcomp"]:
        variance = m.varcorr().variance(part["group"], part["name"])
        printed_equal(part["variance"], variance, part["group"])
    criteria = {"AIC": "aic", "BIC": "bic", "logLik": "loglik", "deviance": "deviance"}
    for key, attribute in criteria.items():
        printed_equal(expected[key], getattr(m, attribute), key)
    for extra in case["extras"]:
        if extra["kind"] == "wald_use_hessian_false":
            _check_wald(m, extra["printed"])


def _check_wald(m, printed):
    table = quiet(m.summary, use_hessian=False).fixed.to_frame()
    for key, value in printed.items():
        term, what = key.rsplit(".", 1)
        column = {"se": "std_error", "z": "statistic", "p": "p_value"}[what]
        printed_equal(value, table.loc[term, column], key)
