"""check_parity of many models with one native process for all: each alone starts its own."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pymlm as mlm
from pymlm import parity
from pymlm.errors import PymlmWarning
from pymlm.parity_numbers import compared_ddfs
from tests.native import REFERENCE, rscript


def native_answers(models: dict[str, Any], folder: Callable[[str], Path]) -> dict[str, Any]:
    """What check_parity's own script says of every model, by name."""
    folders = {name: folder("parity") for name in models}
    for name, m in models.items():
        parity.export(m, folders[name], [d for d in compared_ddfs(m) if d])
    script = json.dumps(str(REFERENCE / "parity.R"))
    rscript(
        f"for (folder in c({', '.join(json.dumps(str(f)) for f in folders.values())})) {{\n"
        "  commandArgs <- function(trailingOnly = FALSE)\n"
        f"    if (trailingOnly) folder else paste0('--file=', {script})\n"
        f"  sys.source({script}, envir = new.env(parent = globalenv()))\n"
        "}"
    )
    return {n: json.loads((f / "answer.json").read_text("utf-8")) for n, f in folders.items()}


def report(model: Any, answer: dict[str, Any]) -> mlm.ParityReport:
    """check_parity(model); the first answer is this one; where numbers differ, R is asked alone."""
    with _answered_first(answer), warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        return mlm.check_parity(model)


@contextmanager
def _answered_first(answer: dict[str, Any]) -> Iterator[None]:
    first, ask = [answer], parity.ask_native
    with mock.patch.object(
        parity, "ask_native", lambda folder: first.pop() if first else ask(folder)
    ):
        yield
    assert not first, "check_parity did not ask R"
