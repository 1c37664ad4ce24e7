"""The cases by name, in the order of the table."""

from __future__ import annotations

from benchmarks.cases import (
    answers,
    fits,
    frames,
    kenward_roger,
    many,
    others,
    process,
    satterthwaite,
    simulation,
)
from benchmarks.context import Case

CASES: dict[str, Case] = {
    "process": process.run,
    "frames": frames.run,
    "fits": fits.run,
    "answers": answers.run,
    "satterthwaite": satterthwaite.targets,
    "satterthwaite-nested": satterthwaite.nested_rows,
    "satterthwaite-crossed": satterthwaite.crossed_levels,
    "kenward-roger": kenward_roger.targets,
    "kenward-roger-nested": kenward_roger.nested_rows,
    "kenward-roger-crossed": kenward_roger.crossed_rows,
    "simulation": simulation.run,
    "many": many.run,
    "others": others.run,
}
