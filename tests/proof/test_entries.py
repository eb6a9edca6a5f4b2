"""What an `entry` block and a function do when they raise, while others look."""

from __future__ import annotations

import contextlib

from safemap.testing.threads import in_threads


def test_a_block_that_raises_changes_nothing(variant):
    m = variant(n=0)

    def fail():
        for _ in range(50):
            with contextlib.suppress(LookupError), m.entry("n") as entry:
                entry.value += 1000
                raise LookupError
            with contextlib.suppress(ZeroDivisionError):
                m.compute("n", lambda n: 1 // 0)

    def count():
        for _ in range(50):
            m.compute("n", lambda n: n + 1)
            assert m["n"] < 1000

    in_threads(fail, count)
    assert m["n"] == 50
