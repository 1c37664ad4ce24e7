"""The built wheel, in a clean environment, used from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_wheel_works_by_itself(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("pymlm-*.whl")
    # The dependencies come from this environment; pymlm itself only from the wheel.
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), wheel],
        check=True, capture_output=True,
    )  # fmt: skip
    program = (
        "import pymlm, pathlib; print(pathlib.Path(pymlm.__file__).parents[1].name); "
        "m = pymlm.lmer('Reaction ~ Days + (Days | Subject)', pymlm.load_dataset('sleepstudy')); "
        "print(round(m.reml_criterion, 4)); print(pymlm.check_parity(m).ok)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.stdout.split() == ["site", "1743.6283", "True"], done.stderr
