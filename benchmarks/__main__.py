"""Run the benchmarks: ``make bench``, or ``python -m benchmarks --only fits --quick``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Row

_ROW = "@@row "


def main() -> int:
    arguments = _parse()
    if arguments.child:
        return _child(arguments.child, arguments.quick)
    from benchmarks.cases import CASES
    from benchmarks.report import markdown, text_table, verdict, write_json

    rows: list[Row] = []
    failed = False
    for name in arguments.only or CASES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found, code = _in_a_process_of_its_own(name, arguments.quick)
        rows += found
        failed |= code != 0
    print(text_table(rows))
    print(f"\n{verdict(rows)}")
    if arguments.json:
        write_json(arguments.json, rows)
    if arguments.markdown:
        arguments.markdown.write_text(markdown(rows), encoding="utf-8")
    return int(failed)


def _parse() -> argparse.Namespace:
    from benchmarks.cases import CASES

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(CASES), help="this case (again: more)"
    )
    parser.add_argument("--quick", action="store_true", help="without slow sizes and references")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument("--child", choices=list(CASES), help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process_of_its_own(name: str, quick: bool) -> tuple[list[Row], int]:
    """So that no case inherits another's memory or warm caches."""
    command = [sys.executable, "-m", "benchmarks", "--child", name, *(["--quick"] * quick)]
    rows = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith(_ROW):
                rows.append(Row(**json.loads(line[len(_ROW) :])))
            else:
                print(line, end="", file=sys.stderr)
    return rows, child.returncode


def _child(name: str, quick: bool) -> int:
    from benchmarks.cases import CASES
    from benchmarks.context import Context

    for row in CASES[name](Context(quick=quick)):
        print(_ROW + json.dumps(asdict(row)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
