"""R, its packages, their versions; what is missing and the command that installs it.

Everything is asked of R in processes of its own, so that it can be said even where R cannot be
loaded into Python.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pymlm.engine import startup
from pymlm.engine.install import install_command, r_command, rpy2_requirement
from pymlm.errors import RNotFoundError

#: The oldest R that is tested.
R_VERSION = "4.2"
#: R package -> (lowest version, what it is for, needed for the main job).
R_PACKAGES: dict[str, tuple[str, str, bool]] = {
    "lme4": ("1.1-27", "fitting every model", True),
    "lmerTest": ("3.1-3", "Satterthwaite degrees of freedom, anova, contest, step", True),
    "pbkrtest": ("0.5.1", "Kenward-Roger, parametric bootstrap tests", True),
    "emmeans": ("1.8.0", "marginal means, trends, contrasts", False),
    "mlmRev": ("1.0-8", "data sets", False),
    "nlme": ("3.1-155", "AR(1), variances by group; data sets", False),
    "MASS": ("7.3-50", "data sets; negative binomial models", False),
    "RLRsim": ("3.1-6", "exact_rlrt", False),
    "performance": ("0.10.0", "model checks, R2, ICC", False),
    "multcomp": ("1.4-18", "compact letter displays", False),
    "multcompView": ("0.1-8", "compact letter displays", False),
    "optimx": ("2022-4", "optimx optimizers, all_fit", False),
    "dfoptim": ("2020.10-1", "all_fit", False),
    "sandwich": ("3.0-0", "cluster-robust standard errors HC0-HC3", False),
    "clubSandwich": ("0.5.8", "cluster-robust standard errors CR0-CR3", False),
    "plm": ("2.6-2", "random-effects GLS, Hausman's test", False),
    "geepack": ("1.3-9", "GEE", False),
    "lavaan": ("0.6-12", "latent centring", False),
    "metafor": ("3.8-1", "meta-analysis", False),
    "broom.mixed": ("0.2.9", "reference for tidy, glance, augment in the tests", False),
}

_ASK = """
have <- installed.packages()[, "Version"]
loc <- Sys.getlocale("LC_CTYPE")
blas <- tryCatch(extSoftVersion()[["BLAS"]], error = function(e) "")
cat(paste0("R\\t", R.version$major, ".", R.version$minor), paste0("home\\t", R.home()),
    paste0("blas\\t", blas), paste0("lapack\\t", La_library()), paste0("locale\\t", loc),
    paste0("libraries\\t", paste(.libPaths(), collapse = ":")),
    paste0("pkg\\t", names(have), "\\t", have), sep = "\\n")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that pymlm needs or can use."""

    name: str
    found: str | None
    needed: str
    purpose: str
    required: bool
    ok: bool
    command: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `pymlm doctor` finds.

    Attributes
    ----------
    r_version, r_home, rpy2, blas, lapack, locale : str or None
    libraries : tuple of str
        Where R looks for packages.
    problems : tuple of str
        What keeps the main job from running; empty when it can.
    tested : tuple of str
        The versions of R, its packages and rpy2 that the tests ran on together, a line a system.
    newer : tuple of str
        What here is newer than anything that was tested.
    requirements : tuple of Requirement
    """

    pymlm: str
    r_version: str | None
    r_home: str | None
    rpy2: str | None
    blas: str | None
    lapack: str | None
    locale: str | None
    libraries: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    problems: tuple[str, ...]
    tested: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when the main job can run."""
        return not self.problems

    def __str__(self) -> str:
        lines = [
            f"pymlm    {self.pymlm}",
            f"R        {self.r_version or 'not found'}"
            + (f"  in {self.r_home}" if self.r_home else ""),
            f"BLAS     {self.blas or 'unknown'}",
            f"LAPACK   {self.lapack or 'unknown'}",
            f"locale   {self.locale or 'unknown'}",
            f"library  {', '.join(self.libraries) or 'unknown'}",
            "",
        ]
        for r in self.requirements:
            mark = "ok" if r.ok else ("MISSING" if r.required else "absent")
            lines.append(f"{mark:<8} {r.name:<13} {r.found or '-':<11} {r.needed:<10} {r.purpose}")
            if r.command:
                lines.append(f"{'':<8} -> {r.command}")
        lines.append("")
        lines += [f"tested   {t}" for t in self.tested]
        lines += [f"warning: {n}" for n in self.newer]
        lines += [f"problem: {p}" for p in self.problems]
        lines.append("The main job can run." if self.ok else "The main job CANNOT run.")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts and lists."""
        return asdict(self) | {"ok": self.ok}

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), indent=2)


def doctor() -> Report:
    """Look at R, its packages and rpy2, and say what is missing and how to get it.

    Returns
    -------
    Report
        `ok` is True when the main job (fit and summary with degrees of freedom) can run.
    """
    from pymlm._version import __version__

    problems: list[str] = []
    facts: dict[str, str] = {}
    packages: dict[str, str] = {}
    home: str | None = None
    try:
        home = startup.find_r_home()
        facts, packages = _ask_r(home)
    except RNotFoundError as error:
        problems.append(str(error))
    r = _r_requirement(facts.get("R"))
    rpy2 = _rpy2_requirement(home, facts.get("R"))
    requirements = [r, rpy2]
    for name, (version, purpose, needed) in R_PACKAGES.items():
        found = packages.get(name)
        ok = found is not None and at_least(found, version)
        requirements.append(
            Requirement(
                name=name, found=found, needed=version, purpose=purpose, required=needed, ok=ok,
                command=None if ok else install_command([name]),
            )
        )  # fmt: skip
    if not problems:  # without R nothing can be said of what stands on it
        problems = [_problem(q) for q in requirements if q.required and not q.ok]
    return Report(
        pymlm=__version__,
        r_version=facts.get("R"),
        r_home=home,
        rpy2=rpy2.found,
        blas=facts.get("blas") or None,
        lapack=facts.get("lapack") or None,
        locale=facts.get("locale") or None,
        libraries=tuple(p for p in facts.get("libraries", "").split(":") if p),
        requirements=tuple(requirements),
        problems=tuple(problems),
        tested=tuple(
            f"{t['release']}: " + ", ".join(f"{n} {t[n]}" for n in TESTED_TOGETHER)
            for t in tested()
        ),
        newer=newer_than_tested({q.name: q.found for q in requirements}),
    )


#: What a row of tested versions says of a system.
TESTED_TOGETHER = ("R", "lme4", "lmerTest", "pbkrtest", "emmeans", "rpy2")


def tested() -> list[dict[str, str]]:
    """Versions that the tests ran on together; written by the run itself (scripts/tested.py)."""
    try:
        text = Path(__file__).with_name("tested.json").read_text(encoding="utf-8")
    except OSError:
        return []
    rows: list[dict[str, str]] = json.loads(text)
    return rows


def newer_than_tested(found: Mapping[str, str | None]) -> tuple[str, ...]:
    """Say which versions are newer than any that was tested."""
    out = []
    for name in TESTED_TOGETHER:
        version = found.get(name)
        known = [t[name] for t in tested() if t.get(name)]
        if version and known and not any(at_least(k, version) for k in known):
            newest = max(known, key=_parts)
            out.append(f"{name} {version} is newer than what was tested ({newest})")
    return tuple(out)


def _ask_r(home: str) -> tuple[dict[str, str], dict[str, str]]:
    environment = {k: v for k, v in os.environ.items() if k not in ("R_HOME", "LD_LIBRARY_PATH")}
    try:
        answer = subprocess.run(
            [str(Path(home, "bin", "Rscript")), "--no-init-file", "-e", _ASK],
            capture_output=True, text=True, encoding="utf-8", errors="replace", check=True,
            timeout=120, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise RNotFoundError(f"R in {home} does not run: {error}") from None
    facts: dict[str, str] = {}
    packages: dict[str, str] = {}
    for line in answer.stdout.splitlines():
        key, *rest = line.split("\t")
        if key == "pkg" and len(rest) == 2:
            packages.setdefault(rest[0], rest[1])
        elif rest:
            facts[key] = rest[0]
    return facts, packages


def _problem(missing: Requirement) -> str:
    if missing.found is None:
        what = "not installed"
    elif missing.name == "rpy2":
        what = f"{missing.found} does not load with this R"
    else:
        what = f"{missing.found} is too old"
    return f"{missing.name}: {what} (needed: {missing.needed})"


def _r_requirement(version: str | None) -> Requirement:
    ok = version is not None and at_least(version, R_VERSION)
    return Requirement(
        name="R", found=version, needed=R_VERSION, purpose="everything", required=True, ok=ok,
        command=None if ok or os.environ.get("R_HOME") else r_command(),
    )  # fmt: skip


def _rpy2_requirement(home: str | None, r_version: str | None) -> Requirement:
    if r_version is None or home is None:  # which one fits is not known yet
        wanted, loads = "rpy2", True
    else:
        wanted, loads = rpy2_requirement(r_version), _rpy2_loads(home)
    try:
        found: str | None = importlib.metadata.version("rpy2")
    except importlib.metadata.PackageNotFoundError:
        found = None
    ok = found is not None and loads
    return Requirement(
        name="rpy2", found=found, needed=wanted.removeprefix("rpy2") or "fits R",
        purpose="the bridge to R",
        required=True, ok=ok,
        command=startup.rpy2_command(home) if home and not ok else None,
    )  # fmt: skip


def _rpy2_loads(home: str) -> bool:
    """Try it in a process of its own: a wrong pair can end in more than an exception."""
    import sys

    environment = os.environ | {"R_HOME": home}
    done = subprocess.run(
        [sys.executable, "-c", "import rpy2.rinterface"],
        capture_output=True, timeout=120, env=environment, check=False,
    )  # fmt: skip
    return done.returncode == 0


def at_least(found: str, needed: str) -> bool:
    """Compare R version numbers, whose parts are separated by '.' or '-'."""
    return _parts(found) >= _parts(needed)


def _parts(version: str) -> list[int]:
    return [int(p) for p in version.replace("-", ".").split(".") if p.isdigit()]
