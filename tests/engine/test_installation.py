"""R absent, an R package absent, an rpy2 that does not fit: each names the command that helps."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pymlm.errors import RNotFoundError


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={k: v for k, v in os.environ.items() if k != "R_HOME"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_r_absent(tmp_path):
    """Neither on the PATH nor in R_HOME: a typed error that says how to get it."""
    done = _python(
        "import pymlm as mlm\n"
        "try:\n    mlm.load_dataset('sleepstudy')\n"
        "except mlm.errors.RNotFoundError as e:\n    print(e)\n",
        PATH=str(tmp_path),
    )
    assert "R was not found on this machine" in done.stdout, done.stderr
    assert "apt-get install" in done.stdout


def test_r_home_wrong():
    done = _python(
        "import pymlm as mlm\n"
        "try:\n    mlm.load_dataset('sleepstudy')\n"
        "except mlm.errors.RNotFoundError as e:\n    print(e)\n",
        R_HOME="/nowhere",
    )
    assert "R_HOME is set to '/nowhere'" in done.stdout, done.stderr


def test_r_package_absent():
    """With a library path that has no lme4, the error names the command that installs it."""
    done = _python(
        "import pymlm.engine.startup as s\n"
        "s._LOADER = s._LOADER.replace('lme4', 'lme4notthere')\n"
        "import pymlm as mlm\n"
        "try:\n    mlm.load_dataset('sleepstudy')\n"
        "except mlm.errors.RPackageError as e:\n    print(e)\n",
    )
    assert "there is no package called" in done.stdout, done.stderr
    assert "install" in done.stdout.split("Run:")[1]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise ImportError('libR.so: undefined symbol: R_getVar')", "does not fit R"),
        ("raise OSError('cannot load library libR.so')", "does not fit R"),
        ("raise ModuleNotFoundError('No module named rpy2')", "rpy2 is not installed"),
    ],
)
def test_wrong_rpy2(tmp_path, fault, said):
    """A wrong pair gives the exact pip command, never a cffi traceback."""
    package = tmp_path / "rpy2"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "situation.py").write_text(fault)
    done = _python(
        "import pymlm as mlm\n"
        "try:\n    mlm.load_dataset('sleepstudy')\n"
        "except mlm.errors.RNotFoundError as e:\n    print(e)\n",
        PYTHONPATH=str(tmp_path),
    )
    assert said in done.stdout, done.stderr
    assert "pip install --force-reinstall 'rpy2==3.5.17'" in done.stdout
    assert issubclass(RNotFoundError, ImportError)
