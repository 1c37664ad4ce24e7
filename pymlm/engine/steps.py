"""How far a loop in R is, by the file in which it counts its steps (`counted` of steps.R)."""

from __future__ import annotations

import os
from pathlib import Path

_folder = ""


def note_folder(folder: str) -> None:
    """Say where R keeps its temporary files."""
    global _folder
    _folder = folder


def steps_of_r() -> tuple[int, int] | None:
    """Return how many steps of how many are done; None while R counts none.

    The file's first line is the number of steps; each step adds a byte.
    """
    if not _folder:
        return None
    try:
        total, found, done = (
            Path(_folder, f"pymlm-steps-{os.getpid()}").read_bytes().partition(b"\n")
        )
        return (min(len(done), int(total)), int(total)) if found else None
    except (OSError, ValueError):
        return None
