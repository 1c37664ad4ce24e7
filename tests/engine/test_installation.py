"""R absent, an R package absent, an rpy2 that does not fit: each names the command that helps."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pymlm.engine import requirements, startup
from pymlm.engine.install import install_command, rpy2_requirement
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
    fitting = rpy2_requirement(startup.r_version(startup.find_r_home()))
    assert f"pip install --force-reinstall '{fitting}'" in done.stdout
    assert issubclass(RNotFoundError, ImportError)


@pytest.mark.parametrize("known", [True, False])
def test_advice_is_a_command_that_can_work(tmp_path, monkeypatch, known):
    """A package that apt has not is advised from CRAN."""
    apt = tmp_path / "apt-cache"
    candidate = "1.0-1" if known else "(none)"
    apt.write_text(
        "#!/bin/sh\nprintf 'r-cran-wobble:\\n  Candidate: %s\\n' '" + candidate + "'\n"
        "printf 'r-base-core:\\n  Candidate: 4.5.0\\n'\n"
    )
    apt.chmod(0o755)
    (tmp_path / "apt-get").write_text("#!/bin/sh\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    command = install_command(["wobble"])
    assert command.endswith("install r-cran-wobble") == known
    assert ('install.packages(c("wobble"))' in command) != known


def test_the_doctor_warns_of_what_is_newer_than_tested(monkeypatch):
    row = {"release": "x", "R": "4.5.0", "lme4": "1.1-37", "rpy2": "3.6.9"}
    monkeypatch.setattr(requirements, "tested", lambda: [row])
    said = requirements.newer_than_tested({"R": "4.5.0", "lme4": "2.1-0", "rpy2": "3.6.10"})
    assert [s.split()[0] for s in said] == ["lme4", "rpy2"]
    assert "1.1-37" in said[0]
