"""The data sets of the installed R packages, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import DataError, near_names
from pymlm.frames import as_column

#: Packages that are searched, in this order, when a name comes without one.
PACKAGES = ("lme4", "lmerTest", "nlme", "MASS", "mlmRev", "pbkrtest", "emmeans", "datasets")


@strict
def datasets(package: str | None = None) -> pd.DataFrame:
    """List the data frames that the installed R packages carry.

    Parameters
    ----------
    package : str, optional
        Only this package; default are lme4, lmerTest, nlme, MASS, mlmRev and a few more.

    Returns
    -------
    DataFrame
        One row a data set: package, name, rows, columns, title.

    Raises
    ------
    DataError
        When `package` is not installed, or has no data frames.

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.datasets("lme4").query("name == 'cake'")[["rows", "columns"]].to_numpy().tolist()
    [[270, 5]]
    """
    which = list(PACKAGES) if package is None else [package]
    found: dict[str, Any] = call("list_datasets", which)
    if package is not None and not found["name"]:
        raise DataError(f"R package {package!r} is not installed, or has no data frames")
    return pd.DataFrame(
        {
            "package": found["package"],
            "name": found["name"],
            "rows": np.asarray(found["rows"], dtype=int),
            "columns": np.asarray(found["columns"], dtype=int),
            "title": found["title"],
        }
    )


@strict
def load_dataset(name: str) -> pd.DataFrame:
    """Load a data set of an installed R package as a pandas DataFrame.

    Parameters
    ----------
    name : str
        ``"sleepstudy"``, or with its package ``"nlme::bdf"``.

    Returns
    -------
    DataFrame
        Factors as category (ordered where R's are), with R's order of levels. ``attrs["name"]``
        holds the name, so that a model's print says ``Data: sleepstudy``, ``attrs["units"]`` the
        units where R has them (nlme's data), so that figures name them. A matrix in the data
        comes as one column for each of its own, named as R prints them (``yield.0``).

    Raises
    ------
    DataError
        When no installed package has it; near names are listed.

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.load_dataset("sleepstudy").shape
    (180, 3)
    """
    if not isinstance(name, str):
        raise DataError(f"a data set is named by a text such as 'nlme::bdf', not {name!r}")
    package, _, item = name.rpartition("::")
    if not package:
        package = _package_of(item)
    raw: dict[str, Any] = call("load_dataset", item, package)
    columns = {n: as_column(c) for n, c in raw["columns"].items() if c is not None}
    frame = pd.DataFrame(columns, index=raw["row_names"])
    frame.attrs["name"] = item
    if raw["units"]:
        frame.attrs["units"] = {name: str(unit[0]) for name, unit in raw["units"].items()}
    return frame


def _package_of(name: str) -> str:
    found = call("find_dataset", name, list(PACKAGES), into=tuple[str, ...])
    if found:
        return str(found[0])
    known = datasets()
    raise DataError(
        f"no data set {name!r} in the R packages {', '.join(PACKAGES)}."
        + near_names(name, known["name"])
        + " pymlm.datasets() lists them; name another package as 'package::name'"
    )
