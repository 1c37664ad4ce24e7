"""The documentation names what there is, and needs nothing that users have not."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import pymlm as mlm
from pymlm import errors

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
GUIDES = sorted(p for p in DOCS.glob("guides/from_*.md"))
LECTURES = ("rosche", "hermansen", "explainer", "cole", "hoffman")
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Rows of the project's checklist of what the lectures name.
ROWS = range(1, 94)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(page: Path) -> ast.Module:
    cells = CELL.findall(text(page))
    return ast.parse("\n".join(re.sub(r"^:\w+:.*$", "", c, flags=re.MULTILINE) for c in cells))


def unknown_calls(page: Path) -> set[str]:
    return {
        n.attr
        for n in ast.walk(code(page))
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "mlm"
    } - set(mlm.__all__)


def is_a_notebook_by_halves(page: Path) -> bool:
    headed = text(page).startswith("---\nfile_format: mystnb\n")
    return headed != ("{code-cell}" in text(page))


def private_data(page: Path) -> list[str]:
    calls = {n.attr for n in ast.walk(code(page)) if isinstance(n, ast.Attribute)}
    words = [w for w in ("PYMLM_SHARED", "../shared") if w in text(page)]
    return words + [c for c in calls if c.startswith("read_")]


@pytest.mark.parametrize("fault", [unknown_calls, is_a_notebook_by_halves, private_data])
def test_no_page_has_this_fault(fault: Any) -> None:
    """It calls what there is, is a notebook where it has cells, and has no data of ours."""
    assert len(PAGES) > len(LECTURES)
    assert {page.stem: found for page in PAGES if (found := fault(page))} == {}


@pytest.mark.parametrize("name", LECTURES)
def test_each_lecture_has_an_executed_page(name: str) -> None:
    page = DOCS / "lectures" / f"{name}.md"
    assert len(CELL.findall(text(page))) > 10
    assert f"]({name}.md)" in text(DOCS / "lectures" / "index.md")


def test_the_lectures_table_has_every_row_of_the_checklist() -> None:
    page = text(DOCS / "lectures" / "index.md")
    found: set[int] = set()
    for line in page.splitlines():
        if line.startswith("|") and line.count("|") >= 5:
            for part in re.split(r"(?<!\\)\|", line)[-2].split(","):
                match re.findall(r"\d+", part):
                    case [one]:
                        found.add(int(one))
                    case [first, last]:
                        found |= set(range(int(first), int(last) + 1))
    found |= {int(n) for n in re.findall(r"row (\d+)", page)}  # named, with a reason, below it
    assert sorted(set(ROWS) - found) == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda p: p.stem)
def test_names_that_a_guide_translates_to_exist(page: Path) -> None:
    """The last column of its tables is pymlm's; most rows name something."""
    rows = [re.split(r"(?<!\\)\|", x)[-2] for x in text(page).splitlines() if x.startswith("| ")]
    named = [re.findall(r"(?<!\")\b(mlm|m)\.((?:plot\.)?\w+)", row) for row in rows]
    assert sum(map(bool, named)) > 10
    for where, name in {n for row in named for n in row}:
        if where == "mlm":
            figure = name.removeprefix("plot.")
            assert figure in (mlm.plot.__all__ if figure != name else mlm.__all__), name
        else:
            assert hasattr(mlm.LinearMixedModel, name), name


def test_names_in_the_lectures_table_exist() -> None:
    rows = [x for x in text(DOCS / "lectures" / "index.md").splitlines() if x.startswith("| ")]
    for row in rows:
        for call in re.findall(r"`([^`]+)`", row):
            name = call.split("(")[0]
            if name.startswith("m."):
                assert hasattr(mlm.LinearMixedModel, name[2:]), call
            elif name.isidentifier():
                assert name in mlm.__all__, call


def test_the_gallery_has_every_figure() -> None:
    page = text(DOCS / "gallery.md")
    titled = re.findall(r"^### `(\w+)`: ", page, re.MULTILINE)
    assert sorted(titled) == sorted(mlm.plot.__all__)


def test_the_errors_page_has_every_error_and_warning() -> None:
    page = text(DOCS / "errors.md")
    rows = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    roots = {"PymlmError", "PymlmWarning"}
    assert rows == set(errors.__all__) - roots


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([\w./-]+\.md)(?:#[\w-]+)?\)", text(page)):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
