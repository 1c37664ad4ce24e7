"""What the README shows is what happens."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pymlm import load_dataset, plot

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
#: A block of Python, and the block that shows what it prints, where one follows.
BLOCKS = re.findall(r"```python\n(.*?)```\n(?:\n```\n(.*?)```)?", README, re.DOTALL)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """What each block should print, and what it prints when they run one after the other."""
    names: dict[str, Any] = {}
    found = []
    with contextlib.chdir(tmp_path_factory.mktemp("readme")):
        for code, shown in BLOCKS:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(code, names)
            found.append((shown, out.getvalue()))
        assert {p.name for p in Path().iterdir()} >= {"model.rds", "analysis.R"}
    return found


def test_the_summary_is_what_it_prints(printed: list[tuple[str, str]]) -> None:
    """Word by word: how many blanks stand at the ends of lines is R's business."""
    shown, out = printed[0]
    assert len(shown.split()) > 100
    assert out.split() == shown.split()


def test_native_r_agrees(printed: list[tuple[str, str]]) -> None:
    """How many numbers there are and the version of R differ from one machine to another."""
    shown, out = printed[1]
    pattern = r"\d+ numbers, pymlm and native R [\d.]+: they agree \(.*\)\s*"
    assert re.fullmatch(pattern, shown)
    assert re.fullmatch(pattern, out)


def test_the_count_of_figures_is_true() -> None:
    assert f"# {len(plot.__all__)} in all" in README


def test_the_command_line_does_what_it_shows(tmp_path: Path) -> None:
    lines = re.findall(r"^(pymlm (?:fit|parity) [^#\n]*)", README, re.MULTILINE)
    assert len(lines) == 2
    exam = load_dataset("mlmRev::Exam").rename(columns={"normexam": "score", "standLRT": "x"})
    exam[["score", "x", "school"]].to_csv(tmp_path / "data.csv", index=False)
    for line in lines:
        words = [sys.executable, "-m", "pymlm", *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_it_opens_with_a_picture() -> None:
    assert README.splitlines()[2].startswith("![")
