"""`entry` and `locked`, in one thread."""

from __future__ import annotations

import pytest

from safemap import MISSING
from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.hostile import Hostile


class Entries(Suite, needs={"entry"}):
    def test_an_entry_reads_and_assigns(self) -> None:
        m = self.filled(a=1)
        with m.entry("a") as entry:
            assert entry.key == "a"
            assert entry.value == 1
            entry.value = 2
            assert entry.value == 2
            if self.has("reentrant"):
                assert m["a"] == 1, "nothing happens before the block ends"
        self.check(m, {"a": 2})

    def test_an_entry_of_an_absent_key_and_delete(self) -> None:
        m = self.filled(a=1)
        with m.entry("b") as entry:
            assert entry.value is MISSING
        self.check(m, {"a": 1})
        with m.entry("b") as entry:
            entry.value = None
        assert m["b"] is None
        with m.entry("b") as entry:
            entry.delete()
            assert entry.value is MISSING
        with m.entry("a") as entry:
            entry.value = MISSING
        with m.entry("c") as entry:
            entry.delete()
        self.check(m, {})

    def test_an_entry_whose_block_raises_changes_nothing(self) -> None:
        m = self.filled(a=1)
        with pytest.raises(Hostile), m.entry("a") as entry:
            entry.value = 2
            raise Hostile
        self.check(m, {"a": 1})
        self.check_free(m, "a")

    @needs("reentrant")
    def test_nested_entries(self):
        m = self.filled(a=1, b=2)
        with m.entry("a") as a, m.entry("b") as b, m.entry("a") as again:
            a.value, b.value = b.value, a.value
            again.value = 5  # ends first
        self.check(m, {"a": 2, "b": 1})

    @needs("reentrant")
    def test_direct_writes_inside_an_entry(self):
        m = self.filled(a=1)
        with m.entry("a") as entry:
            m["a"] = 5
            assert entry.value == 5
        self.check(m, {"a": 5})

    def test_an_entry_is_used_only_inside_its_block(self) -> None:
        m = self.filled(a=1)
        entry = m.entry("a")
        for use in (lambda: entry.value, lambda: setattr(entry, "value", 1), entry.delete):
            with pytest.raises(RuntimeError):
                use()
        with entry, pytest.raises(RuntimeError):
            entry.__enter__()
        with entry:  # but as often as one likes, one after the other
            assert entry.value == 1
        self.check(m, {"a": 1})

    @needs("timeouts", "locked")
    @pytest.mark.parametrize("timeout", [-1, -0.1, float("nan")])
    def test_a_timeout_out_of_range(self, timeout):
        m = self.filled()
        with pytest.raises(ValueError, match="timeout"):
            m.entry("a", timeout=timeout)
        with pytest.raises(ValueError, match="timeout"):
            m.locked(timeout=timeout)

    @needs("timeouts", "locked", "reentrant")
    def test_long_timeouts(self):
        m = self.filled()
        with m.entry("a", timeout=1e12) as entry, m.locked(timeout=1e12):
            entry.value = 1
        self.check(m, {"a": 1})


class LockedSections(Suite, needs={"locked"}):
    @needs("pop", "update", "compute", "entry", "to_dict", "len", "reentrant")
    def test_writes_inside_a_section(self):
        m = self.filled(a=1)
        with m.locked() as same:
            assert same is m
            m["a"] += 1
            m.pop("x", None)
            m.update(b=2, c=3)
            assert m.compute("b", lambda n: n + 1) == 3
            with m.locked(), m.entry("c") as entry:
                entry.value = 4
            assert m.to_dict() == {"a": 2, "b": 3, "c": 4}
            assert len(m) == 3
        self.check(m, {"a": 2, "b": 3, "c": 4})

    def test_a_section_that_raises_lets_go(self) -> None:
        m = self.filled(a=1)
        with pytest.raises(Hostile), m.locked():
            m["a"] = 2
            raise Hostile
        self.check(m, {"a": 2})
        self.check_free(m, "a")
