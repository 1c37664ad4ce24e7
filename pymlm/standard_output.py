"""Standard output of the command line, whose reader may leave."""

from __future__ import annotations

import os
import sys
from typing import Any


class Reader:
    """Standard output whose reader may leave: ``| head`` has what it wants, and nobody is to blame.

    What is written afterwards goes nowhere, so that files are saved all the same.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.gone = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return int(self._stream.write(text))
        except BrokenPipeError:
            self.leave()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self.leave()

    def leave(self) -> None:
        # Python flushes what is left when it ends: into nothing, too.
        self.gone = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def unread() -> bool:
    """True where nobody reads standard output any more."""
    return isinstance(sys.stdout, Reader) and sys.stdout.gone
