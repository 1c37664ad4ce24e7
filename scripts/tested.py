#!/usr/bin/env python3
"""Which versions the tests ran on: rows from pytest's reports, and the table made of them.

tested.py row REPORT.xml        what ran here, as one line of JSON (in the project's environment)
tested.py report ROW.json ...   a line a release; writes docs/install.md's table and
                                pymlm/engine/tested.json, which `pymlm doctor` reads
"""

from __future__ import annotations

import collections
import json
import platform
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "install.md"
VERSIONS = ROOT / "pymlm" / "engine" / "tested.json"
START, END = "<!-- tested: written by .ci/run -->", "<!-- /tested -->"
PACKAGES = ("lme4", "lmerTest", "pbkrtest", "emmeans", "rpy2")


def row(report: Path) -> dict[str, Any]:
    """Count a report's tests, and add the versions that are here."""
    from pymlm.engine.requirements import doctor

    found = doctor()
    versions = {r.name: r.found for r in found.requirements}
    passed, failed = 0, 0
    skipped: collections.Counter[str] = collections.Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        skip = case.find("skipped")
        if skip is not None:
            skipped[skip.get("message", "")] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        else:
            passed += 1
    return {
        "release": platform.freedesktop_os_release()["PRETTY_NAME"],
        "R": found.r_version,
        **{name: versions.get(name) for name in PACKAGES},
        "Python": platform.python_version(),
        "passed": passed,
        "failed": failed,
        "skipped": dict(skipped),
    }


def line(r: dict[str, Any]) -> str:
    """One line of the console: versions and counts; reasons of skips below it."""
    counts = f"{r['passed']} passed, {r['failed']} failed, {sum(r['skipped'].values())} skipped"
    head = ", ".join(f"{name} {r[name]}" for name in ("R", "lme4", "rpy2", "Python"))
    reasons = [f"    skipped {n}: {why}" for why, n in sorted(r["skipped"].items())]
    return "\n".join([f"{r['release']}: {head}: {counts}", *reasons])


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a table of Markdown."""
    names = ["release", "R", *PACKAGES, "Python", "passed", "skipped"]
    cells = [[str(r[n]) for n in names] for r in rows]
    lines = [names, ["---"] * len(names), *cells]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def merged(known: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each release's last run without a failure; what did not run this time stays."""
    new = [{**r, "skipped": sum(r["skipped"].values())} for r in rows if not r["failed"]]
    kept = {r["release"]: r for r in [*known, *new]}
    return [{n: v for n, v in r.items() if n != "failed"} for _, r in sorted(kept.items())]


def report(files: list[Path]) -> None:
    """Print the rows, and write them where readers and `pymlm doctor` look."""
    rows = [json.loads(f.read_text()) for f in files]
    for r in rows:
        print(line(r))
    known = json.loads(VERSIONS.read_text()) if VERSIONS.exists() else []
    kept = merged(known, rows)
    VERSIONS.write_text(json.dumps(kept, indent=2) + "\n")
    text = TABLE.read_text()
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    TABLE.write_text(f"{before}{START}\n{table(kept)}\n{END}{after}")


if __name__ == "__main__":
    if sys.argv[1] == "row":
        print(json.dumps(row(Path(sys.argv[2]))))
    else:
        report([Path(f) for f in sys.argv[2:]])
