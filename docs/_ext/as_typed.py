"""The reference as Sphinx builds it: pages written first, names shown as users type them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import reference
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

import pymlm
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


def one_attribute_a_line(
    app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]
) -> None:
    """Take ``low, high : type`` apart, which napoleon does for parameters alone."""
    taken_apart = []
    for line in lines:
        names, _, kind = line.partition(" : ")
        grouped = GROUPED.match(line)
        taken_apart += [f"{one} : {kind}" for one in names.split(", ")] if grouped else [line]
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
    app.connect("autodoc-process-docstring", one_attribute_a_line, priority=400)
    app.connect("autodoc-process-docstring", linked_dois)
    app.connect("doctree-read", as_typed)
    return {"parallel_read_safe": True}
