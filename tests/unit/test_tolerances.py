"""Every tolerance of a test has a name, and so a place where its reason stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
KEYWORDS = {"rel", "abs", "rtol", "atol"}
#: Functions whose third argument is a tolerance.
THIRD = {"assert_close", "assert_fits_close"}


def bare_tolerances(source: str) -> Iterator[int]:
    """Lines on which a number, not a name, says how closely two numbers must agree."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        given = [k.value for k in node.keywords if k.arg in KEYWORDS]
        if isinstance(node.func, ast.Name) and node.func.id in THIRD:
            given += node.args[2:3]
        for value in given:
            if isinstance(value, ast.Constant) and isinstance(value.value, float) and value.value:
                yield node.lineno


def test_the_walk_finds_bare_tolerances() -> None:
    source = "assert_close(a, b, 1e-3)\nassert a == approx(b, rel=1e-3)\nassert_close(a, b, NAME)"
    assert list(bare_tolerances(source)) == [1, 2]


def test_tolerances_have_names() -> None:
    files = sorted(TESTS.rglob("test_*.py"))
    assert Path(__file__) in files
    bare = {
        str(path.relative_to(TESTS)): list(bare_tolerances(path.read_text(encoding="utf-8")))
        for path in files
    }
    assert {path: lines for path, lines in bare.items() if lines} == {}
