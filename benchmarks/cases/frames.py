"""A data frame of a million rows to R."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.context import Context
from benchmarks.data import wide
from benchmarks.measure import Row, in_turns, peak_memory, seconds


def run(context: Context) -> Iterator[Row]:
    import rpy2.robjects as ro
    from rpy2.robjects import pandas2ri

    import pymlm as mlm
    from pymlm.engine.r_thread import R
    from pymlm.engine.to_r import to_r
    from pymlm.frames import check_some_complete, prepare, used_columns

    data = wide(100_000 if context.quick else 1_000_000).assign(unused=1.0)
    names = [c for c in data.columns if c != "unused"]
    mlm.load_dataset("sleepstudy")  # R is up

    def send() -> object:
        used = used_columns(data, names)
        check_some_complete(used)
        frame = prepare(used, row_names=True)
        return R.run(lambda: R.keep(to_r(frame)))

    def plain() -> object:
        with (ro.default_converter + pandas2ri.converter).context():
            return ro.conversion.get_conversion().py2rpy(data[names])

    sent = sum(c.values.nbytes for c in prepare(data[names]).columns) / 2**20
    with peak_memory() as memory:
        first = seconds(send)
    ours, theirs = in_turns(
        lambda: seconds(send),
        lambda: seconds(lambda: R.run(plain)),
        repeats=context.repeats(3),
        warm_up=0,
    )
    size = f"{len(data):,} rows x {len(names)} columns to R"
    yield Row(
        case="frames", what=size, ours=ours, theirs=theirs, against="rpy2's pandas2ri",
        sense=">=", target=25, memory=memory.extra,
    )  # fmt: skip
    yield Row(
        case="frames", what="the same, the first time, in seconds", ours=first, value=first,
        sense="<=", target=0.4, note="seconds; memory is fresh then",
    )  # fmt: skip
    yield Row(
        case="frames", what="the same: peak memory by size of the columns", unit="MB",
        ours=memory.extra, theirs=sent, sense="<=", target=2.0, against="columns sent",
    )  # fmt: skip
