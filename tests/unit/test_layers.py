"""Imports point one way; this walks them and fails on a wrong arrow."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "pymlm"

#: Room -> rooms it may import from. Those of OPEN are open to all.
ALLOWED: dict[str, set[str]] = {
    "errors": {"tracebacks"},
    "tracebacks": set(),
    "escape": set(),
    "names": set(),
    "_version": set(),
    "synonyms": set(),
    "hints": {"synonyms"},
    "plain_types": set(),
    "arguments": {"synonyms", "tracebacks"},
    "argument_types": {"arguments"},
    "interpreter": set(),
    "options": {"arguments", "tracebacks"},
    "engine": set(),
    "formula": {"engine", "synonyms"},
    "other_frames": set(),
    "frame_keys": {"engine"},
    "distributions": {"engine"},
    "frames": {"engine", "frame_keys", "other_frames", "synonyms"},
    "upward": set(),
    "figures": {"upward"},
    "progress": {"engine", "options"},
    "display": set(),
    "tables": {"display"},
    "frames_back": {"arguments", "options", "other_frames", "tables"},
    "results": {"arguments", "display", "figures", "frames_back", "hints", "options", "tables"},
    "render": {"arguments", "distributions", "models", "results", "tables"},
    "inference": set(),
    "models": {
        "arguments", "display", "engine", "figures", "formula", "frame_keys", "frames",
        "frames_back", "hints", "inference",
        "options", "progress", "results", "upward",
    },
    "multilevel": {
        "arguments", "distributions", "engine", "figures", "formula", "frame_keys", "frames",
        "models", "options", "render", "results",
    },
    "sklearn": {"arguments", "formula", "frames", "models", "results"},
    "plot": {"arguments", "figures", "frames", "models", "multilevel", "results"},
    "datasets": {"arguments", "engine", "frames"},
    "many": {
        "arguments", "display", "engine", "formula", "frames", "inference", "models", "options",
        "progress", "results",
    },
    "parity_export": {"engine", "formula", "frame_keys", "frames", "models"},
    "parity_answers": {"results"},
    "parity_numbers": {"models", "results"},
    "parity": {
        "arguments", "engine", "models", "parity_answers", "parity_export", "parity_numbers",
        "results",
    },
    "demo": {"datasets", "models", "parity"},
    "data_files": set(),
    "standard_output": set(),
    "cli": {
        "arguments", "data_files", "datasets", "demo", "engine", "formula", "frames", "many",
        "models", "multilevel", "options", "parity", "render", "results", "standard_output",
    },
    "__main__": {"cli"},
}  # fmt: skip


OPEN = {"argument_types", "errors", "escape", "names", "plain_types", "_version"}


def room(path: Path) -> str:
    relative = path.relative_to(PACKAGE).with_suffix("")
    return relative.parts[0]


def arrows() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        here = room(path)
        if here == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
                if node.module == "pymlm":
                    names = [f"pymlm.{a.name}" for a in node.names]
            for name in names:
                if name.startswith("pymlm."):
                    there = name.split(".")[1]
                    if there != here:
                        found.append((here, there, str(path.relative_to(PACKAGE))))
                elif name.split(".")[0] == "rpy2" and here != "engine":
                    found.append((here, "rpy2", str(path.relative_to(PACKAGE))))
    return found


def test_the_walk_finds_arrows():
    assert ("models", "engine", "models/base.py") in arrows()


def test_imports_point_one_way():
    assert [a for a in arrows() if a[0] not in ALLOWED] == [], "a room without a place in the house"
    assert [a for a in sorted(set(arrows())) if a[1] not in ALLOWED[a[0]] | OPEN] == []


def test_one_file_alone_looks_up():
    """An import by name would be a wrong arrow that nobody sees."""
    texts = {str(p.relative_to(PACKAGE)): p.read_text("utf-8") for p in PACKAGE.rglob("*.py")}
    named = ('import_module("pymlm', 'import_module(f"pymlm', '__import__("pymlm')
    assert [n for n, text in texts.items() if any(w in text for w in named)] == ["upward.py"]


def test_only_the_engine_knows_rpy2():
    assert [a for a in arrows() if a[1] == "rpy2"] == []


def test_only_one_module_writes_a_user_s_text_into_another_language():
    """A name in HTML, LaTeX or Markdown has been through pymlm.escape."""
    calls = (".to_html(", ".to_latex(", ".to_markdown(", "html.escape(", "import html\n")
    found = {
        str(path.relative_to(PACKAGE)): [c for c in calls if c in path.read_text("utf-8")]
        for path in PACKAGE.rglob("*.py")
    }
    assert "html.escape(" in found.pop("escape.py")
    assert {name: what for name, what in found.items() if what} == {}


#: A reader must still find their way.
MAX_LINES = 400


def test_files_stay_short():
    root = PACKAGE.parent
    files = [
        *PACKAGE.rglob("*.py"), *(root / "r_scripts").rglob("*.R"), *(root / "tests").rglob("*.py"),
    ]  # fmt: skip
    lines = {str(p.relative_to(root)): p.read_text("utf-8").count("\n") for p in files}
    assert len(lines) > 200, "the walk finds no files"
    assert {p: n for p, n in lines.items() if n > MAX_LINES} == {}


def module_arrows() -> dict[str, set[str]]:
    """Module -> modules that it imports, anywhere in its text: in functions and for types, too."""
    modules = {
        ".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): p
        for p in PACKAGE.rglob("*.py")
    }
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        wanted = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                wanted |= {a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                wanted |= {f"{node.module}.{a.name}" for a in node.names} | {node.module}
        found[name] = {w for w in wanted if w in modules and not name.startswith(w + ".")}
    return found


def test_no_import_goes_in_a_circle():
    """In and between folders: what is left when modules that import nothing left are taken away."""
    left = module_arrows()
    assert len(left) > 150, "the walk finds no modules"
    while True:
        free = [name for name, wanted in left.items() if not wanted & left.keys()]
        if not free:
            break
        for name in free:
            del left[name]
    assert left == {}


# --- private names --------------------------------------------------------------------------------

#: CPython's own, which has no other name; and the mark of a result's library of frames.
FOREIGN = {"_getframe", "_library"}
#: rpy2's and Python's inner names are this folder's trade; rpy2_private.py lists rpy2's.
OF_R = "engine"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def names_made(tree: ast.AST) -> set[str]:
    """What a module defines or sets: functions, classes, variables, attributes, slots."""
    made = {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            made.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
    return made


def private_uses(texts: dict[str, str]) -> list[tuple[str, int, str]]:
    """(file, line, name) of each private name that another folder made."""
    trees = {name: ast.parse(text) for name, text in texts.items()}
    made: dict[str, set[str]] = {}
    for name, tree in trees.items():
        made.setdefault(Path(name).with_suffix("").parts[0], set()).update(names_made(tree))
    found = []
    for name, tree in trees.items():
        here = Path(name).with_suffix("").parts[0]
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and is_private(node.attr):
                if node.attr not in made[here] | FOREIGN:
                    found.append((name, node.lineno, node.attr))
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pymlm."):
                there = (node.module or "").split(".")
                inner = [p for p in [*there[2:], *(a.name for a in node.names)] if is_private(p)]
                if there[1] != here:
                    found += [(name, node.lineno, p) for p in inner]
    return found


def test_no_file_uses_another_folder_s_private_names():
    """A folder's door has public names: `pymlm/models/inside.py` is that of the models."""
    texts = {
        str(p.relative_to(PACKAGE)): p.read_text("utf-8")
        for p in sorted(PACKAGE.rglob("*.py")) if room(p) not in (OF_R, "__init__")
    }  # fmt: skip
    assert private_uses(texts) == []


def test_the_walk_sees_private_names():
    texts = {
        "models/a.py": "class A:\n    def _ask(self): ...\n\ndef f(m):\n    return m._ask()\n",
        "render/b.py": "from pymlm.models._x import y\n\ndef g(m):\n    return m._ask()\n",
        "multilevel/c.py": "from pymlm.models.a import _z\n",
    }
    assert private_uses(texts) == [
        ("render/b.py", 1, "_x"), ("render/b.py", 4, "_ask"), ("multilevel/c.py", 1, "_z"),
    ]  # fmt: skip
