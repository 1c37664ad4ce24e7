"""Text of a user that would run code in R, were it read as code: formulas, column names, levels."""

from __future__ import annotations

import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, FormulaError
from tests.native import OPTIMUM, assert_close, rscript
from tests.tolerances import REOPTIMIZED


@pytest.fixture
def traces(tmp_path):
    """A folder into which an attack would write; nothing may be in it at the end."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def with_groups(sleepstudy, levels) -> pd.DataFrame:
    return sleepstudy.assign(g=pd.Categorical(levels * (180 // len(levels))))


@pytest.mark.parametrize(
    ("term", "named"),
    [
        ("C(g, 'file.create')", "file.create"),
        ("C(contr = 'file.create', object = g)", "file.create"),
        ("C(g, 'do.call', , what = 'file.create', args = list('{path}'))", "do.call"),
        ("C(g, contr.sum, , FUN = 'system')", "system"),
        ("log(C(g, min(as.character(c))))", "min"),  # c may be a column of text
    ],
)
def test_c_calls_contrasts_only(sleepstudy, traces, term, named):
    """C() finds its second argument by name, and calls it with the levels, or with the rest."""
    data = with_groups(sleepstudy, [str(traces / "a"), str(traces / "b")])
    formula = f"Reaction ~ {term.format(path=traces / 'c')} + (1 | Subject)"
    with pytest.raises(FormulaError, match=f"calls '{named}'"):
        mlm.lmer(formula, data)


@pytest.mark.parametrize(
    "term",
    [
        "C(g, contr.sum)", "C(g, 'contr.helmert')", "C(g, contr.treatment(3, base = 2))",
        "C(g, contr.treatment, base = 3)", "C(g, cbind(c(1, 0, -1), c(-1, 2, -1)))", "C(g)",
    ],
)  # fmt: skip
def test_c_takes_contrasts(sleepstudy, term):
    data = with_groups(sleepstudy, ["a", "b", "c"])
    assert len(mlm.lm(f"Reaction ~ {term}", data).fixef()) == 3


def test_a_name_of_a_column_is_not_code_beside_double_bars(sleepstudy, traces):
    """lme4 writes out (x || g) by text, in which g has lost its backticks."""
    code = f"file.create('{traces / 'a'}')"
    data = sleepstudy.rename(columns={"Subject": code})
    m = mlm.lmer(f"Reaction ~ Days + (Days || `{code}`)", data)
    plain = mlm.lmer("Reaction ~ Days + (Days || Subject)", sleepstudy)
    assert m.reml_criterion == pytest.approx(plain.reml_criterion, rel=REOPTIMIZED)
    start = mlm.lmer(f"Reaction ~ Days + (1 | `{code}`)", data)
    again = start.update(f". ~ Days + (Days || `{code}`)")
    assert again.reml_criterion == pytest.approx(plain.reml_criterion, rel=REOPTIMIZED)


def test_a_formula_in_a_list_of_specs(sleepstudy):
    m = mlm.lmer("Reaction ~ g + (1 | Subject)", with_groups(sleepstudy, ["a", "b", "c"]))
    with pytest.raises(FormulaError, match="calls 'system'"):
        m.emmeans(["~ g | system('true')"])
    with pytest.raises(ArgumentError, match="no predictor"):
        m.emmeans(["system('true') ~ g"])


def test_contrasts_that_are_no_numbers(sleepstudy):
    m = mlm.lmer("Reaction ~ g + (1 | Subject)", with_groups(sleepstudy, ["a", "b", "c"]))
    for contrast in (["pairwise", "eff"], {"a": "system('true')"}):
        with pytest.raises(ArgumentError, match="holds numbers"):
            m.emmeans("g", contrast=contrast)


def test_text_does_not_end_at_a_nul(sleepstudy):
    """R's would: 'Days' followed by a NUL and nonsense was the hypothesis 'Days'."""
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy)
    for text, why in (("Days\0 = 7", "NUL"), ("Days\ud800", "Unicode")):
        with pytest.raises(DataError, match=why):
            m.contest(text)
        with pytest.raises(DataError, match=why):
            m.emmeans("Days", at={text: [1]})
        renamed = sleepstudy.set_axis(pd.Index(["Reaction", text, "g"], dtype=object), axis=1)
        with pytest.raises(DataError, match=why):
            mlm.lm("Reaction ~ .", renamed)
    labels = pd.Index([f"{i}\ud800" for i in range(180)], dtype=object)
    with pytest.raises(DataError, match="Unicode"):
        mlm.lm("Reaction ~ Days", sleepstudy.set_index(labels))


@pytest.mark.parametrize("path", ["", "a\0b", "a\ud800", "~nobody-of-this-name/m.rds", None, 3])
def test_paths_that_name_no_file(sleepstudy, path):
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy)
    for use in (m.save, mlm.load_model):
        with pytest.raises(ArgumentError, match="no path of a file"):
            use(path)


def test_a_script_quotes_the_name_of_its_data(sleepstudy, tmp_path):
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy)
    script = m.to_r(tmp_path / 'a"); stop("b.R')
    assert r'readRDS("a\"); stop(\"b-data.rds")' in script


def test_names_are_no_html(sleepstudy):
    script = "<script>1</script>"
    data = with_groups(sleepstudy, ["a", script]).rename(columns={"Subject": script})
    m = mlm.lmer(f"Reaction ~ g + (1 | `{script}`)", data, data_name=script)
    for result in (m, m.summary(), m.varcorr(), m.ranef(), m.anova(), m.emmeans("g"), m.tidy()):
        assert "<script" not in result._repr_html_()


def test_lists_where_a_name_belongs(sleepstudy):
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy)
    with pytest.raises(ArgumentError, match=r"no grouping factor \['Subject'\]"):
        mlm.r2_decomposition(m, by=["Subject"])
    for name in ("time", "variance_by", "group"):
        with pytest.raises(ArgumentError, match=rf"{name} names a column, not \['Days'\]"):
            mlm.gls("Reaction ~ Days", sleepstudy, correlation="ar1", **{name: ["Days"]})


def test_no_name_or_level_runs_as_code_in_a_script(sleepstudy, traces):
    """deparse() of R 4.2 writes names of a list with a backtick unescaped: the rest was code."""
    code = f"x`=1)); file.create('{traces / 'a'}'); invisible(list(list(`y"
    quoted = "`" + code.replace("`", "\\`") + "`"
    odd = [f'"); file.create("{traces / "b"}"); ("', "a\nb\r\x07", "$(x)\\", "\t'é"]
    data = sleepstudy.rename(columns={"Days": code}).assign(
        f=pd.Categorical.from_codes(range(4), odd).repeat(45)
    )
    for contrasts in (None, {"f": "contr.sum"}):
        m = mlm.lmer(f"Reaction ~ {quoted} + f + (1 | Subject)", data, contrasts=contrasts)
        printed = rscript(m.to_r() + "\ncat(sprintf('%.17g\\n', fixef(model)))")
        numbers = [float(x) for x in printed.strip().splitlines()[-len(m.fixef()) :]]
        assert_close(m.fixef(), numbers, OPTIMUM)
        assert mlm.check_parity(m).ok
    named = mlm.lm("Reaction ~ `it\\`s`", data.assign(**{"it`s": data["f"]}),
                   contrasts={"it`s": "contr.sum"})  # fmt: skip
    assert "model <- lm" in rscript(named.to_r() + "\ncat('model <- lm')")
