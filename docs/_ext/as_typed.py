"""The reference as Sphinx builds it: pages written first, names shown as users type them."""

from __future__ import annotations

import inspect
import re
from itertools import takewhile
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import reference
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

import pymlm
from pymlm.arguments import own_words
from pymlm.models.base import Fitted
from pymlm.results.base import Result

#: To the end of the word, less the punctuation of the sentence; brackets within come in pairs.
DOI = re.compile(r"\bdoi:(10\.\d+/(?:[^\s,;()]|\([^\s()]*\))+(?<![.:]))")

#: Several attributes of one type, as the docstrings of results have them.
GROUPED = re.compile(r"\w+(, \w+)+ : ")


def no_constructor(
    app: Sphinx, what: str, name: str, item: Any, *rest: Any
) -> tuple[str, None] | None:
    """Models and results are given, not made: their constructors are nobody's business."""
    return ("", None) if what == "class" and issubclass(item, (Fitted, Result)) else None


def words_of_options(
    app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]
) -> None:
    """Write ``ddf : {"Satterthwaite", ...}`` where a docstring says ``str``: signatures stay short.

    The words are those of the annotation, without their synonyms.
    """
    function = inspect.unwrap(item) if inspect.isroutine(item) else None
    for i, line in enumerate(lines):
        argument, _, kind = line.partition(" : ")
        annotation = getattr(function, "__annotations__", {}).get(argument)
        if not re.search(r"\bstr\b", kind) or "{" in kind or annotation is None:
            continue
        try:
            found = _literals(eval(annotation, function.__globals__))
        except NameError:  # a name for type checkers alone
            continue
        words = [w for one in found for w in own_words(one, argument) if isinstance(w, str)]
        if words:
            listed = ", ".join(f'"{word}"' for word in dict.fromkeys(words))
            lines[i] = f"{argument} : " + re.sub(r"\bstr\b", f"{{{listed}}}", kind, count=1)


def _literals(annotation: Any) -> list[Any]:
    """The Literals of an annotation, not those inside of a list or dict."""
    kind = get_origin(annotation)
    if kind is Literal:
        return [annotation]
    parts = get_args(annotation) if kind in (Union, UnionType) else ()
    parts = (annotation.__origin__,) if kind is Annotated else parts
    return [found for part in parts for found in _literals(part)]


def one_attribute_a_line(
    app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]
) -> None:
    """Take ``low, high : type`` apart, which napoleon does for parameters alone."""
    taken_apart: list[str] = []
    section = ""
    for i, line in enumerate(lines):
        names, _, kind = line.partition(" : ")
        if line.startswith("---"):
            section = lines[i - 1]
        if section != "Attributes" or not GROUPED.match(line):
            taken_apart.append(line)
            continue
        about = list(takewhile(lambda text: text.startswith(" "), lines[i + 1 :]))
        *first, last = names.split(", ")
        for one in first:
            taken_apart += [f"{one} : {kind}", *about]
        taken_apart.append(f"{last} : {kind}")
    lines[:] = taken_apart


def linked_dois(
    app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]
) -> None:
    """Make ``doi:10.1234/abc`` a link."""
    for i, line in enumerate(lines):
        lines[i] = DOI.sub(r"`\g<0> <https://doi.org/\1>`__", line)


def as_typed(app: Sphinx, doctree: nodes.document) -> None:
    """Write ``mlm.lmer(...)`` and ``m.anova(...)`` where Sphinx writes the modules and classes."""
    for node in doctree.findall(addnodes.desc_addname):
        module, _, owner = node.astext().rstrip(".").rpartition(".")
        if owner in reference.MODELS:
            words = "m."
        elif re.match(r"pymlm\.(plot\.)?$", node.astext()):
            words = node.astext().replace("pymlm.", "mlm.")
        else:
            words = (
                "" if module.startswith("pymlm") and not hasattr(pymlm, owner) else node.astext()
            )
        node.children = [nodes.Text(words)] if words else []


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", lambda app: reference.write(Path(app.srcdir) / "reference"))
    app.connect("autodoc-process-signature", no_constructor)
    app.connect("autodoc-process-docstring", words_of_options, priority=300)
    app.connect("autodoc-process-docstring", one_attribute_a_line, priority=400)
    app.connect("autodoc-process-docstring", linked_dois)
    app.connect("doctree-read", as_typed)
    return {"parallel_read_safe": True}
