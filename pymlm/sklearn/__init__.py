"""Mixed models as scikit-learn estimators (``pip install 'pymlm[sklearn]'``)."""

from typing import TYPE_CHECKING, Any

from pymlm.errors import MissingPackageError

if TYPE_CHECKING:
    from pymlm.sklearn.regressor import MixedRegressor

__all__ = ["MixedRegressor"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    try:
        import pymlm.sklearn.regressor as regressor
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sklearn":
            raise
        raise MissingPackageError(
            "mlm.sklearn needs scikit-learn: pip install 'pymlm[sklearn]'"
        ) from None
    return getattr(regressor, name)


def __dir__() -> list[str]:
    return list(__all__)
