"""What a killed process would leave behind: its folder, its Rscript, its busy workers.

Nobody can clean up after SIGKILL but others: a shell that waits beside the Rscript, a thread in
each worker, and whoever comes later.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_PREFIX = "pymlm-"
#: Seconds after which a folder that nobody has locked was left behind, and is not just being made.
_AGE = 60.0
#: Seconds between two looks at whether the parent lives.
_LOOK = 0.5

#: The command takes the shell's place (and number, $$). Standard input is a pipe of the parent's:
#: a line when all is done, the bare end of it when the parent is gone.
_BESIDE = """
exec 3<&0 </dev/null
{ read -r _ <&3 && exit; kill -KILL "$$"; sleep 1; rm -rf -- "$1"; } >/dev/null 2>&1 &
shift
exec "$@" 3<&-
"""


@contextlib.contextmanager
def temporary_folder(what: str) -> Iterator[Path]:
    """Make a folder for the time inside; what killed processes left is removed before."""
    clear_left_behind()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{what}-") as name:
        lock = os.open(name, os.O_RDONLY)
        try:
            _locked(lock)
            yield Path(name)
        finally:
            os.close(lock)


def clear_left_behind() -> None:
    """Remove folders of ours whose process is gone: the lock on them went with it."""
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*-*"):
        with contextlib.suppress(OSError):  # another's, or being removed by another
            status = folder.lstat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < _AGE:
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if _locked(lock):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _locked(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def run_beside(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends when this process does; `folder` is removed then."""
    end, ours = os.pipe()
    try:
        return subprocess.run(
            ["sh", "-c", _BESIDE, "sh", str(folder), *command],
            stdin=end, capture_output=True, text=True, encoding="utf-8", check=False,
            env={**environment, "TMPDIR": str(folder)},
        )  # fmt: skip
    finally:
        os.close(end)
        with contextlib.suppress(OSError):  # nobody waits there any more
            os.write(ours, b"done\n")
        os.close(ours)


class ForWorkers:
    """A function for worker processes, which end with the process that made it.

    Said by the way it is unpickled: the function comes before its arguments, and a model among them
    starts R.
    """

    def __init__(self, function: Callable[..., Any], owner: int | None = None) -> None:
        self._function = function
        self._owner = os.getpid() if owner is None else owner
        _end_with_parent(self._owner)

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __reduce__(self) -> Any:
        return ForWorkers, (self._function, self._owner)


_watched = False


def is_worker() -> bool:
    """Return whether this is a worker process that another of ours started."""
    return _watched


#: Where R keeps its files, if it was started here.
_folder_of_r = ""


def note_temporary_folder(folder: str) -> None:
    """Say where R keeps its files, for when this process has to end in R's stead."""
    global _folder_of_r
    _folder_of_r = folder


def _end_with_parent(owner: int) -> None:
    """In a worker process of `owner`: end when it does, and leave Ctrl-C to it.

    A terminal and a notebook send Ctrl-C to the workers, too, whose R then says so in the middle of
    the user's output. The owner stops them.
    """
    global _watched
    if _watched or os.getppid() != owner:  # this is the owner, or a cluster's worker
        return
    _watched = True
    with contextlib.suppress(ValueError):  # not on the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(owner,), name="pymlm-watch", daemon=True).start()


def _watch(owner: int) -> None:
    while os.getppid() == owner:
        time.sleep(_LOOK)
    if _folder_of_r:
        shutil.rmtree(_folder_of_r, ignore_errors=True)
    os._exit(1)
