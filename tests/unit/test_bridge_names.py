"""R's half is sourced into one environment: a name that two files define would be the last one's."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

BRIDGE = Path(__file__).resolve().parents[2] / "r_scripts" / "bridge"
DEFINED = re.compile(r"^([.\w]+)\s*<-", re.MULTILINE)


def test_no_two_files_of_the_bridge_define_the_same_name() -> None:
    files = defaultdict(list)
    for path in sorted(BRIDGE.glob("*.R")):
        for name in DEFINED.findall(path.read_text(encoding="utf-8")):
            files[name].append(path.name)
    assert len(files) > 100
    assert {n: f for n, f in files.items() if len(f) > 1} == {}
