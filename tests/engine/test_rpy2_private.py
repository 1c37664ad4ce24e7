"""Private names of rpy2 stand in one file, and the installed rpy2 has them all.

The suite runs on Debian 12 (rpy2 3.5.17), 13 and sid (the newest 3.6): on each, this says which
name is gone.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pymlm.engine import call, rpy2_private

ENGINE = Path(rpy2_private.__file__).parent
#: Public modules of rpy2, whose public names the door may use where it likes.
PUBLIC = {"rpy2.rinterface", "rpy2.rinterface_lib.embedded"}


@pytest.mark.parametrize("module", rpy2_private.NAMES)
def test_the_installed_rpy2_has_what_is_used(module):
    call("vet_formula", "y ~ x")  # R is up
    assert [name for name in rpy2_private.gone() if name.startswith(module + ".")] == []


def test_what_is_gone_is_named(monkeypatch):
    monkeypatch.setitem(rpy2_private.NAMES, "rpy2.rinterface", ("parse", "_no_such_name"))
    assert rpy2_private.gone() == ("rpy2.rinterface._no_such_name",)


def uses(path: Path) -> set[str]:
    """Names of rpy2 that a file uses: modules imported, and attributes that begin with "_"."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.startswith("rpy2")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rpy2"):
            found |= {f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Attribute) and node.attr in PRIVATE:
            found.add(node.attr)
    return found


#: The last part of every name in the list, and what leads to a C object.
PRIVATE = {n.split(".")[-1] for names in rpy2_private.NAMES.values() for n in names} | {"_cdata"}


def test_they_stand_in_one_file():
    assert {"_initr", "_is_owned", "_cdata"} <= uses(ENGINE / "rpy2_private.py")
    wrong = {
        (path.name, name)
        for path in ENGINE.glob("*.py")
        if path.name != "rpy2_private.py"
        for name in uses(path)
        if name not in PUBLIC and not name.startswith("rpy2.rinterface_lib.embedded.RRuntime")
    }
    # What the C interface is asked for stands in the list, too; the answers pass through `api`.
    through_the_interface = {n for n in PRIVATE if n.isupper() or n.startswith(("R_", "Rf_"))}
    through_the_interface |= {"lib", "ffi"}
    own_lock = {("fork.py", "_is_owned")}  # of threading's RLock, ours and rpy2's
    assert {w for w in wrong if w[1] not in through_the_interface} == own_lock
