"""The answers of lmerTest and pbkrtest, computed once by a plain Rscript process."""

from __future__ import annotations

import csv
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pymlm.inference import ModelParts
from pymlm.inference.parts import Floats

R_SCRIPTS = Path(__file__).resolve().parents[2] / "r_scripts"
BRIDGE = R_SCRIPTS / "bridge" / "exact_parts.R"


@dataclass(frozen=True)
class Reference:
    """One model: its parts, as R hands them over, and what the R packages answer."""

    parts: ModelParts
    answers: dict[str, Floats]
    warnings: list[str]

    @property
    def joint(self) -> Floats:
        """The contrast that the script tests jointly: all but the intercept."""
        rows = np.eye(len(self.parts.beta))
        return rows[1:] if len(rows) > 1 else rows


def run_rscript(*arguments: str | Path) -> None:
    env = {k: v for k, v in os.environ.items() if k not in ("R_HOME", "LD_LIBRARY_PATH")}
    command = ["Rscript", "--vanilla", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def read_reference(directory: Path) -> Reference:
    values: dict[str, Floats] = {}
    with (directory / "index.csv").open() as index:
        for row in csv.DictReader(index):
            shape = [int(size) for size in row["dim"].split()]
            flat = np.fromfile(directory / f"{row['name']}.bin", dtype="<f8")
            values[row["name"]] = flat.reshape(shape, order="F")
    sparse = {
        name: {slot: values[f"{name}.{slot}"] for slot in ("i", "p", "x", "dim")}
        for name in ("zt", "lambdat")
    }
    warnings = (directory / "warnings.txt").read_text().splitlines()
    return Reference(ModelParts.from_mapping({**values, **sparse}), values, warnings)


@pytest.fixture(scope="session")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    out = tmp_path_factory.mktemp("exact_ddf")
    run_rscript(R_SCRIPTS / "reference" / "exact_ddf.R", BRIDGE, out)
    return {path.name: read_reference(path) for path in sorted(out.iterdir())}
