"""Threads for tests: none can hang who waits for it."""

from __future__ import annotations

from tests.support import run_python


def test_what_threads_that_hang_have_left_is_not_finalized_by_who_waits_for_them():
    out = run_python(
        """
        import gc, os, threading
        from safemap.testing.threads import in_threads

        class Cycle:
            def __init__(self):
                self.me = self

            def __del__(self):
                held.acquire()

        held = threading.Lock()
        held.acquire()
        gc.disable()
        Cycle()
        try:
            in_threads(held.acquire, timeout=0.1)
        except TimeoutError:
            gc.collect()
            print("goes on", flush=True)
        os._exit(0)
        """
    )
    assert out == "goes on\n"
