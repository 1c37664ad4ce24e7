"""The lecture pages run from the package alone, and no table of theirs is cut to dots."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from pathlib import Path

import pytest

from tests.native import needs_r

PAGES = Path(__file__).parents[2] / "docs" / "lectures"
#: What a page shows comes from these packages of R, beside those that pymlm needs.
PACKAGES = {
    "cole": ("mlmRev", "plm", "geepack", "clubSandwich", "sandwich"),
    "explainer": ("mlmRev", "RLRsim", "clubSandwich"),
    "hermansen": ("plm",),
    "hoffman": ("mlmRev", "plm", "lavaan", "performance"),
    "rosche": ("mlmRev", "metafor", "plm", "geepack", "clubSandwich", "sandwich", "performance"),
}


def cells(page: str) -> list[str]:
    text = (PAGES / f"{page}.md").read_text("utf-8")
    found = re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"^:tags:.*$", "", c, flags=re.MULTILINE) for c in found]


def run(page: str) -> None:
    """Show a page's cells one after the other, as a plain interpreter does."""
    names: dict[str, object] = {"__name__": "__page__"}
    for cell in cells(page):
        tree = ast.parse(cell)
        if isinstance(tree.body[-1], ast.Expr) and not cell.rstrip().endswith(";"):
            last = ast.Interactive([tree.body.pop()])
        else:
            last = ast.Interactive([])
        exec(compile(tree, page, "exec"), names)
        exec(compile(last, page, "single"), names)  # as the prompt does, by sys.displayhook


@pytest.mark.parametrize("page", sorted(PACKAGES))
def test_a_page_runs_and_shows_whole_tables(page, tmp_path, monkeypatch, capsys):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    needs_r(*PACKAGES[page])
    monkeypatch.chdir(tmp_path)  # nothing of the repository is beside it
    monkeypatch.setattr(sys, "displayhook", lambda value: value is None or print(repr(value)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice and singular fits are what some cells are about
        try:
            run(page)
        finally:
            pyplot.close("all")
    out = capsys.readouterr().out
    assert len(out.splitlines()) > 100
    cut = [x for x in out.splitlines() if re.search(r"\s\.\.\.(\s|$)|…", x)]
    assert cut == []


def test_every_page_is_here():
    assert {p.stem for p in PAGES.glob("*.md")} - {"index"} == set(PACKAGES)
    for page in PACKAGES:
        assert "../" not in "".join(cells(page))
