"""Families, links and what their responses may be. The table of links is checked against R."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from pymlm.errors import ArgumentError, DataError, NotSupportedError
from pymlm.formula import vet
from pymlm.models.families import (
    LINKS,
    Family,
    as_family,
    check_family_response,
    glmer_family,
)
from tests.native import native

#: As R >= 4.6 has them; a probability on the identity link is refused by pymlm on every R.
SINCE_R_4_6 = {"binomial": {"identity"}, "quasibinomial": {"identity"}}


def test_links_are_those_of_r():
    """R's families refuse a link given as a name that is not among their own."""
    found = native(
        """
        families <- expression(binomial = binomial(), poisson = poisson(), Gamma = Gamma(),
                               inverse.gaussian = inverse.gaussian(), gaussian = gaussian(),
                               quasibinomial = quasibinomial(), quasipoisson = quasipoisson(),
                               negative.binomial = MASS::negative.binomial(theta = 2))
        links <- expression(logit, probit, cauchit, cloglog, log, identity, inverse, sqrt, 1/mu^2)
        fits <- function(f, l) {
          f$link <- l
          !inherits(try(eval(f), silent = TRUE), "try-error")
        }
        emit(lapply(as.list(families), function(f) list(
          default = eval(f)$link,
          links = vapply(Filter(function(l) fits(f, l), as.list(links)), deparse, ""))))
        """
    )
    assert set(found) == set(LINKS)
    for name, facts in found.items():
        assert LINKS[name][0] == facts["default"], name
        missing = set(facts["links"]) - set(LINKS[name])
        assert missing <= SINCE_R_4_6.get(name, set()), name
        assert set(LINKS[name]) <= set(facts["links"]), name


@pytest.mark.parametrize(
    ("given", "name", "link"),
    [
        ("binomial", "binomial", None),
        ("Binomial", "binomial", None),
        ("gamma", "Gamma", None),
        ("inverse_gaussian", "inverse.gaussian", None),
        ("binomial(link = 'cloglog')", "binomial", "cloglog"),
        ('Gamma(link="log")', "Gamma", "log"),
        ("Gamma('log')", "Gamma", "log"),
        ("poisson(sqrt)", "poisson", "sqrt"),
        ("poisson(link = log)", "poisson", None),  # the default is not written
        ("binomial()", "binomial", None),
        ("inverse.gaussian('1/mu^2')", "inverse.gaussian", None),
        ("Gamma(link = power(1/3))", "Gamma", "power(1/3)"),
    ],
)
def test_families_as_r_people_write_them(given, name, link):
    assert as_family(given) == Family(name=name, link=link)


def test_theta():
    assert as_family("negative.binomial(2.5)").theta == 2.5
    assert as_family("negative.binomial(theta = 2.5, link = 'sqrt')").link == "sqrt"
    with pytest.raises(ArgumentError, match="glmer_nb estimates it"):
        as_family("negative.binomial")
    with pytest.raises(ArgumentError, match="has no theta"):
        as_family("poisson(2)")


@pytest.mark.parametrize(
    ("family", "link", "says"),
    [
        ("binomal", None, "Did you mean 'binomial'"),
        ("bernoulli", None, "Did you mean 'binomial'"),
        ("normal", None, "Did you mean 'gaussian'"),
        ("zzz", None, "There are: binomial"),
        ("binomial", "logitt", "Did you mean 'logit'"),
        ("binomial", "sqrt", "has no link 'sqrt'"),
        ("poisson", "logit", "It takes: log, identity, sqrt"),
        ("binomial(link = 'log')", "probit", "two links"),
        ("binomial(system('true'))", None, "has no link"),
        ("binomial", 3, "link is a name"),
        (None, None, "family is a name"),
        (3, None, "family is a name"),
        ("Gamma(link = power(system('x')))", None, "no link"),
        ("poisson(,)", None, "cannot read"),
    ],
)
def test_bad_families(family, link, says):
    with pytest.raises(ArgumentError, match=re.escape(says)):
        as_family(family, link)


def test_what_glmer_does_not_fit():
    with pytest.raises(NotSupportedError, match="no likelihood"):
        glmer_family("quasipoisson")
    with pytest.raises(NotSupportedError, match=r"use pymlm\.lmer"):
        glmer_family("gaussian")
    assert glmer_family("gaussian", "log").link == "log"


def check(family, values, formula="y ~ x"):
    data = pd.DataFrame({"y": values, "x": np.arange(len(values), dtype=float)})
    check_family_response(as_family(family), vet(formula), data)


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("binomial", [0, 1, 2]),
        ("binomial", [0.5, -0.1, 1.0]),
        ("binomial", ["a", "b", "c"]),
        ("binomial", pd.Categorical(["a", "b", "c"])),
        ("poisson", [0, 3, -1]),
        ("poisson", ["1", "2", "3"]),
        ("negative.binomial(2)", [1, -2, 3]),
        ("Gamma", [1.0, 0.0, 2.0]),
        ("Gamma", [1.0, -1.0, 2.0]),
        ("inverse.gaussian", [1.0, 0.0, 2.0]),
        ("gaussian(log)", pd.date_range("2020-01-01", periods=3)),
    ],
)
def test_responses_out_of_range(family, values):
    with pytest.raises(DataError, match="response 'y'"):
        check(family, values)


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("binomial", [0, 1, 1]),
        ("binomial", [True, False, True]),
        ("binomial", ["no", "yes", "yes"]),
        ("binomial", [0.2, 0.5, 1.0]),
        ("binomial", pd.Categorical(["a", "b", "b"], categories=["a", "b", "unused"])),
        ("poisson", [0, 1, 7]),
        ("poisson", [True, False, True]),
        ("Gamma", [0.1, 2.0, 3.0]),
        ("gaussian(inverse)", [-1.0, 2.0, 3.0]),
    ],
)
def test_responses_in_range(family, values):
    check(family, values)


def test_the_message_names_the_row_and_ignores_rows_that_r_drops():
    data = pd.DataFrame({"y": [1.0, -2.0, -3.0], "x": [1.0, 2.0, np.nan]}, index=["a", "b", "c"])
    with pytest.raises(DataError, match=r"-2.0 in row 'b' \(1 such rows\): .* counts, 0 or more"):
        check_family_response(as_family("poisson"), vet("y ~ x"), data)
    check_family_response(as_family("poisson"), vet("y ~ x"), data.iloc[[0, 2]])


def test_expressions_are_left_to_r():
    check("poisson", [-1.0, -2.0, -3.0], "I(-y) ~ x")
