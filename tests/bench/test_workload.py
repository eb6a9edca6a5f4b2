"""Workloads as data, the catalogue, and what is written down for each thread."""

from __future__ import annotations

import json
import sys
from collections import Counter

import pytest

from safemap.bench.catalogue import WORKLOADS, named
from safemap.bench.operations import OPERATIONS, parse
from safemap.bench.script import CHUNK, MADE, OPERATIONS_WRITTEN, Script
from safemap.bench.workload import CHOICES, Workload, WorkloadError

ALL = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)


def lane_of(script, thread=0):
    return [
        (script.operations[place].name, key, value) for chunk in script.lane(thread) for place, key, value in chunk
    ]


@ALL
def test_a_workload_goes_to_json_and_back(workload):
    assert Workload.from_json(json.loads(json.dumps(workload.to_json()))) == workload
    assert workload.about
    assert f"{workload.size:,}" in str(workload)


@ALL
def test_a_script_has_the_mix(workload):
    script = Script.of(workload, 3, seed=5)
    for thread in range(3):
        mix = workload.background if script.in_background(thread) else workload.mix
        done = Counter(name for name, _, _ in lane_of(script, thread))
        wanted = Counter()
        for share, part in mix.items():
            wanted[parse(share)[0].name] += part
        written = sum(len(chunk) for chunk in script.lane(thread))
        if not any(parse(share)[1] == "new" for share in mix):  # then deletes follow
            assert written in {OPERATIONS_WRITTEN, 512}
            for name, part in wanted.items():
                assert done[name] == pytest.approx(part * written, abs=1.5)
        assert done.keys() <= {*wanted, "clear", "delete"}


@ALL
def test_the_same_arguments_give_the_same_script(workload):
    def everything(seed):
        script = Script.of(workload, 2, seed)
        keys = [repr(getattr(key, "number", key)) for _, key, _ in lane_of(script)]
        return len(script.initial), script.operations, keys

    assert everything(3) == everything(3)
    single = workload.access == "hot" or all(parse(share)[0].whole for share in workload.mix)
    always_new = {"go-load-or-store-unique"}
    if not single and workload.name not in always_new:
        assert everything(3) != everything(4)
        assert [key for _, key, _ in lane_of(Script.of(workload, 2, 3), 0)] != [
            key for _, key, _ in lane_of(Script.of(workload, 2, 3), 1)
        ]


@ALL
def test_a_map_that_does_as_it_is_told_is_right(workload):
    """One thread after the other, on a dict: twice round and a bit, so that lanes begin again."""
    script = Script.of(workload, 2, seed=1)
    lanes = [script.lane(thread) for thread in range(2)]
    contents, executed = dict(script.initial), [0, 0]
    for thread, lane in enumerate(lanes):
        for chunk in (*lane, *lane, *lane[: len(lane) // 3]):
            for place, key, value in chunk:
                do(contents, script.operations[place], key, value)
            executed[thread] += 1
    assert script.fault(contents, lanes, executed) is None
    assert script.lost(contents, lanes, executed) in {None, 0}


def do(contents, operation, key, value):
    """Do an operation as `operations` describes it. A key that must be there is asked for with []."""
    if operation.name == "get":
        contents[key]
    elif operation.name == "update":
        contents.update(value)
    elif operation.effect == "sets" or operation.name == "compare_and_set":
        if operation.name == "compare_and_set":
            contents[key]
        contents[key] = value
    elif operation.effect == "may set":
        contents.setdefault(key, MADE if operation.name == "compute_if_absent" else value)
    elif operation.effect in {"removes", "may remove"}:
        contents.pop(key, None)
    elif operation.effect == "counts":
        contents[key] = contents.get(key, 0) + 1
    elif operation.effect == "empties":
        contents.clear()


def test_wrong_maps_are_found():
    script = Script.of(named("reads-50").varied(size=20), 2, seed=1)
    lanes = [script.lane(thread) for thread in range(2)]
    executed = [1, 0]
    right = dict(script.initial)
    for place, key, value in lanes[0][0]:
        if script.operations[place].name == "set":
            right[key] = value
    assert script.fault(right, lanes, executed) is None
    written = next(key for key, value in right.items() if value != script.initial[key])
    untouched = next(key for key, value in right.items() if value == script.initial[key])
    assert script.fault({**right, written: script.initial[written]}, lanes, executed) == (
        "1 of 20 values are not the last written"
    )
    assert (
        script.fault({**right, untouched: "other"}, lanes, executed) == "1 of 20 values are not the last written"
    )
    less = {key: value for key, value in right.items() if key != untouched}
    assert script.fault(less, lanes, executed) == "1 keys lost, 0 keys that should not be there"
    assert script.fault({**right, "x": 1}, lanes, executed) == "0 keys lost, 1 keys that should not be there"


def test_a_delete_that_did_nothing_is_found():
    script = Script.of(Workload("w", {"delete:pool": 1.0}, size=4), 1, seed=1)
    lane = script.lane(0)
    gone = {key for chunk in lane[:1] for _, key, _ in chunk}
    right = {key: value for key, value in script.initial.items() if key not in gone}
    assert script.fault(right, [lane], [1]) is None
    assert "should not be there" in script.fault(dict(script.initial), [lane], [1])


def test_lost_counts_are_counted():
    script = Script.of(named("read-modify-write").varied(size=5), 2, seed=1)
    lanes = [script.lane(thread) for thread in range(2)]
    rounds = len(lanes[0])
    contents = dict(script.initial)
    first = next(iter(contents))
    contents[first] += 2 * rounds * CHUNK + CHUNK
    assert script.lost(contents, lanes, [2 * rounds, 1]) == 0
    assert script.lost({**contents, first: contents[first] - 7}, lanes, [2 * rounds, 1]) == 7


def test_keys_and_values_are_objects_that_threads_own():
    for keys in CHOICES["keys"]:
        script = Script.of(named("reads-50").varied(keys=keys, size=50), 1, seed=1)
        own = {id(key) for key in script.initial}
        for _, key, _ in lane_of(script)[:200]:
            assert key in script.initial
            assert id(key) not in own
    private = Script.of(named("reads-50"), 1, seed=1)
    values = [value for name, _, value in lane_of(private) if name == "set"]
    assert len(set(map(id, values))) == len(values)
    assert (
        sys.intern(values[0][:-1] + values[0][-1]) is not values[0]
    )  # interned strings are immortal without the GIL
    shared = Script.of(named("reads-50").varied(values="shared"), 1, seed=1)
    assert (
        len({id(value) for _, _, value in lane_of(shared)} | {id(value) for value in shared.initial.values()}) == 2
    )
    assert set(Script.of(named("reads-50").varied(values="immortal"), 1, seed=1).initial.values()) == {None}


def test_access():
    def counts(access, thread=0, **axes):
        workload = named("reads-100").varied(access=access, size=100, **axes)
        script = Script.of(workload, 2, seed=1)
        return Counter(key for _, key, _ in lane_of(script, thread))

    uniform, zipf, steep = counts("uniform"), counts("zipf"), counts("zipf", skew=2.0)
    assert max(uniform.values()) < 3 * min(uniform.values())
    share = max(zipf.values()) / zipf.total()
    assert share == pytest.approx(1 / sum(1 / n**0.99 for n in range(1, 101)), rel=0.1)
    assert max(steep.values()) / steep.total() > 0.5
    assert zipf.most_common(1)[0][0] == counts("zipf", thread=1).most_common(1)[0][0]
    assert len(counts("hot")) == 1
    assert counts("hot").keys() == counts("hot", thread=1).keys()
    assert not counts("disjoint").keys() & counts("disjoint", thread=1).keys()


def test_latest_reads_what_was_inserted_last():
    script = Script.of(named("ycsb-d"), 1, seed=1)
    inserted, recent = [], 0
    reads = 0
    for name, key, _ in lane_of(script):
        if name == "set":
            inserted.append(key)
        elif name == "find" and len(inserted) > 100:
            reads += 1
            recent += key in inserted[-100:]
    assert recent / reads > 0.5


def test_writes_get_rarer():
    script = Script.of(named("go-adversarial-alloc"), 1, seed=1)
    gaps, gap = [], 0
    for name, _, _ in lane_of(script):
        if name == "setdefault":
            gaps.append(gap)
            gap = 0
        else:
            gap += 1
    assert gaps[1:] == list(range(len(gaps) - 1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "a workload must be an object with a name and a mix, not 3"),
        ({"mix": {"get": 1}}, "a workload must have a name"),
        ({"name": "w"}, "a workload must have a mix"),
        ({"name": 3, "mix": {"get": 1}}, "the name of a workload must be a printable word, not 3"),
        ({"name": "w\n", "mix": {"get": 1}}, "the name of a workload must be a printable word, not 'w\\n'"),
        ({"name": "w", "mix": {"get": 1}, "x": 1}, "a workload has no 'x'; it has: "),
        ({"name": "w", "mix": {}}, "workload w: mix must be an object of operations and their shares, not {}"),
        ({"name": "w", "mix": [1]}, "workload w: mix must be an object of operations and their shares, not [1]"),
        ({"name": "w", "mix": {"fetch": 1}}, "workload w: unknown operation 'fetch'; known are: get, "),
        ({"name": "w", "mix": {"get:far": 1}}, "workload w: unknown source of keys 'far'; known are: there, "),
        ({"name": "w", "mix": {"get": 0.5}}, "workload w: the shares of its mix must come to 1, not 0.5"),
        (
            {"name": "w", "mix": {"get": "all"}},
            "workload w: the share of get must be above 0 and at most 1, not 'all'",
        ),
        ({"name": "w", "mix": {"get": 1}, "size": 1.5}, "workload w: size must be a whole number from 0 to "),
        ({"name": "w", "mix": {"get": 1}, "size": True}, "workload w: size must be a whole number from 0 to "),
        (
            {"name": "w", "mix": {"get": 1}, "size": 0},
            "workload w: size must be above 0 where operations use keys",
        ),
        (
            {"name": "w", "mix": {"get": 1}, "keys": "bytes"},
            "workload w: keys must be one of str, int, tuple, object",
        ),
        ({"name": "w", "mix": {"get": 1}, "skew": -1}, "workload w: skew must be a number above 0 and at most 10"),
    ],
)
def test_nonsense_gets_one_line(given, message):
    with pytest.raises(WorkloadError) as error:
        Workload.from_json(given)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_variations_have_names_of_their_own():
    assert named("reads-90").varied(size=None, keys="str") == named("reads-90")
    varied = named("reads-90").varied(size=100, keys="int")
    assert (varied.name, varied.size, varied.keys) == ("reads-90@size=100,keys=int", 100, "int")


def test_reads():
    assert named("reads-95").reads == 0.95
    assert named("ycsb-f").reads == 0.5
    assert set(OPERATIONS) == {name for name in OPERATIONS if OPERATIONS[name].about}
