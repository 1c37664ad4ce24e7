"""How results look in a REPL and in a notebook."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.display import heading, readable, shortened, words
from pymlm.escape import few_rows, html_frame
from tests.native import needs_r


@pytest.fixture(scope="module")
def m(sleepstudy):
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)


#: Every kind of result: printed by R, a table, words of its own.
RESULTS = {
    "summary": lambda m: m.summary(),
    "fixed": lambda m: m.summary().fixed,
    "anova": lambda m: m.anova(),
    "comparison": lambda m: mlm.anova(m.update(". ~ . - Days"), m),
    "ranova": lambda m: m.ranova(),
    "varcorr": lambda m: m.varcorr(),
    "ranef": lambda m: m.ranef(),
    "confint": lambda m: m.confint(),
    "convergence": lambda m: m.convergence,
    "tidy": lambda m: m.tidy(),
    "glance": lambda m: m.glance(),
    "means": lambda m: m.emtrends("1", "Days"),
    "predictions": lambda m: m.predict(interval="confidence"),
    "icc": lambda m: mlm.icc(m),
    "shrinkage": lambda m: mlm.shrinkage(m),
    "robust": lambda m: mlm.cluster_robust(m),
    "checks": lambda m: mlm.check_assumptions(m),
    "bootstrap": lambda m: m.bootstrap(nsim=100, seed=1),
    "levels": lambda m: mlm.describe_levels(m._source.data, "Subject"),
}


def made(name, m):
    if name == "checks":
        needs_r("performance")
    return RESULTS[name](m)


@pytest.mark.parametrize("name", RESULTS)
def test_a_repl_shows_what_print_shows(name, m):
    result = made(name, m)
    assert repr(result) == shortened(str(result))
    assert "array(" not in repr(result)


@pytest.mark.parametrize("name", RESULTS)
def test_a_notebook_shows_a_table_without_nan_under_a_caption(name, m):
    shown = made(name, m)._repr_html_()
    assert "<table" in shown
    assert "NaN" not in shown
    assert "None" not in shown
    assert "e-1" not in shown.split("<table", 1)[1]  # 1.2e-17: no sensible digits


def test_captions_say_what_r_says_above_its_table(m):
    said = RESULTS["comparison"](m)._repr_html_()
    for text in ("m0: Reaction ~ (Days | Subject)", "m1: Reaction ~ Days", "refitted by maximum"):
        assert text in said, said[:400]
    assert "Type III Analysis of Variance Table" in m.anova()._repr_html_()
    assert "parametric bootstrap, 100 draws, seed 1" in RESULTS["bootstrap"](m)._repr_html_()


def test_a_summary_says_its_formula_and_a_parity_report_its_verdict(m):
    for shown in (m._repr_html_(), m.summary()._repr_html_()):
        assert "Formula: Reaction ~ Days + (Days | Subject)" in shown
    report = mlm.check_parity(m)
    assert "they agree" in report._repr_html_()
    assert repr(report) == str(report)
    counts = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp"),
        family="binomial",
    )  # fmt: skip
    assert "Formula: cbind(incidence, size - incidence) ~ period" in counts._repr_html_()


def test_no_column_is_said_twice_and_nothing_is_said_blank(m):
    assert m.tidy()._repr_html_().count("sd__(Intercept)") == 1
    rows = m.convergence._repr_html_().split("<tr")
    assert not [r for r in rows if "<td></td>" in r]
    assert "optimizer" in m.convergence._repr_html_()


def test_many_fits_are_a_table_with_sensible_digits(sleepstudy):
    shown = mlm.fit_many("Reaction ~ Days + (1 | Subject)", sleepstudy, responses=["Reaction"])
    page = shown._repr_html_()
    assert "&lt;0.001" in page
    assert "e-1" not in page


def test_long_tables_show_few_rows_from_both_ends():
    frame = pd.DataFrame({"x": np.arange(100_000.0), "name": [f"<{i}>" for i in range(100_000)]})
    page = html_frame(readable(few_rows(frame)), index=False)
    assert page.count("<tr") == 12  # names, five, dots, five
    for shown in ("&lt;4&gt;", "&lt;99995&gt;", "99999"):
        assert shown in page
    assert "&lt;5&gt;" not in page
    assert html_frame(frame).count("<tr") == 12
    with pd.option_context("display.max_rows", None):
        assert html_frame(frame.head(100)).count("<tr") == 101


def test_a_block_stays_in_columns_whatever_the_theme(m):
    assert "font-family: monospace; white-space: pre-wrap" in m.anova()._repr_html_()


def test_a_region_is_its_own_caption():
    model = mlm.lmer(
        "normexam ~ standLRT * schavg + (1 | school)", mlm.load_dataset("mlmRev::Exam")
    )
    j = mlm.johnson_neyman(model, "schavg", "standLRT")
    assert j.text[:40] in j._repr_html_()
    assert "<th>0</th>" not in j._repr_html_()  # rows of a grid have no names
    assert repr(j) == j.text


def test_small_p_values_are_only_said_to_be_below(m):
    table = readable(m.summary().fixed.to_frame())
    assert table["p_value"].tolist() == ["<0.001", "<0.001"]
    assert table["estimate"].tolist() == ["251.405", "10.467"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([251.405105, 10.467286], ["251.405", "10.467"]),
        ([1785.4759, 1763.9393], ["1785.5", "1763.9"]),
        ([5.0, 6.0], ["5", "6"]),
        ([0.001234, 0.5], ["0.001234", "0.500000"]),
        ([1e-9, 250.0], ["1e-09", "250.00"]),
        ([np.nan, np.inf, -np.inf, 1.5], ["", "Inf", "-Inf", "1.5000"]),
        ([0.0, -0.25], ["0.00000", "-0.25000"]),
        ([], []),
    ],
)
def test_digits(values, shown):
    assert readable(pd.DataFrame({"x": np.array(values, dtype=float)}))["x"].tolist() == shown


def test_other_columns_are_left_and_what_is_missing_is_blank():
    frame = pd.DataFrame({"t": ["a", None], "n": [1, 2], "b": [True, False]})
    assert readable(frame).to_numpy().tolist() == [["a", 1, True], ["", 2, False]]
    assert readable(pd.DataFrame({"p_value": [0.04999, np.nan]}))["p_value"].tolist() == [
        "0.050",
        "",
    ]


def test_long_texts_lose_their_middle_as_long_frames_do():
    text = "\n".join(str(i) for i in range(500))
    shown = shortened(text).split("\n")
    assert shown[0] == "0"
    assert shown[-2:] == ["499", "[500 lines; print() has all]"]
    assert len(shown) < 60
    with pd.option_context("display.max_rows", None):
        assert shortened(text) == text
    many = pd.DataFrame({"y": np.arange(900.0) % 7, "g": np.repeat(np.arange(300), 3).astype(str)})
    modes = mlm.lmer("y ~ 1 + (1 | g)", many.assign(y=many["y"] + many.index // 60)).ranef()
    assert len(str(modes).split("\n")) > 300
    assert len(repr(modes).split("\n")) < 60


def test_headings_and_words():
    assert heading("Data: d\nModels:\nm0: y ~ 1\n   npar\nm0 1") == "Data: d\nModels:\nm0: y ~ 1"
    assert heading("$Subject\n   (Intercept)\na 1") == ""
    assert words("ModelComparison") == "Model comparison"


def test_a_result_whose_r_is_gone_still_has_a_repr(m):
    class Gone:
        def __call__(self, digits):
            raise mlm.errors.RError("R is gone")

    from dataclasses import replace

    from pymlm.results.base import Printed

    result = replace(m.varcorr(), printed=Printed(render=Gone()))
    assert repr(result) == "<VarCorr, which cannot be printed: R is gone>"
    back = pickle.loads(pickle.dumps(m.varcorr()))
    assert repr(back) == repr(m.varcorr())
