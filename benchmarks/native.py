"""A native R process that is asked for times: started once, data read from binary files."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

_PRELUDE = r"""
options(warn = -1)
suppressMessages({library(lme4); library(lmerTest); library(pbkrtest)})
lmer <- lme4::lmer
.time <- function(e) {
  e <- substitute(e)
  start <- Sys.time()
  suppressMessages(eval(e, globalenv()))
  as.numeric(Sys.time() - start, units = "secs")
}
.say <- function(x) { cat("@@", paste(sprintf("%.17g", x), collapse = " "), "\n"); flush(stdout()) }
.read <- function(folder) {
  about <- read.csv(file.path(folder, "columns.csv"), colClasses = "character")
  n <- as.integer(about$n[1L])
  out <- lapply(seq_len(nrow(about)), function(i) {
    f <- file.path(folder, about$file[i])
    if (about$kind[i] == "double") return(readBin(f, "double", n))
    codes <- readBin(f, "integer", n, 4L)
    structure(codes, levels = readLines(paste0(f, ".levels")), class = "factor")
  })
  names(out) <- about$name
  as.data.frame(out)
}
"""


class NativeR:
    """R beside us, in a process of its own."""

    def __init__(self) -> None:
        env = {k: v for k, v in os.environ.items() if k not in ("R_HOME", "LD_LIBRARY_PATH")}
        self._process = subprocess.Popen(
            ["R", "--vanilla", "--no-echo"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        )
        self._write(_PRELUDE)

    def run(self, code: str) -> None:
        self.numbers(f"{code}\n0")

    def numbers(self, code: str) -> np.ndarray:
        """Evaluate code; return the numbers that its last expression is."""
        self._write(f".say({{\n{code}\n}})\n")
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("@@"):
                return np.array(line.split()[1:], dtype=float)
        assert self._process.stderr is not None
        raise RuntimeError(f"native R failed: {self._process.stderr.read()[-800:]}")

    def _write(self, code: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(code)
        self._process.stdin.flush()

    def time(self, code: str) -> float:
        """Seconds that `code` takes, measured by R itself."""
        return float(self.numbers(f".time({{{code}}})")[0])

    def give(self, name: str, data: pd.DataFrame) -> None:
        """Make a data frame in R, through binary files."""
        with tempfile.TemporaryDirectory() as folder:
            rows = []
            for i, (column, values) in enumerate(data.items()):
                file = Path(folder, f"{i}.bin")
                if isinstance(values.dtype, pd.CategoricalDtype):
                    codes = values.cat.codes.to_numpy().astype("<i4") + 1
                    codes.tofile(file)
                    levels = [str(c) for c in values.cat.categories]
                    Path(f"{file}.levels").write_text("\n".join(levels) + "\n")
                    kind = "factor"
                else:
                    values.to_numpy(dtype="<f8").tofile(file)
                    kind = "double"
                rows.append({"name": column, "file": file.name, "kind": kind, "n": len(data)})
            pd.DataFrame(rows).to_csv(Path(folder, "columns.csv"), index=False)
            self.run(f'{name} <- .read("{folder}")')

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
