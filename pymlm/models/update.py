"""update(): the same model with something changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Self

from pymlm.arguments import refuse_unknown, seconds
from pymlm.engine import call
from pymlm.errors import ArgumentError
from pymlm.formula import vet
from pymlm.models.advice import about_update, advise
from pymlm.models.common_attributes import CommonAttributes
from pymlm.models.newdata import check_file_has


class UpdateMethods(CommonAttributes):
    """A model that can be fitted again with changed arguments."""

    #: Arguments that `update` may change.
    _updatable: ClassVar[tuple[str, ...]] = ()
    #: Those that R's call can take without new data: pymlm's name -> R's name.
    _in_place: ClassVar[dict[str, str]] = {}

    #: Whether R's call takes another formula; else the model is fitted from its data frame.
    _takes_formula: ClassVar[bool] = True

    def _fit_again(self, formula: str, data: Any, arguments: dict[str, Any]) -> Self:
        """Fit from the data frame, with the arguments of the first fit and the changes."""
        fit: Any = self._source.fit
        model: Self = fit(formula, data, **arguments)
        return model

    def update(self, formula: str | None = None, **changes: Any) -> Self:
        """Fit a changed model; the data are sent again only where the change needs new columns.

        Parameters
        ----------
        formula : str, optional
            The new formula; dots stand for the parts of the old one: ``". ~ . - Days"``.
        **changes
            Any other argument of the function that made the model, e.g. ``reml=False``.

        Raises
        ------
        ArgumentError
            For an argument that the function does not know.
        FormulaError
            For a column that the data have not.

        Warns
        -----
        AdviceWarning
            When nothing changes.

        Notes
        -----
        Mirrors ``update(model, formula., ...)``.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.update(". ~ . - Days", reml=False).fixef().round(1).to_dict()
        {'(Intercept)': 257.8}
        """
        refuse_unknown("update", changes, self._updatable)
        text, new = self.formula, None
        if formula is not None:
            new = vet(formula, trusted=bool(changes.get("trusted", False)))
            text = call("updated_formula", self._handle, new.text, into=str)
        advise(*about_update(self, new, text, changes))
        loaded = self._source.data is None
        if loaded and formula is not None:
            old = self._columns_of(self.formula)
            check_file_has(self._columns_of(text), old, self._source.sent)
        # Weights and offset that were arrays crossed under names that are no columns.
        sent = set(self._source.sent) & set(self._source.columns)
        enough = loaded or self._columns_of(text) <= sent
        if not loaded and enough:  # what crossed as names may have become numbers, or the reverse
            before, after = (vet(t, trusted=True, columns=sent) for t in (self.formula, text))
            enough = not (set(before.keys) & set(after.names)) - set(after.keys) and not (
                set(after.keys) & set(before.names)
            ) - set(before.keys)
        if enough and self._takes_formula and set(changes) <= {*self._in_place, "timeout"}:
            return self._update_in_place(text if formula is not None else None, changes)
        if loaded:
            formulas = ["formula (with columns that the model has)"] if self._takes_formula else []
            can = ", ".join([*formulas, *self._in_place]) or "nothing"
            raise ArgumentError(
                f"this model came from a file without its data frame: update() can change only "
                f"{can}. Fit it anew"
            )
        arguments = dict(self._source.arguments) | changes
        return self._fit_again(text, arguments.pop("data", self._source.data), arguments)

    def _columns_of(self, formula: str) -> set[str]:
        return set(vet(formula, trusted=True, columns=self._source.columns).names)

    def _update_in_place(self, formula: str | None, changes: dict[str, Any]) -> Self:
        r_changes = {
            self._in_place[name]: self._r_value(name, value)
            for name, value in changes.items()
            if name != "timeout"
        }
        handle = call(
            "update_in_place",
            self._handle,
            formula,
            r_changes,
            fitting=True,
            timeout=seconds(changes.get("timeout")),
        )
        kept = {name: value for name, value in changes.items() if name != "timeout"}
        source = replace(self._source, arguments=dict(self._source.arguments) | kept)
        model = type(self)(handle, source)
        model._check_as(self)
        model._say_convergence()
        return model

    def _r_value(self, name: str, value: Any) -> Any:
        """Check one changed argument; return what stands in R's call, None to leave it out."""
        raise NotImplementedError
