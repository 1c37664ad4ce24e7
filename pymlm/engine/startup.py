"""Find R, start it quietly inside this process, and read in the R half of pymlm.

Everything here runs on the R thread, once, when the first call needs R.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymlm.engine import rpy2_private
from pymlm.engine.install import install_command, rpy2_requirement
from pymlm.engine.left_behind import clear_left_behind, note_temporary_folder
from pymlm.engine.process_locale import kept_locale, kept_variables, utf8_locale
from pymlm.engine.r_thread import R
from pymlm.engine.steps import note_folder
from pymlm.errors import RError, RNotFoundError, RPackageError

#: No profile, no workspace, no question at the end. Renviron is still read: it says where R's
#: packages are. A larger heap from the start (--min-nsize, R_GC_MEM_GROW) loads lme4 in a tenth
#: less time, and then costs every small fit some percent and a long-lived process 20 to 150 MB.
R_OPTIONS = (
    "pymlm",
    "--quiet",
    "--no-save",
    "--no-restore",
    "--no-site-file",
    "--no-init-file",
)

_dispatch: Any = None


def bridge_folder() -> Path:
    """Folder of the R half: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "r_scripts", package.parent / "r_scripts"):
        if (folder / "bridge").is_dir():
            return folder
    raise RNotFoundError(
        f"the R scripts of pymlm are missing from {package}. Reinstall it: "
        "pip install --force-reinstall pymlm"
    )


def find_r_home() -> str:
    """R's home directory, from the R_HOME variable or the R on the PATH.

    Raises
    ------
    RNotFoundError
        When neither leads to an R.
    """
    home = os.environ.get("R_HOME", "")
    if home:
        if Path(home).is_dir():
            return home
        raise RNotFoundError(
            f"R_HOME is set to {home!r}, where there is no R. Unset it, or set it to what "
            "'R RHOME' prints."
        )
    try:
        answer = subprocess.run(
            ["R", "RHOME"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RNotFoundError(
            "R was not found on this machine. Debian/Ubuntu: sudo apt-get install r-base-core "
            "r-cran-lme4; conda: conda install -c conda-forge r-base r-lme4; otherwise install R "
            "and run r_scripts/install.R. Then run 'pymlm doctor'."
        ) from error
    return answer.stdout.strip().splitlines()[-1]


def dispatch_function() -> Any:
    """Return the R function that runs every bridge call, starting R if need be."""
    global _dispatch
    if _dispatch is None:
        with R.undisturbed():
            _start_r()
            _dispatch = _source_bridge()
    return _dispatch


def _start_r() -> None:
    _import_rpy2(find_r_home())
    if rpy2_private.is_started():  # the program uses rpy2 itself: share its R as it is
        return
    # rpy2 adds R's library folders to LD_LIBRARY_PATH: too late for this process, but its children
    # would load other libraries than this process did.
    variables = kept_variables("LD_LIBRARY_PATH", "R_DEFAULT_PACKAGES")
    with rpy2_private.lock(), kept_locale(_prepare_threads), variables, utf8_locale():
        os.environ.pop("R_DEFAULT_PACKAGES", None)
        rpy2_private.start(R_OPTIONS)
        # R asks for the locale when it first compares texts, and compares as it was told then.
        import rpy2.rinterface as ri

        ri.baseenv["order"](ri.StrSexpVector(["b", "A"]))
        note_temporary_folder(str(ri.baseenv["tempdir"]()[0]))
    clear_left_behind()
    atexit.register(_clean_up, os.getpid())


def _prepare_threads(adopt: Callable[[], None]) -> None:
    R.prepare = adopt


def _import_rpy2(home: str) -> None:
    """Import rpy2's interface to the R in `home`, without the two Rscript runs rpy2 makes."""
    before = os.environ.get("R_HOME")
    os.environ["R_HOME"] = home
    _set_front_end_variables(home)
    try:
        rpy2_private.imported(_library_path)
        missing = rpy2_private.gone()
        if missing:
            raise ImportError(f"it has no {', '.join(missing)}")
    except ModuleNotFoundError as error:
        raise RNotFoundError(
            f"rpy2 is not installed ({error}). Run: {rpy2_command(home)}"
        ) from None
    except Exception as error:  # ImportError, OSError, cffi errors: all mean a wrong pair
        raise RNotFoundError(
            f"the installed rpy2 does not fit R {r_version(home) or 'in ' + home} "
            f"({str(error).splitlines()[0][:200]}). Run: {rpy2_command(home)}"
        ) from None
    finally:
        if before is None:
            os.environ.pop("R_HOME", None)


def _library_path(home: str) -> str:
    """LD_LIBRARY_PATH as R's front end sets it; the shell answers in 2 ms, Rscript in 150."""
    # The folder's name reaches the shell as a variable, never as part of what it runs.
    script = '. "$R_HOME/etc/ldpaths" 2>/dev/null; printf "%s" "$LD_LIBRARY_PATH"'
    try:
        answer = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, check=True, timeout=60,
            env={**os.environ, "R_HOME": home},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return f"{home}/lib"
    return answer.stdout.strip()


def _set_front_end_variables(home: str) -> None:
    """Set what the R front-end script exports (R_SHARE_DIR ...), as it stands in the script."""
    try:
        script = Path(home, "bin", "R").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for name in ("R_SHARE_DIR", "R_INCLUDE_DIR", "R_DOC_DIR"):
        found = re.search(rf"^{name}=(\S+)$", script, re.MULTILINE)
        if found and "$" not in found[1]:
            os.environ.setdefault(name, found[1].strip("\"'"))


def r_version(home: str) -> str | None:
    """Version of the R in `home`, from the header that travels with it; None when unreadable."""
    try:
        answer = subprocess.run(
            [str(Path(home, "bin", "R")), "--version"],
            capture_output=True,
            text=True,
            timeout=60,
            env={k: v for k, v in os.environ.items() if k != "R_HOME"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"R version (\d+\.\d+\.\d+)", answer.stdout + answer.stderr)
    return found[1] if found else None


def rpy2_command(home: str) -> str:
    """The exact pip command that installs an rpy2 for the R in `home`."""
    return (
        "pip uninstall -y rpy2-rinterface rpy2-robjects; "
        f"pip install --force-reinstall '{rpy2_requirement(r_version(home))}'"
    )


#: R code that reads the bridge into a private environment and answers with its `dispatch`.
_LOADER = """
function(files) tryCatch({
  # Whatever R_DEFAULT_PACKAGES says, here or in an Renviron.
  for (p in c("methods", "datasets", "utils", "grDevices", "graphics", "stats")) {
    if (!paste0("package:", p) %in% search()) library(p, character.only = TRUE)
  }
  bridge <- new.env(parent = asNamespace("lme4"))
  for (f in files) sys.source(f, envir = bridge, keep.source = FALSE)
  bridge$dispatch
}, error = function(e) paste(class(e)[1L], conditionMessage(e), sep = "\n"))
"""


def _source_bridge() -> Any:
    """Read r_scripts/bridge/*.R into a private environment; return its `dispatch`."""
    import rpy2.rinterface as ri

    folder = bridge_folder() / "bridge"
    load = ri.baseenv["eval"](ri.parse(_LOADER))
    with rpy2_private.without_events():
        answer = load(ri.StrSexpVector([str(f) for f in sorted(folder.glob("*.R"))]))
    if isinstance(answer, ri.StrSexpVector):
        kind, _, message = str(answer[0]).partition("\n")
        if kind == "packageNotFoundError":
            raise RPackageError(f"R: {message}. Run: {install_command(['lme4'])}")
        raise RError(f"the R half of pymlm could not be read: {message}", message)
    note_folder(str(ri.baseenv["tempdir"]()[0]))
    return answer


def _clean_up(owner: int) -> None:
    """At exit, remove R's temporary folder; a forked child leaves its parent's alone.

    What R still does then is for a daemon thread, which nobody waits for: it is stopped.
    """
    if os.getpid() != owner:
        return

    def work() -> None:
        import rpy2.rinterface as ri

        ri.baseenv["unlink"](ri.baseenv["tempdir"](), recursive=True)

    with contextlib.suppress(Exception):
        R.abandon()
        R.run(work, timeout=2.0)
