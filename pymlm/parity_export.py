"""Call and data of a model, written for plain Rscript without the bridge's conversions, and run."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pymlm.engine import call
from pymlm.engine.left_behind import run_beside
from pymlm.engine.startup import bridge_folder, find_r_home
from pymlm.engine.to_r import NA_INTEGER
from pymlm.errors import RError
from pymlm.formula import vet
from pymlm.frame_keys import key_column
from pymlm.models.fitting import WEIGHTS
from pymlm.models.inside import handle_of, is_linear, source_of
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model

#: Control characters, and the sign of the escape.
_UNREADABLE = re.compile("[\x00-\x1f\x7f%]")


def export(model: Model, folder: Path, ddfs: Sequence[str]) -> str:
    """Write call, data and settings for the Rscript process; return how the data went."""
    call_text, data_name, bindings = _call_of(model, folder)
    source = source_of(model)
    from_frame = source.data is not None and not bindings
    (folder / "call.R").write_text(call_text, encoding="utf-8")
    _write_lines([data_name], folder / "name.txt")
    if from_frame:
        assert source.data is not None
        own = vet(model.formula, trusted=True, columns=source.sent)
        _write_frame(source, folder, source.crossed_as_keys or own.keys)
    (folder / "ddf.txt").write_text("\n".join(ddfs), encoding="utf-8")
    (folder / "route.txt").write_text("numpy" if from_frame else "rds", encoding="utf-8")
    return "numpy" if from_frame else "rds"


def _call_of(model: Model, folder: Path) -> tuple[str, str, bool]:
    """The model's call as text, the name of its data, and whether it names other objects.

    R's own objects are saved too, for models whose data never were in Python.
    """
    parts = call("script_parts", handle_of(model), str((folder / "objects.rds").resolve()))
    return (
        str(parts["call"][0]),
        str(parts["names"][0]),
        # Contrasts that the call does not name are attributes of R's columns (of gls).
        len(parts["names"]) > 1 or bool(source_of(model).arguments.get("contrasts")),
    )


def _write_frame(source: Any, folder: Path, keys: Collection[str]) -> None:
    """Write each column that the model uses as raw bytes, and names, kinds and levels as lines."""
    table = []
    columns = [str(c) for c in source.data.columns]
    for position, name in enumerate(source.sent):
        if name in columns:
            series = source.data.iloc[:, columns.index(name)]
        else:  # an argument that was an array
            which = "weights" if name.startswith(WEIGHTS) else "offset"
            series = pd.Series(np.asarray(source.arguments[which], dtype=float))
        path = folder / f"column{position}"
        key = key_column(name, series) if name in keys else None
        if key is None:
            table.append((_write_column(series, path), name))
            continue
        _write_lines(key.levels, path.with_suffix(".levels"))
        np.where(key.values == NA_INTEGER, 0, key.values).astype("<i4").tofile(path)
        table.append(("factor", name))
    _write_lines([kind for kind, _ in table], folder / "kinds.txt")
    _write_lines([name for _, name in table], folder / "names.txt")


def _write_column(series: pd.Series, path: Path) -> str:
    from pymlm.frames import level_name

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        levels = [level_name(c) for c in series.cat.categories]
        _write_lines(levels, path.with_suffix(".levels"))
        (series.cat.codes.to_numpy().astype("<i4") + 1).tofile(path)
        return "ordered" if dtype.ordered else "factor"
    if pd.api.types.is_bool_dtype(dtype):
        numbers = series.astype("Int64").fillna(-1).to_numpy(dtype="<i4")
        numbers.tofile(path)
        return "logical"
    if pd.api.types.is_numeric_dtype(dtype):
        values = series.to_numpy(dtype="<f8", na_value=np.nan)
        values.tofile(path)
        return "integer" if pd.api.types.is_integer_dtype(dtype) else "double"
    found = _times(series)
    if found is not None:
        found[1].astype("<f8").tofile(path)
        return found[0]
    codes, words = pd.factorize(series, use_na_sentinel=True)
    _write_lines([str(w) for w in words], path.with_suffix(".levels"))
    (np.asarray(codes).astype("<i4") + 1).tofile(path)
    return "text"


def _write_lines(texts: Iterable[str], path: Path) -> None:
    """A line a text; what would break a line, or R's reading of it, goes as %0A."""
    escaped = (_UNREADABLE.sub(lambda c: f"%{ord(c[0]):02X}", t) for t in texts)
    path.write_text("".join(f"{t}\n" for t in escaped), encoding="utf-8", newline="\n")


def _times(series: pd.Series) -> tuple[str, Any] | None:
    """R's class and numbers of a column of dates, times or differences; None for any other."""
    dtype = series.dtype
    if isinstance(dtype, pd.ArrowDtype) and dtype.kind in "mM":
        series = series.array.__arrow_array__().to_pandas()
    series = series.infer_objects()
    second = np.timedelta64(1, "s")
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        values = (series.dt.tz_convert(None) if series.dt.tz is not None else series).to_numpy()
        return "POSIXct", (values - np.datetime64(0, "s")) / second
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        return "difftime", series.to_numpy() / second
    if pd.api.types.infer_dtype(series, skipna=True) == "date":
        return "Date", (
            series.to_numpy(dtype="datetime64[D]") - np.datetime64(0, "D")
        ) / np.timedelta64(1, "D")
    return None


#: What would make it another R than the one that the user starts, or leave out R's own packages.
_NOT_NATIVE = ("R_HOME", "LD_LIBRARY_PATH", "R_DEFAULT_PACKAGES", "R_SCRIPT_DEFAULT_PACKAGES")


def ask_native(folder: Path) -> dict[str, Any]:
    """Let a plain Rscript process fit what `folder` holds, and return its numbers by table."""
    home = find_r_home()
    script = bridge_folder() / "reference" / "parity.R"
    environment = {k: v for k, v in os.environ.items() if k not in _NOT_NATIVE}
    if "UTF-8" not in environment.get("LC_ALL", environment.get("LANG", "")).upper():
        environment["LC_CTYPE"] = "C.UTF-8"
        if environment.get("LC_ALL"):
            environment["LC_ALL"] = "C.UTF-8"
    rscript = str(Path(home, "bin", "Rscript"))
    done = run_beside([rscript, "--vanilla", str(script), str(folder)], folder, environment)
    if done.returncode:
        raise RError(f"native R failed: {done.stderr.strip()[-1500:]}", done.stderr)
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    return answer


def ask_native_at(model: MixedModel, folder: Path) -> dict[str, Any] | None:
    """Return native R's numbers at the model's estimates; None where it cannot go there."""
    model.theta.to_numpy(dtype="<f8").tofile(folder / "theta.bin")
    if not is_linear(model):
        model.fixef().to_numpy(dtype="<f8").tofile(folder / "beta.bin")
    try:
        return ask_native(folder)
    except RError:
        return None
