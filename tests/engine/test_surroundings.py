"""What pymlm finds around it, and leaves as it was: locale, variables, folders, interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, RError
from pymlm.results.fixed import FixedEffects


def python(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-u", "-c", textwrap.dedent(program)],
        capture_output=True, text=True, timeout=180, check=True, env=os.environ | environment,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C.UTF-8"},
        {"LC_ALL": "", "LANG": "C", "LC_COLLATE": "C.UTF-8", "LC_TIME": "C.UTF-8"},
    ],
    ids=["C", "UTF-8", "mixed"],
)
def test_r_leaves_the_locale_alone_and_has_its_own(environment):
    said = python(
        """
        import locale
        before = locale.setlocale(locale.LC_ALL)
        import pymlm as mlm
        from pymlm.engine import call
        mlm.load_dataset("Dyestuff")
        print(locale.setlocale(locale.LC_ALL) == before)
        print(call("toupper", "äé", into=str), call("nchar", "äé", into=int))
        import os
        if (pid := os.fork()) == 0:  # whose R runs on another thread
            print(call("toupper", "äé", into=str), flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        print(locale.setlocale(locale.LC_ALL) == before)
        """,
        **environment,
        PYTHONIOENCODING="utf-8",
    )
    assert said.split() == ["True", "ÄÉ", "2", "ÄÉ", "True"]


@pytest.mark.parametrize("packages", ["NULL", "base", "stats,utils"])
def test_the_variable_of_default_packages_does_not_matter(packages):
    said = python(
        """
        import os, pymlm as mlm
        m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        print(m.summary().fixed.df.round(4).tolist(), mlm.check_parity(m).ok)
        print(os.environ["R_DEFAULT_PACKAGES"])
        """,
        R_DEFAULT_PACKAGES=packages,
        R_SCRIPT_DEFAULT_PACKAGES=packages,
    )
    assert said.splitlines() == ["[16.9997, 17.0] True", packages]


def test_a_sub_interpreter_is_refused():
    said = python(
        """
        try:
            import _interpreters as interpreters
            run = interpreters.exec
        except ImportError:
            import _xxsubinterpreters as interpreters
            run = interpreters.run_string
        other = interpreters.create()
        try:
            found = run(other, "import pymlm")  # given back from Python 3.13 on
        except Exception as error:
            found = error
        print(found)
        interpreters.destroy(other)
        """
    )
    assert "RNotFoundError" in said
    assert "sub-interpreter" in said


@pytest.fixture(scope="module")
def model():
    return mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))


def test_save_writes_through_no_link_and_leaves_nothing_behind(model, tmp_path, monkeypatch):
    """Whoever may write in the folder could put a link where the file's half was written."""
    theirs = tmp_path / "theirs"
    theirs.write_text("mine")
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("m.rds.part", "m.rds.tmp"):
        (folder / name).symlink_to(theirs)
    assert mlm.load_model(model.save(folder / "m.rds")).nobs == 30
    assert theirs.read_text() == "mine"
    before = sorted(folder.iterdir())

    def full(*_args: object) -> None:
        raise RError("no space left on device")

    monkeypatch.setattr("pymlm.models.base.call", full)
    with pytest.raises(RError, match="no space"):
        model.save(folder / "other.rds")
    assert sorted(folder.iterdir()) == before


def test_save_onto_a_folder_is_a_data_error(model, tmp_path):
    (tmp_path / "m.rds").mkdir()
    (tmp_path / "m.rds" / "kept").write_text("")
    with pytest.raises(DataError, match="a folder stands there"):
        model.save(tmp_path / "m.rds")
    assert [p.name for p in tmp_path.iterdir()] == ["m.rds"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        "[" * 900 + "]" * 900,
        '{"term": ' + "[" * 900 + "]" * 900 + "}",
    ],
    ids=["arrays", "objects", "closed", "field"],
)
def test_json_nested_too_deeply_is_an_argument_error(text):
    with pytest.raises(ArgumentError):
        FixedEffects.from_json(text)
