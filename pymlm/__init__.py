"""pymlm: R's lme4, lmerTest, pbkrtest and emmeans from Python, exact and typed.

Importing it starts no R and imports no rpy2; the first call that needs R does both. The public
names stand in ``__init__.pyi`` and are imported when they are first used.
"""

import lazy_loader

from pymlm.interpreter import refuse_sub_interpreters as _refuse_sub_interpreters

_refuse_sub_interpreters()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
