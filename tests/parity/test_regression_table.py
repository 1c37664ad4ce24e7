"""Regression tables: the lecture's numbers, native R's p-values behind the stars, the layouts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from pymlm.render.numbers import grouped
from tests.tolerances import half_unit


@pytest.fixture(scope="module")
def models() -> list[Any]:
    data = mlm.load_dataset("sleepstudy")
    return [
        mlm.lm("Reaction ~ Days", data),
        mlm.lmer("Reaction ~ Days + (1 | Subject)", data),
        mlm.lmer("Reaction ~ Days + (Days | Subject)", data),
        mlm.glmer(
            "cbind(incidence, size - incidence) ~ period + (1 | herd)",
            mlm.load_dataset("cbpp"),
            family="binomial",
        ),
    ]


def lines(table: str) -> list[str]:
    """The table's lines, runs of spaces as one."""
    return [" ".join(line.split()) for line in table.splitlines()]


def test_the_lecture_s_table(course: Path) -> None:
    """S1, Table 1: Effect of state funding for parties on MEPs' local staff size."""
    data = pd.read_csv(course / "data" / "hermansen_mep.csv")
    m = mlm.lmer("y ~ x + (1 | Nationality)", data)
    said = lines(mlm.regression_table(m, single_row=True))
    for expected in (
        "Dependent variable:", "y", "x -1.672*** (0.168)", "Constant 2.680*** (0.339)",
        "Observations 6,948", "Log Likelihood -15,677.610", "Akaike Inf. Crit. 31,363.210",
        "Bayesian Inf. Crit. 31,390.600", "Note: *p<0.1; **p<0.05; ***p<0.01",
    ):  # fmt: skip
        assert expected in said
    assert said.index("x -1.672*** (0.168)") < said.index("Constant 2.680*** (0.339)")


def test_every_stargazer_case_of_the_course(course: Path) -> None:
    seen = 0
    for case in json.loads((course / "cases.json").read_text()):
        printed = [e["printed"] for e in case.get("extras", []) if e["kind"] == "stargazer"]
        if not printed or case["id"] == "hermansen_ri":
            continue
        names = set(printed[0])
        if not {"logLik", "AIC"} <= names:
            continue
        m = mlm.lmer(case["formula"], pd.read_csv(course / case["data"]).astype({"ID": str}))
        table = mlm.regression_table(m)
        for name, label in (("logLik", "Log Likelihood"), ("AIC", "Akaike Inf. Crit.")):
            row = next(x for x in lines(table) if x.startswith(label))
            assert float(row.removeprefix(label).replace(",", "")) == pytest.approx(
                float(printed[0][name]), abs=1.02 * half_unit(2)
            )
            seen += 1
    assert seen >= 4


def test_standard_errors_below(models: list[Any]) -> None:
    said = lines(mlm.regression_table(models[1]))
    at = said.index("Days 10.467***")
    assert said[at + 1 : at + 3] == ["(0.804)", ""]


def test_models_side_by_side(models: list[Any]) -> None:
    table = mlm.regression_table(models)
    said = lines(table)
    assert "(1) (2) (3) (4)" in said
    assert "Days 10.467*** 10.467*** 10.467***" in said
    assert "(1.238) (0.804) (1.546)" in said
    assert "Observations 180 180 180 56" in said
    assert "R2 0.286" in said
    assert "Residual Std. Error 47.715 (df = 178)" in said
    assert "F Statistic 71.464*** (df = 1; 178)" in said
    # glmer's Laplace approximation changed a little in lme4 2.1.
    assert f"Bayesian Inf. Crit. 1,807.237 1,774.786 {models[3].bic:,.3f}" in said
    assert len({len(line) for line in table.splitlines() if line.strip()}) == 1


def test_equal_responses_share_a_header(models: list[Any]) -> None:
    said = lines(mlm.regression_table(models[:3]))
    assert said[3] == "Reaction"
    own = lines(mlm.regression_table(models[:2], column_labels=["a", "b"]))
    assert own[3] == "a b"


def test_stars_follow_the_p_values(models: list[Any]) -> None:
    m = models[3]  # period4: z = -3.74
    p = m.tidy("fixed").to_frame().loc["period4", "p_value"]
    assert "period4 -1.580**" in lines(mlm.regression_table(m, stars=(0.5, p * 1.01, p * 0.99)))
    assert "period4 -1.580***" in lines(mlm.regression_table(m, stars=(0.5, 0.1, p * 1.01)))
    plain = mlm.regression_table(m, stars=())
    assert "*" not in plain
    assert "Note" not in plain


def test_ddf_behind_the_stars() -> None:
    """Six subjects: z and t tests differ."""
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy").head(60))
    z = m.tidy("fixed", ddf="asymptotic").to_frame()["p_value"]
    t = m.tidy("fixed", ddf="Satterthwaite").to_frame()["p_value"]
    assert z["Days"] < t["Days"]
    level = float((z["Days"] + t["Days"]) / 2)

    def starred(ddf: str) -> bool:
        rows = lines(mlm.regression_table(m, stars=(level,), ddf=ddf))
        return "*" in next(x for x in rows if x.startswith("Days"))

    assert starred("asymptotic")
    assert not starred("Satterthwaite")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-15677.6066, "-15,677.610"),
        (31390.596, "31,390.600"),
        (1234.5678, "1,234.568"),
        (123456789.1, "123,456,800.000"),
        (0.00049, "0.0005"),
        (0.0005, "0.001"),
        (0.0, "0.000"),
        (9999999.6, "10,000,000.000"),
    ],
)
def test_numbers_as_stargazer_writes_them(value: float, shown: str) -> None:
    assert grouped(value) == shown


def test_markdown(models: list[Any]) -> None:
    rows = mlm.regression_table(models[:2], format="markdown").splitlines()
    assert rows[0] == "| " + " | ".join(["", "Reaction", "Reaction"]) + " |"
    assert r"| Days | 10.467\*\*\* | 10.467\*\*\* |" in rows
    assert {row.count("|") for row in rows if row.startswith("|")} == {4}
    assert rows[-1] == r"Note: \*p<0.1; \*\*p<0.05; \*\*\*p<0.01"


def test_latex(models: list[Any]) -> None:
    text = mlm.regression_table(models[1:3], format="latex", title="50 % of sleep_study")
    assert r"\caption{50 \% of sleep\_study}" in text
    assert r"Days & 10.467$^{***}$ & 10.467$^{***}$ \\" in text
    assert r"Log Likelihood & $-$893.233 & $-$871.814 \\" in text
    assert text.count(r"\begin{") == text.count(r"\end{")


def test_html(models: list[Any]) -> None:
    text = mlm.regression_table(models[:2], format="html", labels={"Days": "days < 10"})
    assert "<td>10.467<sup>***</sup></td>" in text
    assert "days &lt; 10" in text
    assert text.count("<tr>") == text.count("</tr>")
    assert text._repr_html_() == str(text)


def test_bad_input(models: list[Any]) -> None:
    for arguments, said in (
        ({"models": []}, "empty"),
        ({"models": [models[0], "m"]}, "holds a str"),
        ({"format": "word"}, "format"),
        ({"style": "texreg"}, "stargazer"),
        ({"stars": (0.01, 0.05)}, "falling"),
        ({"digits": 2.5}, "digits"),
        ({"labels": {"Dayz": "x"}}, "Days"),
        ({"column_labels": ["a", "b"]}, "2 column_labels for 1"),
    ):
        with pytest.raises(ArgumentError, match=said):
            mlm.regression_table(**({"models": models[1]} | arguments))
