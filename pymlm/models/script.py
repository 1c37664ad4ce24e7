"""The R script that repeats an analysis."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pymlm._version import __version__
from pymlm.arguments import file_to_write
from pymlm.engine import RObject, call
from pymlm.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    versions: str
    remarks: tuple[str, ...]
    packages: tuple[str, ...]
    call: str
    names: tuple[str, ...]
    targets: tuple[str, ...]
    objects: tuple[str, ...]


def write_script(handle: RObject, path: str | Path | None) -> str:
    """Return (and with `path` write) a script for plain Rscript that fits the model again.

    Raises
    ------
    DataError
        When the folder of `path` does not exist, or `path` or the file of the data beside it is a
        folder, a device or a pipe.
    """
    # Not <name>.rds: that is what a user calls the saved model.
    target = None if path is None else file_to_write(path, beside="-data.rds")
    data_file = None if target is None else target.with_name(f"{target.stem}-data.rds")
    parts: _Parts = call(
        "script_parts", handle, None if data_file is None else str(data_file.resolve()), into=_Parts
    )
    lines = [f"# {parts.versions}; written by pymlm {__version__}"]
    lines += [f"# {remark}" for remark in parts.remarks]
    lines += [f"library({name})" for name in parts.packages]
    if data_file is None:
        lines += [f"{n} <- {text}" for n, text in zip(parts.targets, parts.objects, strict=True)]
    else:
        # Beside the script, wherever both are moved: run it from its own folder.
        name = json.dumps(data_file.name, ensure_ascii=False)  # R's escapes are the same
        lines.append(f"invisible(list2env(readRDS({name}), environment()))")
    lines += [f"model <- {parts.call}", "print(summary(model))", ""]
    text = "\n".join(lines)
    if target is not None:
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DataError(f"cannot write {str(target)!r}: {error.strerror}") from None
    return text
