"""`snapshot()` and `to_dict()`, in one thread."""

from __future__ import annotations

import gc
import pickle
import weakref
from collections.abc import Mapping

import pytest

from safemap import Snapshot
from safemap.testing.conformance.suite import Suite


class Snapshots(Suite, needs={"snapshot"}):
    def test_a_snapshot_does_not_change(self) -> None:
        m = self.filled({i: i for i in range(1000)})
        snapshot = m.snapshot()
        m[1] = "new"
        del m[2]
        m["new"] = 1
        if self.has("update"):
            m.update({3: "new", 4: "new"})
        assert snapshot == {i: i for i in range(1000)}
        if self.has("clear"):
            m.clear()
        assert len(snapshot) == 1000
        assert snapshot[2] == 2
        assert dict(snapshot.items()) == {i: i for i in range(1000)}

    def test_a_snapshot_is_a_mapping(self) -> None:
        s = self.filled(a=1, b=2).snapshot()
        assert isinstance(s, Snapshot)
        assert isinstance(s, Mapping)
        assert set(s) == set(s.keys()) == {"a", "b"}
        assert sorted(s.values()) == [1, 2]
        assert sorted(s.items()) == [("a", 1), ("b", 2)]
        assert sorted(reversed(s)) == ["a", "b"]
        assert s["a"] == 1
        assert "a" in s
        assert "x" not in s
        assert s.get("x") is None
        with pytest.raises(KeyError) as raised:
            s["x"]
        assert raised.value.args == ("x",)
        with pytest.raises(TypeError):
            s["a"] = 2  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
        assert s.to_dict() == {"a": 1, "b": 2}
        assert s.copy() is s
        assert s.keys() & {"a"} == {"a"}
        assert ("a", 1) in s.items()

    def test_snapshots_compare_merge_hash_and_pickle(self) -> None:
        s = self.filled(a=1).snapshot()
        assert s == self.filled(a=1).snapshot()
        assert s == {"a": 1}
        assert {"a": 1} == s
        assert s == self.filled(a=1)
        assert s != {"a": 2}
        assert hash(s) == hash(self.filled(a=1).snapshot())
        assert s | {"b": 2} == {"a": 1, "b": 2}
        assert {"a": 0, "b": 2} | s == {"a": 1, "b": 2}
        assert isinstance(s | {}, Snapshot)
        assert pickle.loads(pickle.dumps(s)) == s
        assert repr(s) == "Snapshot({'a': 1})"
        with pytest.raises(TypeError):
            hash(self.filled(a=[]).snapshot())

    def test_a_snapshot_outlives_its_map(self) -> None:
        m = self.filled({i: i for i in range(300)})
        s = m.snapshot()
        del m
        gc.collect()
        assert s == {i: i for i in range(300)}

    def test_a_snapshot_is_let_go(self) -> None:
        m = self.filled(a=1)
        s = m.snapshot()
        reference = weakref.ref(s)
        del s
        m["a"] = 2
        gc.collect()
        assert reference() is None


class PlainDicts(Suite, needs={"to_dict"}):
    def test_to_dict_is_private_and_plain(self) -> None:
        m = self.filled(a=1)
        contents = m.to_dict()
        assert type(contents) is dict
        contents["a"] = 2
        self.check(m, {"a": 1})
