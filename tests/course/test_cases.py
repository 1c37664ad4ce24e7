"""Printed course output, number by number, at its printed precision."""

from __future__ import annotations

import json
import re
import warnings
from typing import Any

import pandas as pd
import pytest

import pymlm as mlm
from tests.conftest import SHARED
from tests.native import has_structures
from tests.tolerances import LAPLACE_SINCE_2

CASES = SHARED / "course" / "cases.json"

#: Kinds of printed numbers that are read here; cases with extras alone are tested elsewhere.
KINDS = {"fixef", "varcomp", "n", "ngroups", "REMLcrit", "AIC", "BIC", "logLik", "deviance"}
#: Units of the last printed digit that a number may be off: the courses' machines rounded their
#: own optimum, which differs from ours beyond the digits that the optimizer promises.
LAST_DIGIT = 1.01
#: Course output from fits that did not converge, or from an older optimizer, is compared loosely;
#: the folder's README names these cases.
LOOSE = 6e-3
#: Other printed output: lme4 of today stops elsewhere within its tolerance (relative).
TIGHT = 1e-4


def cases() -> list[dict[str, Any]]:
    if not CASES.is_file():
        return []
    every = json.loads(CASES.read_text(encoding="utf-8"))
    return [c for c in every if c["reproduced"] and c["expected"].keys() & KINDS]


def frame(case: dict[str, Any]) -> pd.DataFrame:
    data = pd.read_csv(CASES.parent / case["data"])
    for column, levels in (case.get("factors") or {}).items():
        if levels == "any":
            data[column] = data[column].astype("category")
        else:
            text = data[column].map(_as_text)
            data[column] = pd.Categorical(text, categories=[str(x) for x in levels])
    return data


def _as_text(value: Any) -> str | None:
    if pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def fit(case: dict[str, Any]) -> Any:
    arguments: dict[str, Any] = {}
    if case.get("contrasts"):
        arguments["contrasts"] = case["contrasts"]
    if case.get("control"):
        optimizer = re.search(r'optimizer *= *"(\w+)"', case["control"])
        assert optimizer, case["control"]
        arguments["control"] = {"optimizer": optimizer[1]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.errors.PymlmWarning)
        if case.get("family"):
            if case.get("nAGQ") is not None:
                arguments["n_agq"] = case["nAGQ"]
            return mlm.glmer(case["formula"], frame(case), family=case["family"], **arguments)
        return mlm.lmer(case["formula"], frame(case), reml=bool(case["REML"]), **arguments)


def agrees(printed: str, value: float, loose: float) -> bool:
    text = printed.strip().replace(" ", "")
    if text.startswith("<"):
        return value < float(text[1:])
    decimals = len(re.sub(r"[eE].*$", "", text).partition(".")[2])
    exponent = int(re.search(r"[eE]([+-]?\d+)", text)[1]) if "e" in text.lower() else 0
    unit = 10.0 ** (exponent - decimals)
    return abs(value - float(text)) <= max(LAST_DIGIT * unit, loose * abs(float(text)))


def _tiny(p: str) -> bool:
    """A p-value below 1e-9 moves by z² times what z moves: its statistic is compared instead."""
    return not p.startswith("<") and float(p) < 1e-9


def numbers(case: dict[str, Any], model: Any) -> list[tuple[str, str, float]]:
    """Every printed number of a case, and ours."""
    expected = case["expected"]
    ddf = "Satterthwaite" if case.get("lmerTest") else None
    fixed = (model.summary() if case.get("family") else model.summary(ddf=ddf)).fixed.to_frame()
    columns = {"estimate": "estimate", "se": "std_error", "df": "df", "t": "statistic",
               "z": "statistic", "p": "p_value"}  # fmt: skip
    out: list[tuple[str, str, float]] = []
    for term, row in expected.get("fixef", {}).items():
        out += [
            (f"{term}.{k}", v, float(fixed.loc[term, columns[k]]))
            for k, v in row.items()
            if v is not None and k in columns and not (k == "p" and _tiny(v))
        ]
    vc = model.varcorr().to_frame()
    for item in expected.get("varcomp", []):
        own = vc[(vc.grp == item["group"]) & vc.var2.isna()]
        if item["group"] != "Residual":
            own = own[own.var1 == item["name"]]
        for k, column in (("variance", "vcov"), ("sd", "sdcor")):
            if item.get(k):
                out.append((f"{item['group']} {item['name']} {k}", item[k],
                            float(own[column].iloc[0])))  # fmt: skip
        if item.get("corr"):
            matrix = model.varcorr().matrix(item["group"])
            v = matrix.to_numpy()
            at = list(matrix.columns).index(item["name"])
            corr = [item["corr"]] if isinstance(item["corr"], str) else item["corr"]
            for j, printed in enumerate(corr):
                r = v[at, j] / (v[at, at] * v[j, j]) ** 0.5
                out.append((f"{item['group']} {item['name']} corr", printed, float(r)))
    for key, attribute in (
        ("n", "nobs"), ("REMLcrit", "reml_criterion"), ("AIC", "aic"), ("BIC", "bic"),
        ("logLik", "loglik"), ("deviance", "deviance"), ("df_resid", "df_residual"),
    ):  # fmt: skip
        if expected.get(key) is not None:
            out.append((key, str(expected[key]), float(getattr(model, attribute))))
    out += [
        (f"ngroups {g}", str(k), float(model.ngroups[g]))
        for g, k in (expected.get("ngroups") or {}).items()
    ]
    return out


@pytest.mark.parametrize("case", cases(), ids=lambda c: c["id"])
def test_printed_numbers_come_out(case):
    if case.get("family") and not hasattr(mlm, "glmer"):
        pytest.skip("glmer is not there yet")
    loose = TIGHT if case["reproduced"] is True else LOOSE
    if case.get("family") and has_structures():
        loose = LAPLACE_SINCE_2
    model = fit(case)
    found = numbers(case, model)
    assert found
    wrong = [(w, p, v) for w, p, v in found if not agrees(p, v, loose)]
    if wrong and not case.get("family"):
        optimum = at_the_optimum(model)
        wrong = [(w, p, v) for w, p, v in numbers(case, optimum)
                 if not agrees(p, v, loose) and w in {x[0] for x in wrong}]  # fmt: skip
    assert wrong == []


def at_the_optimum(model: Any) -> Any:
    """The same model by an optimizer that stops nowhere short of the optimum.

    lme4's default stops within its tolerance, elsewhere on another processor: hoffman_randslope's
    variance was 1.03e-4 from the printed one on one machine, and is 1e-5 from it on another. The
    optimum itself (4.9e-5) is the same on all.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.errors.PymlmWarning)
        return model.update(control={"optimizer": "bobyqa", "opt_ctrl": {"rhoend": 1e-10}})


def test_the_optimum_is_as_near_as_the_fit() -> None:
    """So that no processor decides: the case that failed on one agrees at the optimum, too."""
    case = next((c for c in cases() if c["id"] == "hoffman_randslope"), None)
    if case is None:
        pytest.skip("the course data are not here")
    found = numbers(case, at_the_optimum(fit(case)))
    assert [(w, p, v) for w, p, v in found if not agrees(p, v, TIGHT)] == []


def test_the_cases_are_here():
    if not CASES.is_file():
        pytest.skip("the course data are not here")
    assert len(cases()) >= 30


def test_scaled_residuals_as_printed():
    if not CASES.is_file():
        pytest.skip("the course data are not here")
    seen = 0
    for case in cases():
        printed = case["expected"].get("scaled_residuals") or case["expected"].get(
            "scaled residuals"
        )
        if not printed or case.get("family"):
            continue
        ours = fit(case).summary(ddf=None).scaled_residuals
        values = list(printed.values()) if isinstance(printed, dict) else printed
        assert all(agrees(p, v, LOOSE) for p, v in zip(values, ours, strict=True)), case["id"]
        seen += 1
    assert seen
