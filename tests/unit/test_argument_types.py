"""Options are types: a user's type checker refuses what pymlm refuses, and the reverse."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import pymlm as mlm
from pymlm import argument_types as types
from pymlm import plot
from pymlm.arguments import (
    ALL_DDF,
    DDF_METHODS,
    argument_checks,
    own_words,
    strict,
)
from pymlm.errors import ArgumentError
from pymlm.synonyms import synonyms

#: Literals, and the argument that each is of.
LITERALS = {
    "Ddf": "ddf", "MixedDdf": "ddf", "LmerTestDdf": "ddf", "Engine": "engine",
    "DevianceTest": "test", "ConfintMethod": "method", "LinearConfintMethod": "method",
    "TidyConfintMethod": "conf_method", "Interval": "interval", "MeansType": "type",
    "ResponseOrLink": "type", "CenterMethod": "method",
    "Side": "side", "Correlation": "correlation", "PanelModel": "model", "GeeFamily": "family",
    "GeeCorrelation": "corstr", "RobustType": "type", "Missing": "missing",
    "RowRobustType": "type", "RobustBootType": "boot_type", "IccInterval": "ci",
}  # fmt: skip


@pytest.mark.parametrize("name", LITERALS)
def test_a_literal_has_the_synonyms_of_its_argument(name: str) -> None:
    words = typing.get_args(getattr(types, name))
    own = own_words(getattr(types, name), LITERALS[name])
    assert own == words[: len(own)], "pymlm's own words come first"
    assert set(words) - set(own) == set(synonyms(LITERALS[name], own))


def test_the_words_for_degrees_of_freedom_are_those_of_the_checks() -> None:
    assert own_words(types.Ddf, "ddf") == ALL_DDF
    assert own_words(types.MixedDdf, "ddf") == DDF_METHODS[:-1]


# --- every function that is public ----------------------------------------------------------------

#: Arguments that are one of some words wherever they are.
OPTIONS = (
    "adjust", "boot_type", "boundary", "ci", "conf_method", "correlation", "corstr", "ddf",
    "engine", "flavour", "format", "infer", "interval", "keep", "level", "missing", "n_jobs",
    "nsim", "scale", "std_err", "style", "type",
)  # fmt: skip
#: The same words stand for something else: the depth of an lme's groups, or for None alone.
OTHERWISE = {
    ("NlmeModel.fitted", "level"), ("NlmeModel.predict", "level"),
    ("MultipleMembershipModel.predict", "interval"),
}  # fmt: skip


def public() -> typing.Iterator[tuple[str, typing.Callable[..., object]]]:
    for name in mlm.__all__:
        item = getattr(mlm, name)
        if inspect.isfunction(item):
            yield name, item
        elif inspect.isclass(item):
            for method, value in inspect.getmembers(item, inspect.isfunction):
                if not method.startswith("_") and value.__module__.startswith("pymlm"):
                    yield f"{name}.{method}", value
    for name in plot.__all__:
        yield f"plot.{name}", getattr(plot, name)


def checked_arguments() -> dict[tuple[str, str], tuple[str, bool]]:
    """(function, argument) -> its annotation, and whether that is checked at a call."""
    found = {}
    for name, item in public():
        inner = inspect.unwrap(item)
        checks = argument_checks(inner)
        for argument, parameter in inspect.signature(inner).parameters.items():
            found[name, argument] = str(parameter.annotation), argument in checks
    return found


def test_options_flags_and_levels_are_checked() -> None:
    """An option that is a text, a flag or a number without a check is a typo that passes."""
    arguments = checked_arguments()
    assert len(arguments) > 500, "the walk finds no functions"
    lax = {
        where: annotation
        for where, (annotation, checked) in arguments.items()
        if not checked and where not in OTHERWISE
        and (where[1] in OPTIONS or re.match(r"bool( \| None)?$", annotation))
    }  # fmt: skip
    assert lax == {}


def test_defaults_are_in_their_proper_form() -> None:
    """What is not given is not checked."""
    for name, item in public():
        inner = inspect.unwrap(item)
        for argument, check in argument_checks(inner).items():
            default = inspect.signature(inner).parameters[argument].default
            if default is not inspect.Parameter.empty:
                proper = check(default, argument)
                assert (type(proper), proper) == (type(default), default), (name, argument)


# --- the check itself -----------------------------------------------------------------------------


@strict
def asked(
    ddf: types.Ddf | None = None, joint: bool = False, level: types.Level = 0.95,
    nsim: types.Count | None = None, test: typing.Literal["auto", True, False] = "auto",
    method: types.CenterMethod | float = 0.0, *more: int,
) -> tuple[object, ...]:  # fmt: skip
    """Answer with what came."""
    return ddf, joint, level, nsim, test, method, *more


@pytest.mark.parametrize(
    ("given", "proper"),
    [
        ({"ddf": "KR"}, "Kenward-Roger"), ({"ddf": "bw"}, "between-within"),
        ({"ddf": "Z"}, "asymptotic"),
        ({"ddf": "satterth"}, "Satterthwaite"), ({"ddf": None}, None), ({"joint": True}, True),
        ({"level": 0.5}, 0.5), ({"nsim": None}, None), ({"nsim": 3}, 3), ({"test": True}, True),
        ({"test": "AUTO"}, "auto"), ({"method": "CWC"}, "cluster"), ({"method": 2.5}, 2.5),
    ],
)  # fmt: skip
def test_what_is_right_arrives_in_its_proper_form(
    given: dict[str, typing.Any], proper: object
) -> None:
    place = ["ddf", "joint", "level", "nsim", "test", "method"].index(*given)
    assert asked(**given)[place] == proper
    defaults = (None, False, 0.95, None, "auto", 0.0)
    positional = (*defaults[:place], *given.values())
    assert asked(*positional)[place] == proper
    full = (*positional, *defaults[place + 1 :], 7, 8)
    assert asked(*full)[-2:] == (7, 8)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ddf": "Kenward"}, "Did you mean 'Kenward-Roger'"), ({"ddf": 1}, "ddf=1 is not one of"),
        ({"ddf": ["KR"]}, "is not one of"), ({"joint": 1}, "joint must be True or False, not 1"),
        ({"joint": "yes"}, "joint must be True or False"), ({"joint": None}, "joint must be True"),
        ({"level": 95}, "level must lie between 0 and 1"), ({"level": "0.9"}, "level must lie"),
        ({"level": True}, "level must lie"),
        ({"nsim": 0}, "nsim must be a whole number of at least 1"),
        ({"nsim": 2.0}, "nsim must be a whole number"), ({"test": "atuo"}, "Did you mean 'auto'"),
        ({"method": "clutser"}, "Did you mean 'cluster'"), ({"metod": 1}, "Did you mean 'method'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_the_usual_words(
    given: dict[str, typing.Any], words: str
) -> None:
    with pytest.raises(ArgumentError, match=re.escape(words)):
        asked(**given)


# --- a user's type checker ------------------------------------------------------------------------


def test_mypy_refuses_what_pymlm_refuses(tmp_path: Path) -> None:
    """Lines with `# wrong` are errors, and no others; reveal_type says what comes of a literal.

    With the project's settings, and so with its cache.
    """
    pytest.importorskip("mypy")
    source = Path(__file__).with_name("typed_calls.txt").read_text(encoding="utf-8")
    script = tmp_path / "calls.py"
    script.write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", str(script)]
    root = Path(mlm.__file__).resolve().parents[1]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    said = [re.match(r".*calls\.py:(\d+): (error|note): (.*)", x) for x in done.stdout.splitlines()]
    errors = {int(m[1]) for m in said if m and m[2] == "error"}
    revealed = {int(m[1]): m[3] for m in said if m and "Revealed type" in m[3]}
    lines = source.splitlines()
    wrong = {i for i, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert len(wrong) > 30, "the file has no wrong calls"
    assert errors == wrong, done.stdout
    for i, line in enumerate(lines, 1):
        if "# is " in line:
            name = line.split("# is ")[1]
            assert re.search(rf'[".]{re.escape(name)}"', revealed[i]), (line, revealed[i])
