"""A user's mistake shows the user's line and the message, not frames of ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, PymlmError

START = (
    "import pymlm as mlm\n"
    "d = mlm.load_dataset('sleepstudy')\n"
    "m = mlm.lmer('Reaction ~ Days + (1 | Subject)', d)\n"
)
#: Mistakes of every kind, and a part of what each is told.
MISTAKES = {
    "formula": ("mlm.lmer('Reaction ~ days + (1 | Subject)', d)", "Did you mean 'Days'?"),
    "argument": ("mlm.lmer('Reaction ~ Days + (1 | Subject)', d, remml=True)", "'reml'"),
    "missing": ("mlm.lmer('Reaction ~ Days')", "missing a required argument: 'data'"),
    "value": ("m.summary(ddf='Kenwood')", "ddf='Kenwood' is not one of"),
    "r": ("m.contest('Days = Nights')", "Nights"),
    "function": ("mlm.icc(3)", "icc needs a mixed model"),
    "row": ("m.summary()['days']", "no column or row 'days' here"),
    "frame": ("mlm.center(d, 'days', by='Subject')", "Did you mean 'Days'?"),
    "name of a model": ("m.params", "m.fixef()"),
    "name of a result": ("m.tidy().pvalues", "p_value"),
    "name of the module": ("mlm.mixedlm", "lmer"),
    "option": ("mlm.options.engin = 'exact'", "Did you mean 'engine'?"),
    "plot": ("mlm.plot.caterpillar('m')", "not a str"),
}


@pytest.fixture(scope="module")
def shown():
    """What scripts show of each mistake; R starts once."""
    code = START + "import traceback, sys\n" + "".join(
        f"def mine_{i}():\n    return eval(compile({code!r}, 'mine.py', {kind!r}))\n"
        for i, (code, _) in enumerate(MISTAKES.values())
        for kind in ["exec" if " = " in code and "(" not in code else "eval"]
    )  # fmt: skip
    code += (
        f"for i in range({len(MISTAKES)}):\n"
        "    print('=====', file=sys.stderr)\n"
        "    try:\n        globals()[f'mine_{i}']()\n"
        "    except Exception as e:\n        sys.excepthook(type(e), e, e.__traceback__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return dict(zip(MISTAKES, done.stderr.split("=====\n")[1:], strict=True))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_script_shows_the_user_s_line_and_the_message(name, shown):
    text = shown[name]
    assert MISTAKES[name][1] in text
    assert 'File "mine.py", line 1' in text
    assert "pymlm/" not in text
    assert "During handling" not in text


def run_python(words, text):
    words = [sys.executable, *words]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_script_file_ends_with_it(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(START + "def mine():\n    m.summary(ddf='Kenwood')\nmine()\n")
    text = run_python([str(path)], "")
    assert [line for line in text.splitlines() if line.startswith("  File")] == [
        f'  File "{path}", line 6, in <module>', f'  File "{path}", line 5, in mine',
    ]  # fmt: skip


def test_the_repl_shows_it_and_the_option_shows_all():
    code = START + "m.summary(ddf='K')\nmlm.options.tracebacks = 'full'\nm.summary(ddf='K')\n"
    short, full = run_python(["-i"], code).split("ArgumentError: ")[:2]
    assert "pymlm/" not in short
    assert "pymlm/arguments.py" in full


def test_a_hook_of_the_user_s_is_left_alone():
    code = (
        "import sys\nsys.excepthook = lambda *a: print('mine', len(a))\n" + START + "mlm.icc(3)\n"
    )
    assert run_python(["-c", code], "").strip() == "mine 3"


def test_ipython_shows_the_user_s_line():
    pytest.importorskip("IPython")
    code = START + "mlm.icc(3)\nm.params\nmlm.options.tracebacks = 'full'\nmlm.icc(3)\n"
    text = run_python(["-m", "IPython", "--colors=NoColor", "--no-banner", "--quick"], code)
    first, second, last = text.split("Traceback (most recent call last)")[1:4]
    for said in (first, second):
        assert "pymlm/" not in said
    assert "----> 1 mlm.icc(3)" in first
    assert "icc needs a mixed model" in first
    assert "m.fixef()" in second
    assert "pymlm/multilevel" in last


def test_pytest_shows_the_user_s_line(tmp_path):
    path = tmp_path / "test_mine.py"
    path.write_text("import pymlm as mlm\n\ndef test_mine():\n    mlm.icc(3)\n")
    text = run_python(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)], "")
    assert "mlm.icc(3)" in text
    assert "pymlm/" not in text.replace(str(tmp_path), "")


def test_frames_of_a_callback_are_the_user_s_and_stay(sleepstudy):
    m = mlm.lmer("Reaction ~ 1 + (1 | Subject)", sleepstudy)

    def statistic(model):
        return mlm.icc("not a model")

    with mlm.options(tracebacks="short"):
        with pytest.raises(PymlmError) as told:
            m.bootstrap(statistic, nsim=3, seed=1)
        files = {t.path.name for t in told.traceback}
        assert files <= {"test_tracebacks.py", "arguments.py"}
        with pytest.raises(ArgumentError) as told:
            mlm.icc("m")
    assert [t.name for t in told.traceback][-1] == "strictly"
    assert len(told.traceback) == 2


def test_other_errors_keep_every_frame(monkeypatch, sleepstudy):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("pymlm.models.lmer.make_task", broken)
    with mlm.options(tracebacks="short"), pytest.raises(ZeroDivisionError) as told:
        mlm.lmer("Reaction ~ 1 + (1 | Subject)", sleepstudy)
    assert [t.name for t in told.traceback][-2:] == ["lmer", "broken"]
