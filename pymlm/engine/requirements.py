"""R, its packages, their versions; what is missing and the command that installs it."""

from __future__ import annotations

from collections.abc import Sequence


def install_command(packages: Sequence[str]) -> str:
    """The one command that installs R packages on this system."""
    return "sudo apt-get install " + " ".join(f"r-cran-{p.lower()}" for p in packages)
