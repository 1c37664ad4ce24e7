"""The R half as text: one name, one function."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

BRIDGE = Path(__file__).resolve().parents[2] / "r_scripts" / "bridge"

DEFINITION = re.compile(r"^(\.?[A-Za-z][\w.]*) <- ", re.MULTILINE)


def definitions() -> Counter[str]:
    found: Counter[str] = Counter()
    for path in BRIDGE.glob("*.R"):
        found.update(DEFINITION.findall(path.read_text(encoding="utf-8")))
    return found


def test_no_file_overwrites_a_function_of_another():
    """All files are read into one environment: the last definition would win in silence."""
    assert [name for name, times in definitions().items() if times > 1] == []
    assert definitions()["fit_lmer"] == 1


def test_the_bridge_prints_nothing_and_attaches_nothing():
    for path in BRIDGE.glob("*.R"):
        code = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
        for word in ("cat(", "library(", "require(", "setwd("):
            pattern = r"(?<![\w.])" + re.escape(word)
            assert not re.search(pattern, code), f"{path.name} uses {word}"
