"""What a user types to install what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence


def install_command(packages: Sequence[str]) -> str:
    """The one command that installs R packages on this system."""
    if os.environ.get("CONDA_PREFIX"):
        return "conda install -c conda-forge " + " ".join(f"r-{p.lower()}" for p in packages)
    if shutil.which("apt-get") and all(_apt_has(f"r-cran-{p.lower()}") for p in packages):
        return f"{_apt()} install " + " ".join(f"r-cran-{p.lower()}" for p in packages)
    quoted = ", ".join(f'"{p}"' for p in packages)
    return (
        f"Rscript -e 'chooseCRANmirror(graphics = FALSE, ind = 1); install.packages(c({quoted}))'"
    )


def _apt_has(package: str) -> bool:
    """Whether apt has a package to install; True when its lists have not been fetched at all."""
    try:
        answer = subprocess.run(
            ["apt-cache", "policy", package, "r-base-core"],
            capture_output=True, text=True, check=False, timeout=60,
            env=os.environ | {"LC_ALL": "C"},
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return True
    blocks = re.split(r"^(?=\S+:$)", answer, flags=re.MULTILINE)
    known = {b.partition(":")[0] for b in blocks if re.search(r"Candidate: [^(]", b)}
    return package in known or "r-base-core" not in known


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
