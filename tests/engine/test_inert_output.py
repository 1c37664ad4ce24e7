"""What a user's names, levels, labels and titles say stays text in every output."""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt

import pymlm as mlm
from pymlm import escape
from pymlm.tables import frame_as

#: Each is code in LaTeX, Markdown, HTML or R, or breaks a line or a table.
HOSTILE = (
    "$^{2}$", r"\input{/etc/hostname}", r"\def\x{", "}{", "a & b", "# one", "50 %", "a_b_c",
    "~x~", "x^2^", "\\", "tail\\", r"\n", "two\nlines", "a\r\n\r\nb", "a\u2028b", "a\tb", "a | b",
    "`code`", "``` a", "*em* __strong__", "<script>alert(1)</script>", "<b>bold", "a -- b --- c",
    "?`!`", "&amp; &lt;", "[a](http://b.c)", "![x](y)", "http://a.b www.a.b x@a.bc", "[2ex]", "*",
    "'a' \"b\"", "$$x$$ \\(y\\)", "{{ x }} {% y %}", "1. x", "- x", "> x", "µ ≥ β²", "über €",
    "^^M", "\x1b[31mred", "a\x00b\x7f", "\u202eturned",
)  # fmt: skip
#: Of these, what pdflatex has letters for.
LATIN = [x for x in HOSTILE if not re.search(r"[\u20ac\u202e]", x)]


def said(text: str) -> str:
    """The text as a reader sees it: runs of spaces are one."""
    return " ".join(escape.plain(text).split())


class Reader(HTMLParser):
    """Cells of a table, captions, and every tag that there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.caption = ""
        self.place = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        self.place = "cell" if tag in ("td", "th") else tag if tag == "caption" else self.place

    def handle_endtag(self, tag: str) -> None:
        self.place = "" if tag in ("td", "th", "caption") else self.place

    def handle_data(self, data: str) -> None:
        if self.place == "cell":
            self.rows[-1][-1] += data
        elif self.place == "caption":
            self.caption += data


def read_markdown(text: str) -> Reader:
    """Markdown as GitHub reads it."""
    return Reader(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


@pytest.fixture(scope="module")
def model() -> Any:
    return mlm.lmer("Reaction ~ Days + (1 | Subject)", mlm.load_dataset("sleepstudy"))


@pytest.fixture(scope="module")
def levels() -> Any:
    """A model whose factor has every hostile text for a level that R can hold."""
    kept = [x for x in HOSTILE if "\x00" not in x]
    data = mlm.load_dataset("sleepstudy")
    data["f"] = pd.Categorical([kept[i % len(kept)] for i in range(len(data))], categories=kept)
    return mlm.lmer("Reaction ~ 0 + f + (1 | Subject)", data)


def table(m: Any, text: str, format: str) -> str:
    return mlm.regression_table(
        m, format=format, title=text, labels={"Days": text}, column_labels=[text]
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_a_label_in_a_table(model: Any, text: str) -> None:
    plain = table(model, "Name", "text")
    assert table(model, text, "text").count("\n") == plain.count("\n")
    page = Reader(table(model, text, "html"))
    assert page.tags == Reader(table(model, "Name", "html")).tags
    assert said(page.caption) == said(text)
    assert {said(r[0]) for r in page.rows if r} >= {said(text)}
    expected = read_markdown(table(model, "Name", "markdown"))
    found = read_markdown(table(model, text, "markdown"))
    assert found.tags == expected.tags
    at = [i for i, r in enumerate(expected.rows) if r[0] == "Name"]
    assert [said(found.rows[i][0]) for i in at] == [said(text)]
    assert said(found.rows[0][1]) == said(text)
    assert [r[1:] for r in found.rows[1:]] == [r[1:] for r in expected.rows[1:]]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_frame(text: str) -> None:
    frame = pd.DataFrame({text: [1.5, 2.5], "text": [text, "b"]}, index=[text, "other"])
    for page in (
        Reader(frame_as(frame, "html", 1)), read_markdown(frame_as(frame, "md", 1)),
        Reader(escape.html_frame(frame)),
    ):  # fmt: skip
        assert page.tags == {"table", "thead", "tbody", "tr", "th", "td"}
        assert [[said(c) for c in r] for r in page.rows] == [
            ["", said(text), "text"], [said(text), "1.5", said(text)], ["other", "2.5", "b"],
        ]  # fmt: skip


def test_levels_of_a_model_in_every_result(levels: Any) -> None:
    alone = {"table", "thead", "tbody", "tr", "th", "td", "p", "pre", "div"}
    results = (levels, levels.summary(), levels.tidy(), levels.emmeans("f"), levels.ranef())
    for result in results:
        assert Reader(result._repr_html_()).tags <= alone
    shown = {said(r[0]) for r in Reader(levels.summary()._repr_html_()).rows}
    assert {said("f" + x) for x in HOSTILE if "\x00" not in x} <= shown
    assert "tex2jax_ignore" in levels.summary()._repr_html_()


def test_groups_of_many_fits() -> None:
    name = "<script>1</script>"
    data = mlm.load_dataset("sleepstudy")
    data[name] = ["<b>a", "b\nc"] * 90
    many = mlm.fit_many("Reaction ~ Days + (1 | Subject)", data, by=name)
    page = Reader(many._repr_html_())
    assert page.tags == {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert {r[0] for r in page.rows} == {name, "<b>a", "b c"}


def test_coefficients_of_levels_in_any_script() -> None:
    data = mlm.load_dataset("sleepstudy")
    data["f"] = pd.Categorical(["a", "β ≥ 漢字"] * 90, categories=["a", "β ≥ 漢字"])
    m = mlm.lmer("Reaction ~ Days * f + (1 | Subject)", data)
    coef = m.coef()["Subject"]
    assert coef.columns.tolist() == list(m.fixef().index)
    assert "β ≥ 漢字" in mlm.equations(m)


def test_text_is_no_html_because_it_begins_like_it(model: Any) -> None:
    """Which it is, is what was asked for, also after pickling."""
    made = table(model, "<table><script>1</script>", "text")
    for text in (made, pickle.loads(pickle.dumps(made))):
        assert Reader(text._repr_html_()).tags == {"pre"}
    whole = table(model, "a", "html")
    assert pickle.loads(pickle.dumps(whole))._repr_html_() == str(whole)


@pytest.mark.parametrize("which", ["Reaction", "Days", "Subject", "f"])
@pytest.mark.parametrize(
    "name", ["a\\b", r"\g<0>", "we`ird", "tail\\", "a\nb", "a\tb", "a|b", "$x$", "a(b", "%d"]
)
def test_every_voice_takes_every_name(name: str, which: str) -> None:
    data = mlm.load_dataset("sleepstudy").assign(f=["a", "b", "c"] * 60)
    plain = mlm.lmer("Reaction ~ Days * f + (Days | Subject)", data, reml=False)
    spelled = "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
    formula = plain.formula.replace(which, spelled) if which != "f" else plain.formula.replace(
        "* f", f"* {spelled}")  # fmt: skip
    m = mlm.lmer(formula, data.rename(columns={which: name}), reml=False)
    for style in ("stata", "sas", "spss", "mplus", "stargazer"):
        ours, expected = mlm.render(m, style), mlm.render(plain, style)
        assert len(ours.splitlines()) == len(expected.splitlines()), style
        assert numbers(ours) == numbers(expected), style


def numbers(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])-?\d*\.\d+\b", text)


def test_spss_names_a_term_whatever_its_variable_is_called(model: Any) -> None:
    """The intercept is averaged over a factor's levels only where the factor is found."""
    data = mlm.load_dataset("sleepstudy").assign(f=["a", "b", "c"] * 60)
    plain = mlm.render(mlm.lmer("Reaction ~ Days * f + (1 | Subject)", data), "spss")
    odd = data.rename(columns={"f": "a\\b"})
    own = mlm.render(mlm.lmer(r"Reaction ~ Days * `a\\b` + (1 | Subject)", odd), "spss")
    tests = [t.split("Type III Tests")[1] for t in (plain, own)]
    of = [next(x for x in t.splitlines() if "Intercept" in x) for t in tests]
    assert numbers(of[0]) == numbers(of[1])
    assert numbers(of[0])


def test_names_that_differ_by_their_space_stay_apart() -> None:
    assert len(set(escape.distinct(["a\nb", "a b", "a\tb"]).values())) == 3


# --- LaTeX, compiled ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pdflatex() -> str:
    found = shutil.which("pdflatex")
    if found is None:
        pytest.skip("pdflatex is not installed: LaTeX cannot be compiled here")
    return found


def compiled(pdflatex: str, folder: Any, body: str) -> str:
    """Compile without a chance to ask back; return the log."""
    (folder / "secret.tex").write_text(r"\typeout{SECRET READ}")
    (folder / "a.tex").write_text(
        "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n"
        + body + "\n\\end{document}\n", encoding="utf-8",
    )  # fmt: skip
    done = subprocess.run(
        [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert (folder / "a.pdf").is_file()
    return done.stdout


ATTACK = r"\input{secret}"


def test_pdflatex_sets_every_table(model: Any, levels: Any, pdflatex: str, tmp_path: Any) -> None:
    body = [table(model, text, "latex") for text in (*LATIN, ATTACK)]
    frame = pd.DataFrame({"a": [1.5] * len(LATIN)}, index=LATIN)
    body += [r"\clearpage", frame_as(frame, "latex"), frame_as(frame.T, "latex")]
    assert "SECRET READ" not in compiled(pdflatex, tmp_path, "\n\n".join(body))


def test_pdflatex_sets_every_equation(pdflatex: str, tmp_path: Any) -> None:
    data = mlm.load_dataset("sleepstudy")
    body = []
    for text in (x for x in (*LATIN, ATTACK) if "\x00" not in x and "`" not in x):
        data["f"] = pd.Categorical(["a", text] * 90, categories=["a", text])
        m = mlm.lmer("Reaction ~ f + (1 | Subject)", data)
        for form in ("levels", "combined", "distribution"):
            tex = mlm.equations(m, form=form, format="latex")
            assert tex.count("\n") == mlm.equations(m, form=form, format="text").count("\n") + 2
            body.append(f"\\[{tex}\\]")
    assert "SECRET READ" not in compiled(pdflatex, tmp_path, "\n\n".join(body))


def test_an_equation_in_a_notebook_is_no_html() -> None:
    data = mlm.load_dataset("sleepstudy")
    data["f"] = pd.Categorical(["a", "<script>alert(1)</script>&lt;"] * 90)
    m = mlm.lmer("Reaction ~ f + (1 | Subject)", data)
    tex = mlm.equations(m, format="latex")
    assert tex._repr_html_() is None
    assert Reader(tex._repr_latex_()).tags == set()
    assert mlm.equations(m)._repr_html_().count("<") == 2
