"""Settings: the process's, a block's, a thread's."""

from __future__ import annotations

import threading

import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from pymlm.models.exact import CHEAP_ROWS, CHEAP_SECONDS, Facts, made_by, preferred


@pytest.fixture(autouse=True)
def restored():
    yield
    mlm.options.engine = "auto"


def test_the_default_is_auto():
    assert mlm.options.engine == "auto"


def test_a_block_changes_it_and_gives_it_back_even_after_an_error():
    with mlm.options(engine="exact"):
        assert mlm.options.engine == "exact"
        with mlm.options(engine="LMERTEST"):
            assert mlm.options.engine == "lmerTest"
        assert mlm.options.engine == "exact"
    assert mlm.options.engine == "auto"
    with pytest.raises(ZeroDivisionError), mlm.options(engine="exact"):
        raise ZeroDivisionError
    assert mlm.options.engine == "auto"


def test_an_assignment_holds_for_every_thread_and_a_block_for_its_own():
    seen = {}

    def look(name):
        seen[name] = mlm.options.engine

    with mlm.options(engine="exact"):
        thread = threading.Thread(target=look, args=("inside a block",))
        thread.start()
        thread.join()
    mlm.options.engine = "lmerTest"
    thread = threading.Thread(target=look, args=("assigned",))
    thread.start()
    thread.join()
    assert seen == {"inside a block": "auto", "assigned": "lmerTest"}


@pytest.mark.parametrize("value", ["fast", "", 1, None])
def test_an_unknown_engine_is_refused(value):
    with pytest.raises(ArgumentError, match="engine"):
        mlm.options.engine = value
    if value is not None:
        with pytest.raises(ArgumentError, match="engine"):
            mlm.options(engine=value)
    assert mlm.options.engine == "auto"


def test_an_unknown_setting_is_refused_with_near_names():
    with pytest.raises(ArgumentError, match="engine"):
        mlm.options(engin="exact")
    with pytest.raises(AttributeError, match="Did you mean 'engine'"):
        mlm.options.engin = "exact"


def test_none_in_a_block_changes_nothing():
    mlm.options.engine = "exact"
    with mlm.options():
        assert mlm.options.engine == "exact"


def test_it_shows_itself():
    assert (
        repr(mlm.options)
        == "<pymlm.options engine='auto' advice=False digits=None frames='pandas' "
        "progress='auto' tracebacks='full'>"
    )


# --- the rule of "auto" -------------------------------------------------------------------------

SMALL = Facts(linear=True, reml=True, nobs=180, p=2, n_theta=3, z_entries=342, factor_work=90.0)
LONG = Facts(
    linear=True, reml=True, nobs=100_000, p=3, n_theta=3, z_entries=200_000, factor_work=1e4
)
CROSSED = Facts(
    linear=True, reml=True, nobs=73_421, p=2, n_theta=2, z_entries=146_842, factor_work=4e8
)


def test_the_reference_where_it_is_cheap():
    assert SMALL.satterthwaite_seconds < CHEAP_SECONDS
    assert preferred("Satterthwaite", SMALL) == "lmerTest"
    assert preferred("Kenward-Roger", SMALL) == "lmerTest"


@pytest.mark.parametrize("facts", [LONG, CROSSED])
def test_the_closed_forms_where_it_is_slow(facts):
    assert preferred("Satterthwaite", facts) == "exact"
    assert preferred("Kenward-Roger", facts) == "exact"


def test_lmertest_has_done_the_work_already_for_a_model_that_it_fitted():
    ready = Facts(
        linear=True, reml=True, ready=True, nobs=100_000, p=3, n_theta=3, z_entries=200_000
    )
    assert preferred("Satterthwaite", ready) == "lmerTest"
    assert preferred("Kenward-Roger", ready) == "exact"


def test_kenward_roger_goes_by_rows():
    at = [
        preferred("Kenward-Roger", Facts(linear=True, nobs=n)) for n in (CHEAP_ROWS, CHEAP_ROWS + 1)
    ]
    assert at == ["lmerTest", "exact"]


@pytest.mark.parametrize(
    ("ddf", "used", "name"),
    [
        (None, None, None),
        ("between-within", None, "rule"),
        ("asymptotic", None, "rule"),
        ("Satterthwaite", "lmerTest", "lmerTest"),
        ("Kenward-Roger", "lmerTest", "pbkrtest"),
        ("Satterthwaite", "exact", "exact"),
        ("Kenward-Roger", "exact", "exact"),
    ],
)
def test_the_maker_is_named(ddf, used, name):
    assert made_by(ddf, used) == name
