"""Models from files: what R or pymlm saved."""

from __future__ import annotations

import os
from typing import Any, TypeVar, overload

from pymlm.arguments import file_path, strict
from pymlm.engine import RObject, call
from pymlm.errors import ArgumentError, DataError
from pymlm.models.base import Fitted
from pymlm.models.identity import identified
from pymlm.models.lm_list import LmList
from pymlm.models.model import Model

M = TypeVar("M", bound=Fitted)


@overload
def load_model(path: str | os.PathLike[str]) -> Model | LmList: ...


@overload
def load_model(path: str | os.PathLike[str], kind: type[M]) -> M: ...


@strict
def load_model(path: str | os.PathLike[str], kind: type[Any] = Fitted) -> Any:
    """Open a model from an .rds file that R's ``saveRDS`` or pymlm's ``save`` wrote.

    Like a pickle, an .rds file can carry code: open only files whose origin you trust.

    Parameters
    ----------
    path : path
    kind : class, optional
        What the model must be, e.g. ``pymlm.LinearMixedModel``; a type checker then knows it.

    Returns
    -------
    LinearMixedModel, GeneralizedLinearMixedModel ...
        By the class of the R object. Results by row are indexed by R's row names.

    Raises
    ------
    DataError
        When there is no such file, it is damaged, or it holds no model that pymlm knows, or one
        of another class than `kind`.

    Notes
    -----
    Mirrors ``readRDS(path)``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> import pathlib, tempfile
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> file = m.save(pathlib.Path(tempfile.mkdtemp()) / "m.rds")
    >>> mlm.load_model(file).formula
    'Yield ~ 1 + (1 | Batch)'
    """
    file = file_path(path)
    if not file.is_file():
        raise DataError(f"no such file: {str(file)!r}")
    handle: RObject = call("load_model", str(file.resolve()))
    model = wrap(handle)
    if not isinstance(kind, type) or not issubclass(kind, Fitted):
        raise ArgumentError(f"kind is a class of models, e.g. LinearMixedModel, not {kind!r}")
    if not isinstance(model, kind):
        raise DataError(f"{str(file)!r} holds a {type(model).__name__}, not a {kind.__name__}")
    return model


def wrap(handle: RObject) -> Any:
    """Return the pymlm model around an R model that pymlm did not fit itself."""
    kind, source = identified(handle)
    return _model_class(kind)(handle, source)


def _model_class(kind: str) -> Any:
    # Imported when needed: each class's module imports much that others do not need.
    if kind == "membership":
        from pymlm.models.membership import MultipleMembershipModel

        return MultipleMembershipModel
    if kind in ("lme", "gls"):
        from pymlm.models.nlme import NlmeModel

        return NlmeModel
    from pymlm.models.lmer import LinearMixedModel

    if kind == "lmer":
        return LinearMixedModel
    if kind in ("glmer", "nlmer"):
        from pymlm.models import glmer, nlmer

        return glmer.GeneralizedLinearMixedModel if kind == "glmer" else nlmer.NonlinearMixedModel
    if kind == "lmList4":
        from pymlm.models.lm_list import LmList

        return LmList
    from pymlm.models import glm, lm

    return glm.GeneralizedLinearModel if kind == "glm" else lm.LinearModel
