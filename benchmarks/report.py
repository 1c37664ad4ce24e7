"""The table as text, JSON and Markdown, and the machine in words."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import Row

HEAD = ("case", "what", "ours", "reference", "ratio", "target", "", "extra MB", "against, remarks")
_VERSIONS = """
v <- function(p) tryCatch(as.character(packageVersion(p)), error = function(e) "missing")
cat(paste(R.version$major, R.version$minor, sep = "."), v("lme4"), v("lmerTest"), v("pbkrtest"),
    basename(extSoftVersion()[["BLAS"]]))
"""


def machine() -> dict[str, str]:
    """What the numbers depend on; nothing that names this machine."""
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", _VERSIONS], capture_output=True, text=True, check=True
    )
    r, lme4, lmertest, pbkrtest, blas = done.stdout.split()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "R": r,
        "BLAS of R": blas,
        "BLAS of numpy": _numpy_blas(),
        "lme4": lme4,
        "lmerTest": lmertest,
        "pbkrtest": pbkrtest,
        **{name: _version(name) for name in ("numpy", "scipy", "pandas", "rpy2", "statsmodels")},
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else "unknown"


def _numpy_blas() -> str:
    import numpy as np

    # numpy's stubs do not know what mode="dicts" returns
    config: Any = np.show_config(mode="dicts")  # type: ignore[call-overload]
    blas = config["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas['version']}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[row.met]
    target = "" if row.target is None else f"{row.sense} {row.target:g}"
    said = ": ".join(x for x in (row.against, row.note) if x)
    unit = "MB" if row.unit == "MB" else None
    return (
        row.case, row.what, _amount(row.ours, unit), _amount(row.theirs, unit),
        "" if row.ratio is None else f"{row.ratio:.3g}", target, met,
        "" if row.memory is None or row.memory != row.memory else f"{row.memory:.0f}", said,
    )  # fmt: skip


def _amount(value: float | None, unit: str | None) -> str:
    if value is None:
        return ""
    if unit:
        return f"{value:.0f} {unit}"
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def text_table(rows: Sequence[Row]) -> str:
    lines = [HEAD, *(cells(r) for r in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    right = {2, 3, 4, 7}
    out = [
        "  ".join(
            c.rjust(w) if i in right else c.ljust(w)
            for i, (c, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([out[0], "-" * max(map(len, out)), *out[1:]])


def verdict(rows: Sequence[Row]) -> str:
    missed = [r.what for r in rows if r.met is False]
    asked = sum(r.met is not None for r in rows)
    if not asked:
        return "None of these rows has a target."
    if not missed:
        return f"All {asked} targets are met."
    return f"{asked - len(missed)} of {asked} targets are met; not: {'; '.join(missed)}."


def write_json(path: Path, rows: Sequence[Row]) -> None:
    facts = [asdict(r) | {"ratio": r.ratio, "met": r.met} for r in rows]
    text = json.dumps({"machine": machine(), "rows": facts}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def markdown(rows: Sequence[Row]) -> str:
    about = "\n".join(f"- {k}: {v}" for k, v in machine().items())
    table = ["| " + " | ".join(h or "met" for h in HEAD) + " |", "|" + "---|" * len(HEAD)]
    table += ["| " + " | ".join(c.replace("|", "\\|") for c in cells(r)) + " |" for r in rows]
    return (
        "# The last run of `make bench`\n\n"
        "Ratios are what to read: both sides took turns in one run. \"ratio\" is reference / ours "
        "where the target says `>=` (times faster), ours / reference where it says `<=`, or the "
        "amount that the remarks name. \"extra MB\" is the highest memory beyond what the process "
        f"held before.\n\n{about}\n\n{verdict(rows)}\n\n" + "\n".join(table) + "\n"
    )  # fmt: skip
