"""What needs rule out, against the guarantees, written out by hand."""

import pytest

import safemap
from safemap.bench.recommend import NEEDS, NeedError, parse_needs
from safemap.bench.recommend.needs import VARIANTS, admitted, contradictions, known, rulings, without_least

MUTEX, RWLOCK, SHARDED, COPYING, DIRTY = "MutexMap", "RWLockMap", "ShardedMap", "CopyOnWriteMap", "ReadDirtyMap"
pytestmark = pytest.mark.usefixtures("five_variants")
MEETS = {
    "snapshot": {COPYING},
    "order": {MUTEX, RWLOCK},
    "one-moment": {MUTEX, RWLOCK, COPYING},
    "batch": {MUTEX, RWLOCK, COPYING},
    "exact-len": {MUTEX, RWLOCK, COPYING},
    "free-readers": {SHARDED, COPYING},
    "key-functions": {SHARDED, DIRTY},
    "map-functions": {MUTEX, RWLOCK, COPYING},
}


def test_the_table_has_all_needs():
    assert MEETS.keys() == NEEDS.keys()


@pytest.mark.parametrize("need", MEETS)
def test_each_need_admits_whom_it_should_and_says_what_the_others_have(need):
    (ruling,) = rulings([need])
    assert set(admitted([ruling])) == MEETS[need]
    for name, promised in VARIANTS.items():
        if name in ruling.out:
            assert ruling.out[name] == getattr(promised, ruling.field)
            assert ruling.out[name] not in NEEDS[need].fit


@pytest.mark.parametrize("need", NEEDS.values(), ids=lambda need: need.name)
def test_values_that_fit_are_values_that_a_variant_has(need):
    """A slip in such a value would rule out everything."""
    assert set(need.fit) <= {getattr(cls.guarantees, need.field) for cls in safemap.KINDS.values()}


def test_no_needs_rule_out_nothing():
    assert admitted(rulings([])) == [MUTEX, RWLOCK, SHARDED, COPYING, DIRTY]
    assert contradictions(rulings(["order", "batch"])) == ()
    assert without_least(rulings(["order", "batch"])) == ()


def test_contradictions_are_the_smallest_ones():
    assert contradictions(rulings(["snapshot", "order"])) == (("snapshot", "order"),)
    assert contradictions(rulings(["batch", "order", "key-functions"])) == (
        ("batch", "key-functions"),
        ("order", "key-functions"),
    )


def test_what_to_give_up_is_as_little_as_possible():
    assert without_least(rulings(["snapshot", "order"])) == (("snapshot",), ("order",))
    assert without_least(rulings(["batch", "order", "key-functions"])) == (("key-functions",),)


def test_needs_from_words():
    assert parse_needs("order, batch,order,") == ("order", "batch")
    assert parse_needs("") == ()


@pytest.mark.parametrize("wrong", ["speed", "Order", "order;batch"])
def test_an_unknown_need_is_refused_with_those_that_there_are(wrong):
    with pytest.raises(NeedError) as caught:
        known([wrong])
    assert repr(wrong) in str(caught.value)
    assert "\n" not in str(caught.value)
    for need in NEEDS:
        assert need in str(caught.value)
