"""What a user types to install what is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence


def install_command(packages: Sequence[str]) -> str:
    """The one command that installs R packages on this system."""
    if os.environ.get("CONDA_PREFIX"):
        return "conda install -c conda-forge " + " ".join(f"r-{p.lower()}" for p in packages)
    if shutil.which("apt-get"):
        return f"{_apt()} install " + " ".join(f"r-cran-{p.lower()}" for p in packages)
    quoted = ", ".join(f'"{p}"' for p in packages)
    return (
        f"Rscript -e 'chooseCRANmirror(graphics = FALSE, ind = 1); install.packages(c({quoted}))'"
    )


def r_command() -> str:
    """The one command that installs R, with what every model needs, on this system."""
    if os.environ.get("CONDA_PREFIX"):
        return "conda install -c conda-forge r-base r-lme4 r-lmertest r-pbkrtest r-emmeans"
    if shutil.which("apt-get"):
        packages = "r-cran-lme4 r-cran-lmertest r-cran-pbkrtest r-cran-emmeans"
        return f"{_apt()} install r-base-core {packages}"
    return "install R, then run: Rscript r_scripts/install.R"


def _apt() -> str:
    return "apt-get" if os.geteuid() == 0 else "sudo apt-get"


def rpy2_requirement(version: str | None) -> str:
    """The rpy2 that loads with R `version`: rpy2-rinterface 3.6.6 and later need R 4.5."""
    if version is not None:
        major, minor = (int(x) for x in version.split(".")[:2])
        if (major, minor) >= (4, 5):
            return "rpy2>=3.6"
    return "rpy2==3.5.17"
