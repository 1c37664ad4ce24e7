"""Every public name stands in exactly one topic of the reference."""

from __future__ import annotations

import importlib
import inspect
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

import pymlm as mlm
from pymlm.models.base import Fitted

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: Fewer found means that the walk is broken.
MANY = 150


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """What writes the pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS / "_ext")
        return importlib.import_module("reference")


def model_classes() -> list[type]:
    public = [getattr(mlm, name) for name in mlm.__all__]
    return [c for c in public if inspect.isclass(c) and issubclass(c, Fitted)]


def public_names() -> set[str]:
    asked = {f"m.{n}" for c in model_classes() for n in dir(c) if not n.startswith("_")}
    return set(mlm.__all__) | asked | {f"plot.{n}" for n in mlm.plot.__all__}


def misplaced(names: set[str], topics: list[dict[str, str]]) -> dict[str, set[str]]:
    counts = Counter(n for t in topics for n in t)
    return {
        "in no topic: add it to docs/topics.toml": names - set(counts),
        "in several topics": {n for n, times in counts.items() if times > 1},
        "no such name": set(counts) - names,
    }


def test_every_public_name_stands_in_exactly_one_topic(reference: ModuleType) -> None:
    names = public_names()
    assert len(names) > MANY
    found = misplaced(names, [t.names for t in reference.topics()])
    assert {fault: sorted(which) for fault, which in found.items() if which} == {}


def test_a_name_in_no_topic_is_found() -> None:
    found = misplaced({"a", "b"}, [{"a": "", "c": ""}, {"c": ""}])
    assert list(found.values()) == [{"b"}, {"c"}, {"c"}]


def test_every_class_of_models_is_one_that_pages_speak_of(reference: ModuleType) -> None:
    assert set(reference.MODELS) == {c.__name__ for c in model_classes()}


def test_each_name_has_its_own_page_and_every_page_leads_on(
    reference: ModuleType, tmp_path: Path
) -> None:
    reference.write(tmp_path)
    pages = {
        p.relative_to(tmp_path).as_posix(): p.read_text("utf-8") for p in tmp_path.rglob("*.rst")
    }
    assert len({p.lower() for p in pages}) == len(pages)  # some file systems ignore case
    for name in map(reference.Name, (n for t in reference.topics() for n in t.names)):
        if name.has_page:
            assert name.target.rpartition(".")[2] in pages[f"names/{name.page}.rst"]
    assert "model.emmeans" in pages["names/result.EmmGrid.rst"]  # a result says what returns it
    stale = tmp_path / "names" / "gone.rst"
    stale.write_text("")
    reference.write(tmp_path)
    assert not stale.exists()


def test_every_question_with_arguments_has_an_example(reference: ModuleType) -> None:
    """A page shows what comes out; examples run as doctests, so what they show is true."""
    names = map(reference.Name, (n for t in reference.topics() for n in t.names))
    asked = [n for n in names if n.has_page and inspect.isfunction(n.item)]
    assert len(asked) > MANY / 2
    lacking = {n.key for n in asked if ">>>" not in (inspect.getdoc(n.item) or "")}
    assert lacking == {"m.plot"}
