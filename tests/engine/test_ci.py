""".ci/run: only tests that fail make it fail; roots that cannot be made are said and left out."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOSING = "===== 3 passed in 1.00s ====="

pytestmark = pytest.mark.skipif(not (ROOT / ".ci").is_dir(), reason="only in the source tree")


@pytest.fixture
def tree(tmp_path):
    """A tree whose make, python and other_r.sh are told what to do by files."""
    for name in (".ci", "scripts", ".venv/bin", "bin", "docs", "pymlm/engine"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    row = {"release": "here", "R": "4", "lme4": "1", "lmerTest": "3", "pbkrtest": "0",
           "emmeans": "1", "rpy2": "3", "Python": "3", "passed": 3, "failed": 0,
           "skipped": {}}  # fmt: skip
    there = json.dumps(row | {"release": "there"})
    _script(
        tmp_path / "bin/make",
        f"echo '{CLOSING}'; mkdir -p .make; echo x >.make/tests.xml; exit ${{HERE:-0}}",
    )
    _script(
        tmp_path / ".venv/bin/python",
        f"[ $2 = report ] && cat \"${{@:3}}\" || echo '{json.dumps(row)}'",
    )
    _script(
        tmp_path / "scripts/other_r.sh",
        f"""case $WHAT in
  none) echo 'other_r: no root rights'; exit 75 ;;
  network) echo 'E: mirror not found'; exit 100 ;;
  good) echo @tests; echo '@row {there}' ;;
  bad) echo @tests; echo 'FAILED tests/a.py::b'; echo '@row {there}'; exit 1 ;;
  crash) echo @tests; echo 'Segmentation fault'; exit 139 ;;
  slow) echo @tests; exit 124 ;;
esac""",
    )
    return tmp_path


def _script(path, code):
    path.write_text(f"#!/usr/bin/env bash\n{code}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("what", "here", "code", "said"),
    [
        ("good", 0, 0, '"there"'),
        ("none", 0, 0, "sid: not run here: other_r: no root rights"),
        ("network", 0, 0, "sid: not run here: E: mirror not found"),
        ("slow", 0, 0, "sid: not finished within 20 minutes"),
        ("bad", 0, 1, "FAILED tests/a.py::b"),
        ("crash", 0, 1, "Segmentation fault"),
        ("good", 2, 1, '"there"'),
    ],
)
def test_only_tests_that_fail_make_it_fail(tree, what, here, code, said):
    done = subprocess.run(
        [tree / ".ci/run"], capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": f"{tree}/bin:/usr/bin:/bin", "WHAT": what, "HERE": str(here),
             "CI_ROOTS": "sid", "CI_REQUIRED": "sid"},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout
    assert done.stdout.splitlines()[-1] == CLOSING
    assert '"here"' in done.stdout


def test_a_release_that_is_not_required_is_printed_and_does_not_fail(tree):
    done = subprocess.run(
        [tree / ".ci/run"], capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": f"{tree}/bin:/usr/bin:/bin", "WHAT": "bad", "HERE": "0", "CI_ROOTS": "sid",
             "CI_REQUIRED": ""},
    )  # fmt: skip
    assert done.returncode == 0
    assert "FAILED tests/a.py::b" in done.stdout


def test_the_table_keeps_what_did_not_run_and_leaves_out_what_failed():
    spec = importlib.util.spec_from_file_location("tested", ROOT / "scripts" / "tested.py")
    assert spec is not None
    assert spec.loader is not None
    tested = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tested)

    def row(release, version, failed):
        return {"release": release, "R": version, "failed": failed, "skipped": {"why": 2}}

    old = [row("12", "4.2", 0) | {"skipped": 1}, row("13", "4.5", 0) | {"skipped": 1}]
    new = tested.merged(old, [row("12", "4.3", 0), row("13", "4.6", 1)])
    assert [(r["release"], r["R"], r["skipped"]) for r in new] == [
        ("12", "4.3", 2), ("13", "4.5", 1),
    ]  # fmt: skip
    assert not any("failed" in r for r in new)
