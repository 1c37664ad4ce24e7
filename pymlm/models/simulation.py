"""Responses drawn from a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from pymlm.argument_types import Count, RSeed
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, near_names
from pymlm.formula import Formula, vet
from pymlm.models.common_attributes import CommonAttributes
from pymlm.results.base import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedColumn:
    """One column of simulated responses, as the bridge's `simulated` sends it."""

    simulation: str
    name: str
    values: Floats | None
    text: tuple[str, ...] | None


class SimulationMethods(CommonAttributes):
    """Draws from the distribution that a model has fitted."""

    @strict
    def simulate(
        self,
        nsim: Count = 1,
        seed: RSeed | None = None,
        re_form: str | None = None,
        use_u: bool = False,
    ) -> pd.DataFrame:
        """Simulate responses from the fitted model.

        Parameters
        ----------
        nsim : int
            Number of simulations.
        seed : int, optional
            For the same seed the numbers are R's. R's own stream of random numbers stays where it
            was. Without a seed the numbers come from that stream.
        re_form : None, "NA" or str
            None (as "NA") draws all random effects anew, which is R's default here. A formula such
            as ``"~ (1 | g)"`` keeps the conditional modes of these terms and draws the others.
        use_u : bool
            Keep the conditional modes of all random effects.

        Returns
        -------
        DataFrame
            Columns sim_1, sim_2 ... on the data's index, NaN where R dropped the row. For a
            response ``cbind(successes, failures)`` two columns each: "sim_1.successes" ... .

        Raises
        ------
        ArgumentError
            For an impossible number, seed or `re_form`.

        Notes
        -----
        Mirrors ``simulate(model, nsim, seed, re.form, use.u)`` of lme4, and R's own of an lm or glm
        (which has no random effects to keep), with R's default random number generators.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> draws = m.simulate(nsim=2, seed=1)
        >>> draws.shape, draws.equals(m.simulate(nsim=2, seed=1))
        ((180, 2), True)
        """
        form = self._vetted_re_form(re_form)
        if use_u and form is not None:
            raise ArgumentError("give re_form or use_u, not both")
        columns = self._call(
            "simulated",
            tuple[SimulatedColumn, ...],
            nsim=nsim,
            seed=seed,
            re_form=form,
            use_u=use_u,
        )
        out: dict[str, pd.Series] = {}
        for column in columns:
            name = f"{column.simulation}.{column.name}" if column.name else column.simulation
            if column.values is not None:
                out[name] = self._by_row(column.values, name)
            else:
                text = pd.Series(list(column.text or ()), index=self._used_positions())
                out[name] = text.reindex(range(len(self._source.index)))
                out[name].index = self._source.index
        return pd.DataFrame(out)

    @cached_property
    def _own_formula(self) -> Formula:
        return vet(self.formula, trusted=True, columns=self._source.sent)

    def _used_positions(self) -> Any:
        used = self._used_rows
        return range(len(self._source.index)) if used is None else used

    def _vetted_re_form(self, re_form: str | None) -> str | None:
        if re_form is None or (isinstance(re_form, str) and re_form.strip() in ("NA", "~0", "~ 0")):
            return None if re_form is None else "NA"
        if not isinstance(re_form, str):
            raise ArgumentError(
                f"re_form is None (all random effects), 'NA' (none) or a formula such as "
                f"'~ (1 | g)', not {re_form!r}"
            )
        formula = vet(re_form, columns=self._source.sent)
        if formula.two_sided or not formula.n_bars:
            raise ArgumentError(
                f"re_form is one-sided and names random effects, e.g. '~ (1 | g)', not {re_form!r}"
            )
        for group in formula.groups:
            own = self._own_formula.groups
            if group not in own:
                raise ArgumentError(
                    f"re_form={re_form!r}: the model has no grouping factor {group!r}."
                    + (near_names(group, own) or f" It has: {', '.join(own) or 'none'}")
                )
        return re_form
