"""pymlm: R's lme4, lmerTest, pbkrtest and emmeans from Python, exact and typed.

Importing it starts no R and imports no rpy2; the first call that needs R does both. The public
names stand in ``__init__.pyi`` and are imported when they are first used.
"""

import lazy_loader

from pymlm.interpreter import refuse_sub_interpreters as _refuse_sub_interpreters

_refuse_sub_interpreters()

_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    try:
        return _public(name)
    except AttributeError:
        if name.startswith("_") or name in __all__:
            raise
    from pymlm.errors import UnknownNameError
    from pymlm.hints import missing_in_module
    from pymlm.models.lm import LinearModel
    from pymlm.models.mixed import MixedModel

    words = missing_in_module(name, __all__, [*dir(MixedModel), *dir(LinearModel)])
    raise UnknownNameError(words, name)
