"""docs/support.md against what native R exports, and against what pymlm has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import pymlm as mlm
from tests.native import native

PAGE = Path(__file__).resolve().parents[2] / "docs" / "support.md"
CODE = re.compile(r"`([^`]+)`")

R_LISTS = """
generics <- function(class) unique(attr(methods(class = class), "info")$generic)
# Without S4's bookkeeping, and names that start with a dot: they are not for users.
exports <- function(package) grep("^[.]", getNamespaceExports(package), value = TRUE, invert = TRUE)
emit(list(
  methods = unique(c(generics("merMod"), generics("lmerMod"), generics("glmerMod"),
                     generics("lmerModLmerTest"))),
  lme4 = exports("lme4"), lmerTest = exports("lmerTest"), pbkrtest = exports("pbkrtest"),
  # Packages that are newer than the page may have names that it cannot know.
  newer = c(lme4 = packageVersion("lme4") > "1.1.31",
            lmerTest = packageVersion("lmerTest") > "3.1.3",
            pbkrtest = packageVersion("pbkrtest") > "0.5.2")
))
"""
HEADINGS = {
    "methods": "Methods for fitted models",
    "lme4": "Functions that lme4 exports",
    "lmerTest": "Functions that lmerTest exports",
    "pbkrtest": "Functions that pbkrtest exports",
}
MODELS = (
    mlm.LinearMixedModel,
    mlm.GeneralizedLinearMixedModel,
    mlm.NonlinearMixedModel,
)


@pytest.fixture(scope="module")
def r() -> Any:
    return native(R_LISTS)


def rows(heading: str | None = None) -> list[tuple[str, str, str]]:
    """Rows of the page's tables, or of the table under one heading: R, pymlm, remarks."""
    text = PAGE.read_text(encoding="utf-8")
    if heading is not None:
        text = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = []
    for line in text.splitlines():
        if line.startswith("| `"):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            found.append(tuple(c.strip() for c in cells))
    return found  # type: ignore[return-value]  # a row of another length fails below


@pytest.mark.parametrize("which", HEADINGS)
def test_every_name_of_r_has_a_row(r: Any, which: str) -> None:
    have = {name for row in rows(HEADINGS[which]) for name in CODE.findall(row[0])}
    missing = sorted(set(r[which]) - have)
    newer = dict(zip(("lme4", "lmerTest", "pbkrtest"), r["newer"], strict=True))
    if missing and newer[{"methods": "lme4"}.get(which, which)]:
        pytest.skip(f"R's packages are newer than docs/support.md; new names: {missing}")
    assert not missing


@pytest.mark.parametrize("which", HEADINGS)
def test_no_name_has_two_rows(which: str) -> None:
    names = [row[0] for row in rows(HEADINGS[which])]
    assert len(names) == len(set(names))


def test_no_row_is_blank_without_a_reason() -> None:
    for row in rows():
        assert len(row) == 3, row
        assert row[1] == "—" or CODE.findall(row[1]), row
        if row[1] == "—":
            assert len(row[2]) > 5, row


def test_every_pymlm_name_exists() -> None:
    for _, cell, _ in rows():
        for name in CODE.findall(cell):
            owner, _, attribute = name.partition(".")
            if owner == "mlm":
                assert attribute in mlm.__all__, name
            else:
                assert owner == "m", name
                assert any(hasattr(c, attribute) for c in MODELS), name
