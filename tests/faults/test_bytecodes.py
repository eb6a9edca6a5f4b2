"""An exception from outside at every place of the maps' own code, one place after the other.

CPython delivers such exceptions (Ctrl-C, a handler that raises, `PyThreadState_SetAsyncExc`) at the start of a
Python function, after a call into C, and at a jump back. The profiler's hook raises at the first two exactly, the
tracer's at every bytecode. Compiled maps have neither: see `test_interruptions`.
"""

from __future__ import annotations

import dis
import itertools
import queue
import signal
import sys
import threading

import safemap
from tests.support import in_fresh_python

OURS = safemap.__path__[0]
ENDINGS = {"_release", "_release_all", "unclaim", "leave", "unlock_all", "__exit__"}
"""The functions that end what a `compute`, an `entry`, a section, or a look at all shards holds."""

KINDS = [kind for kind in safemap.KINDS if kind != "rwlock"]
"""A lock of the package readerwriterlock can be lost in the middle."""
SKIP = "a compiled map has no bytecodes" if safemap.compiled else ""
if sys.implementation.name != "cpython" or not hasattr(signal, "setitimer"):
    SKIP = "where exceptions are delivered is CPython's affair"


class Injected(BaseException):
    pass


class Stuck(BaseException):
    pass


def jump_targets(code, targets={}):  # noqa: B006
    """Return the offsets of a code that are reached by a jump back, and of those after its start."""
    if code not in targets:
        found, before = set(), None
        for instruction in dis.get_instructions(code):
            if before == "RESUME":
                found.add(instruction.offset)
            if instruction.opname == "JUMP_BACKWARD":
                found.add(instruction.argval)
            before = instruction.opname
        targets[code] = found
    return targets[code]


class Injection:
    """Raises at the n-th place that exceptions are delivered at, or at the first bytecode not in `seen`."""

    def __init__(self, n, seen):
        self.left = n
        self.seen = seen
        self.place = None
        self.ending = self.delivered = False

    def run(self, operation, m):
        try:
            if self.seen is not None:
                sys.settrace(self.trace)
            else:
                sys.setprofile(self.profile)
            try:
                operation(m)
            finally:
                sys.settrace(None)
                sys.setprofile(None)
        except Injected:
            pass
        except (
            RuntimeError
        ):  # "cannot release": where CPython raises nothing, the lock cannot tell whether it was taken
            if self.delivered:
                raise

    def profile(self, frame, event, function):
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(OURS):
            self.pass_by(frame, "its start" if event == "call" else function.__name__, True)

    def trace(self, frame, event, _argument):
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        frame.f_trace = self.trace  # before the next line, which has no effect without since 3.12
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode" and (frame.f_code, frame.f_lasti) not in self.seen:
            self.left = 0
            self.pass_by(frame, frame.f_lasti, frame.f_lasti in jump_targets(frame.f_code))
        return self.trace

    def pass_by(self, frame, what, delivered):
        if self.place is None and self.left == 0:
            self.place = f"{frame.f_code.co_qualname}, line {frame.f_lineno}, {what}"
            self.delivered = delivered
            self.last = frame.f_code, what
            while frame is not None and frame.f_code.co_filename.startswith(OURS):
                self.ending |= frame.f_code.co_name in ENDINGS
                frame = frame.f_back
            raise Injected
        self.left -= 1


def by_entry(m):
    with m.entry("b") as entry:
        entry.value = (entry.value, "entry")


def by_section(m):
    with m.locked():
        m["b"] = "section"


BEFORE = {"a": 1, "b": 2, "c": 3}
SINGLE = {
    "m[k]": lambda m: m["b"],
    "get": lambda m: m.get("b"),
    "in": lambda m: "b" in m,
    "set": lambda m: m.__setitem__("b", "new"),
    "set a new one": lambda m: m.__setitem__("n", "new"),
    "del": lambda m: m.__delitem__("b"),
    "pop": lambda m: m.pop("b"),
    "setdefault": lambda m: m.setdefault("n", "new"),
    "swap": lambda m: m.swap("b", "new"),
}
OTHERS = {
    "compare_and_set": lambda m: m.compare_and_set("b", 2, "new"),
    "compare_and_delete": lambda m: m.compare_and_delete("b", 2),
    "compute": lambda m: m.compute("b", lambda v: (v, "new")),
    "compute_if_absent": lambda m: m.compute_if_absent("n", lambda k: (k, "new")),
    "merge": lambda m: m.merge("b", "new", lambda v, new: (v, new)),
    "entry": by_entry,
    "locked": by_section,
    "snapshot": lambda m: m.snapshot(),
    "to_dict": lambda m: m.to_dict(),
    "items": lambda m: list(m.items()),
    "len": len,
    "popitem": lambda m: m.popitem(),
    "update": lambda m: m.update({"b": "new", "n": "new"}),
    "clear": lambda m: m.clear(),
}


class OtherThread:
    """Says whether another thread can use a map. One thread for all questions, as long as it gets answers."""

    def __init__(self):
        self.questions, self.answers = queue.SimpleQueue(), queue.SimpleQueue()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            m = self.questions.get()
            with m.locked(), m.entry("b"):
                m["probe"] = m.compute("probe", lambda _: len(m.snapshot()), 0)
            self.answers.put(m.pop("probe", None))

    def can_use(self, m):
        self.questions.put(m)
        try:
            return self.answers.get(timeout=2.5) is not None
        except queue.Empty:
            self.__init__()
            return False


def contents_of(m):
    """Return the contents without asking for a lock, which may be held for ever."""
    tables = [m._data] if hasattr(m, "_data") else None
    if tables is None and hasattr(m, "_shards"):
        tables = [shard.data for shard in m._shards]
    if tables is None:
        tables = [m._dirty, m._read] if hasattr(m, "_read") else {id(page): page for page in m._pages}.values()
    return {key: value for table in tables for key, value in table.items()}


def guarded(injection, operation, m, seconds):
    """Run an injection that may not end; return whether it did."""
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # again: the first may come where errors are ignored
    try:
        injection.run(operation, m)
    except Stuck:
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return True


def stuck(*_):
    raise Stuck


def fresh(kind):
    m = safemap.create(kind, BEFORE)
    for key in [*"abcabc"]:
        m.get(key)
    return m


def sweep(kind, operations, bytecodes=False, make=fresh):
    """Yield what came of an exception at each place of each operation: its name, where, the map, its contents."""
    signal.signal(signal.SIGALRM, stuck)
    for name, operation in operations.items():
        done = make(kind)
        operation(done)
        whole = [contents_of(make(kind)), contents_of(done)]
        seen = set() if bytecodes else None
        for n in itertools.count():
            for seconds in (0.05, 10):  # again, if the machine was busy
                m = make(kind)
                injection = Injection(n, seen)
                if guarded(injection, operation, m, seconds) or not injection.delivered:
                    break
            else:
                raise AssertionError(f"{name} does not end after an exception at {injection.place}")
            if injection.place is None:
                assert n > 0, "no place was found to raise at"
                break
            if bytecodes:
                seen.add(injection.last)
            yield name, injection, m, whole


def check_usable(name, injection, m, whole, others):
    assert contents_of(m) in whole, (name, injection.place, contents_of(m))
    assert others.can_use(m), f"{name} leaves something held after an exception at {injection.place}"
    m._check()
    assert len(m) == len(m.to_dict()), (name, injection.place)


@in_fresh_python(each=True, kinds=KINDS, skip=SKIP)
def test_operations_on_single_keys_leave_nothing_held(kind):
    others = OtherThread()
    for name, injection, m, whole in sweep(kind, SINGLE):
        check_usable(name, injection, m, whole, others)


@in_fresh_python(each=True, kinds=KINDS, skip=SKIP)
def test_operations_on_single_keys_beside_a_held_one(kind):
    """As above, while the thread holds another key of the same shard: writes then look who else holds what."""
    options = {"shards": 1} if kind == "sharded" else {}
    others = OtherThread()

    def beside(operation):
        def both(m):
            sys_profile, _ = sys.getprofile(), sys.setprofile(None)
            with m.entry("held"):
                sys.setprofile(sys_profile)
                try:
                    operation(m)
                finally:
                    sys.setprofile(None)

        return both

    operations = {name: beside(operation) for name, operation in SINGLE.items()}
    for outcome in sweep(kind, operations, make=lambda kind: safemap.create(kind, BEFORE, **options)):
        check_usable(*outcome, others)


@in_fresh_python(each=True, kinds=KINDS, skip=SKIP)
def test_functions_and_sections_leave_nothing_held_but_at_their_end(kind):
    """At the ends, what is held may stay so: there is no place before the start of a Python function."""
    others = OtherThread()
    ends = 0
    for name, injection, m, whole in sweep(kind, OTHERS):
        if injection.ending:
            ends += 1
        elif name in ("update", "clear") and safemap.KINDS[kind].guarantees.update == "key by key":
            assert others.can_use(m), f"{name}: {injection.place}"  # key by key: some are done
            m._check()
        elif name == "popitem":
            assert others.can_use(m), f"{name}: {injection.place}"
            assert len(m) >= 2
            m._check()
        else:
            check_usable(name, injection, m, whole, others)
    assert ends > 5


@in_fresh_python(each=True, skip=SKIP)
def test_no_bytecode_leaves_half_an_operation(kind):
    """Raising at every bytecode is more than CPython ever does: locks may stay held, but no contents are torn."""
    places = 0
    for name, injection, m, whole in sweep(kind, SINGLE | OTHERS, bytecodes=True):
        places += 1
        if name in ("update", "clear") and safemap.KINDS[kind].guarantees.update == "key by key":  # key by key
            assert contents_of(m).items() <= whole[0].items() | whole[1].items(), (name, injection.place)
        else:
            assert contents_of(m) in whole, (name, injection.place, contents_of(m))
    assert places > 800
