"""What every case is given."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Row
from benchmarks.native import NativeR


@dataclass
class Context:
    """`quick` leaves slow sizes and references out."""

    quick: bool = False

    @functools.cached_property
    def r(self) -> NativeR:
        return NativeR()

    def repeats(self, usual: int) -> int:
        return max(3, usual // 3) if self.quick else usual


Case = Callable[[Context], Iterator[Row]]


def twin(model: Any) -> Any:
    """The same fitted model with nothing asked of it yet."""
    from pymlm.engine.r_thread import R
    from pymlm.engine.startup import dispatch_function

    def work() -> Any:
        import rpy2.rinterface as ri

        home = ri.baseenv["environment"](dispatch_function())
        wrap = ri.baseenv["eval"](ri.parse("function(fit) as_fit(fit$model)"), home)
        return R.keep(wrap(model._handle.value))

    return type(model)(R.run(work), model._source)
