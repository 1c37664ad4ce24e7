"""The values of R's model before and after: its bytes, compared by a native R of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymlm.engine import call
from tests.native import REFERENCE, native


def as_bytes(model: Any) -> bytes:
    """R's model, serialized."""
    return call("model_to_bytes", model._handle, into=bytes)


def changed(folder: Path) -> dict[str, list[str]]:
    """Name of a pair -> paths of the values that differ."""
    if not any(folder.glob("*.before")):
        return {}
    found = native(
        f'source("{REFERENCE / "values.R"}")\n'
        f'files <- list.files("{folder}", "[.]before$", full.names = TRUE)\n'
        'after <- sub("before$", "after", files)\n'
        "found <- Map(changed_values, files, after)\n"
        'names(found) <- sub("[.]before$", "", basename(files))\n'
        'emit(lapply(found, function(p) paste(p, collapse = " ")))'
    )
    return {name: str(paths).split() for name, paths in dict(found).items() if paths}


def keep(folder: Path, name: str, before: bytes, after: bytes) -> None:
    """Write a pair unless it is the same: R may have compiled a function, too."""
    if before == after:
        return
    (folder / f"{name}.before").write_bytes(before)
    (folder / f"{name}.after").write_bytes(after)
