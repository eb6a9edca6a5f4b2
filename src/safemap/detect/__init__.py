"""Finds races in programs whose threads share plain dicts. For tests and staging.

    from safemap.detect import CheckedDict, reports, watch

    watch()                            # first, so that the program's locks are seen
    registry = CheckedDict(registry)   # where a dict stood

or, without a change to the program: `python -m safemap.detect --check app/state.py:registry script.py`.

A race is what two threads do to one dict with nothing that makes either wait for the other. They need not have
met: that they could is enough. A `CheckedDict` looks for three kinds of it (`KINDS`; `set_defaults` and
`configured` choose):

  - "iteration": one thread iterates, the other one writes any key. That is what Go's runtime ends a program for
    ("concurrent map iteration and map write"), and what a dict raises RuntimeError for, if it happens to see it.
    What takes all items in one instruction (`list(d)`, `d.copy()`, `dict(d)`, `sorted(d.items())`) is no
    iteration.
  - "read-modify-write": one thread reads a key and then writes it, the other one writes that key, and no lock
    that it holds was held by the first without a break from the read to the write. `d[k] += 1`; `if k not in d:
    d[k] = ...`; `d.get(k)` and then `del d[k]`. A write belongs to the thread's last read of the key if it is
    done further down by the function that read, by one that this calls or that called it, or by another one that
    is called in the same line. A thread that only comes to such a read, and finds what makes it not write, is the
    other thread as well.
  - "write": both write one key, and they hold no lock in common. CPython makes one assignment a step of its own,
    so this loses no more than one of two values; where that is meant, leave this kind out. `setdefault`, `pop`
    and `popitem` tell each thread whether it was the first: among them there is no race.

Reading alone is no fault, nor are writes of different keys: dicts are made for that. What may be waited for is
known from a patch of `threading` and others (see `patches`, which lists what orders threads). How two accesses
are judged says `history`.

Found once for each pair of places, with both stacks (`Report`): then logged to "safemap.detect", raised as
`RaceError`, or handed to a function (`on_race`), and kept for `reports()`.

False alarms that remain: a lock that was made before `watch()`; a hand-over that is not known (a plain flag, a
pipe, `asyncio`'s call_soon_threadsafe, threads that `_thread` started, a semaphore of 2 or more that signals); a
read and a later write that have nothing to do with each other; an iteration over keys that stay while others
replace their values. `unchecked()` around the harmless access silences it; so does choosing `kinds`.

What is missed: what the program does not do in this run; changes inside of values (`d[k].append(x)`); reads and
writes by C code that does not ask the dict; `max(d, key=f)`, which is taken for one step; more than
`records.RECORDS` combinations of threads and locks at one key.

The layers, each on those before it: threads, locks, findings; records, keys, history (the rules); edges, patches,
settings; walking, checked (the dict); rewriting, and the command line. All are plain Python, and nothing of
safemap's maps is used.
"""

from __future__ import annotations

from safemap.detect.checked import CheckedDict
from safemap.detect.findings import Place, RaceError, Report, Side, forget, reports
from safemap.detect.locks import Lock, RLock
from safemap.detect.patches import unwatch, watch, watching
from safemap.detect.settings import KINDS, set_defaults, unchecked

__all__ = [
    "KINDS",
    "CheckedDict",
    "Lock",
    "Place",
    "RLock",
    "RaceError",
    "Report",
    "Side",
    "forget",
    "reports",
    "set_defaults",
    "unchecked",
    "unwatch",
    "watch",
    "watching",
]
