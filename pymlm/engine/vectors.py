"""R vectors, made so that memory which R cannot have is an error.

R's C function for it leaves by a jump to R's top level, which does not exist in an embedded R: the
process would end. Evaluated as a call, ``vector("double", n)`` fails like any other.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pymlm.engine.rpy2_private import c_interface, c_object
from pymlm.errors import DataError, RError

#: R says on the console what a bare call cannot have; it is caught where that is likely at all
#: (catching costs 8 µs, the call 1 µs, a small fit makes a hundred of them).
_LONG = 4096
#: More texts, or longer ones, are split by R itself.
_FEW = 64
_NULL = 0


def vector(kind: str, size: int) -> Any:
    """Make an R vector of mode `kind` ("double", "integer", "list" ...), filled with zeros.

    Raises
    ------
    RError
        When R has no memory for it.
    """
    api = c_interface()
    call, length = _call(kind, size > _LONG)
    api.double(length)[0] = size
    failed = api.ffi.new("int *", 0)
    made = api.lib.R_tryEval(c_object(call), api.lib.R_BaseEnv, failed)
    if failed[0] or api.type_of(made) == _NULL:
        raise _no_memory(f"a vector of type {kind} and length {size:,}")
    return api.wrap(made)


@functools.cache
def _call(kind: str, long: bool) -> tuple[Any, Any]:
    """The call that makes a vector, and the number in it that says how long."""
    import rpy2.rinterface as ri

    text = f'vector("{kind}", 0)'
    call = ri.parse(f"tryCatch({text}, error = function(e) NULL)" if long else text)[0]
    lib = c_interface().lib
    inner = c_object(call)
    if long:
        inner = lib.CAR(lib.CDR(inner))
    return call, lib.CAR(lib.CDR(lib.CDR(inner)))


def _no_memory(what: str) -> RError:
    said = f"cannot allocate {what}"
    return RError(
        f"R: {said}: the process has no memory for it. What was there before can be used on; "
        "free memory, or use fewer rows or columns.",
        said,
    )


def numbers(kind: str, values: np.ndarray[Any, Any]) -> Any:
    """Copy numbers into an R vector: "double" (float64), "integer", "logical" (int32), "raw"."""
    values = np.ascontiguousarray(values, dtype=_DTYPES[kind])
    made = vector(kind, values.size)
    if values.size:  # an empty buffer has no address
        api = c_interface()
        source = api.ffi.from_buffer(values)
        api.ffi.memmove(getattr(api, kind)(c_object(made)), source, values.nbytes)
    return made


_DTYPES = {"double": np.float64, "integer": np.int32, "logical": np.int32, "raw": np.uint8}


def texts(values: Sequence[str]) -> Any:
    """Make an R character vector; what R would cut short, or cannot hold, is refused.

    Raises
    ------
    DataError
        For a NUL character, or half of a surrogate pair.
    RError
        When R has no memory for them.
    """
    import rpy2.rinterface as ri

    for value in values:
        if "\0" in value:
            raise DataError(f"{value!r} holds a NUL character, at which R's text would end")
    try:
        if len(values) <= _FEW and sum(map(len, values)) <= _LONG:
            return ri.StrSexpVector.from_iterable(values)
        whole = ("\0".join(values) + "\0").encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{error.object!r} is not valid Unicode text") from None
    made = _splitter()(
        numbers("raw", np.frombuffer(whole, np.uint8)), numbers("double", np.array([len(values)]))
    )
    if isinstance(made, ri.NULLType):
        raise _no_memory(f"{len(values):,} texts of {len(whole):,} bytes")
    return made


@functools.cache
def _splitter() -> Any:
    import rpy2.rinterface as ri

    return ri.baseenv["eval"](
        ri.parse(
            "function(bytes, n) tryCatch("
            '{x <- readBin(bytes, "character", n); Encoding(x) <- "UTF-8"; x}, '
            "error = function(e) NULL)"
        ),
        ri.baseenv,
    )


def items(values: Sequence[Any]) -> Any:
    """Make an R list of R objects."""
    made = vector("list", len(values))
    lib = c_interface().lib
    for i, value in enumerate(values):
        lib.SET_VECTOR_ELT(c_object(made), i, c_object(value))
    return made
