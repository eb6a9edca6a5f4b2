"""Points at lines and instructions: `sys.settrace`, and from Python 3.12 on `sys.monitoring`.

Compiled code has neither: set SAFEMAP_PURE=1 to trace safemap itself.
"""

from __future__ import annotations

import contextlib
import sys
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from safemap.testing.scheduler import run_under_way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def codes_of(thing: Any, seen: set[int] | None = None) -> set[CodeType]:
    """Return the code of a module, class or function, and of all functions that are defined in it."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return set()
    seen.add(id(thing))
    if isinstance(thing, CodeType):
        inner = [constant for constant in thing.co_consts if isinstance(constant, CodeType)]
        return {thing}.union(*(codes_of(each, seen) for each in inner))
    if isinstance(thing, (classmethod, staticmethod)):
        return codes_of(thing.__func__, seen)
    if isinstance(thing, property):
        return set().union(*(codes_of(each, seen) for each in (thing.fget, thing.fset) if each is not None))
    if isinstance(thing, FunctionType):
        return codes_of(thing.__code__, seen)
    module = thing.__name__ if isinstance(thing, ModuleType) else thing.__module__
    members = [each for each in vars(thing).values() if getattr(each, "__module__", module) == module]
    traceable = (type, FunctionType, classmethod, staticmethod, property)
    return set().union(*(codes_of(each, seen) for each in members if isinstance(each, traceable)))


class Settrace:
    """Points by `sys.settrace`, in each thread for itself."""

    def __init__(self, codes: Iterable[CodeType], granularity: str) -> None:
        self.codes: frozenset[CodeType] = frozenset(codes)
        self.event = "opcode" if granularity == "instruction" else "line"

    @contextlib.contextmanager
    def everywhere(self) -> Iterator[None]:
        yield

    @contextlib.contextmanager
    def in_thread(self) -> Iterator[None]:
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(None)

    def _enter(self, frame: Any, _event: str, _argument: Any) -> Any:
        if frame.f_code not in self.codes:
            return None
        frame.f_trace_lines = self.event == "line"
        frame.f_trace_opcodes = self.event == "opcode"
        return self._inside

    def _inside(self, _frame: Any, event: str, _argument: Any) -> Any:
        run = run_under_way()
        if event == self.event and run is not None:
            run.point()
        return self._inside


class Monitoring:
    """Points by `sys.monitoring` (Python 3.12), in all threads."""

    def __init__(self, codes: Iterable[CodeType], granularity: str) -> None:
        self.codes: list[CodeType] = list(codes)
        self.granularity = granularity

    @contextlib.contextmanager
    def everywhere(self) -> Iterator[None]:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        tool = next(number for number in range(6) if monitoring.get_tool(number) is None)
        event = monitoring.events.INSTRUCTION if self.granularity == "instruction" else monitoring.events.LINE
        monitoring.use_tool_id(tool, "safemap.testing")
        monitoring.register_callback(tool, event, self._point)
        for code in self.codes:
            monitoring.set_local_events(tool, code, event)
        try:
            yield
        finally:
            for code in self.codes:
                monitoring.set_local_events(tool, code, 0)
            monitoring.register_callback(tool, event, None)
            monitoring.free_tool_id(tool)

    @contextlib.contextmanager
    def in_thread(self) -> Iterator[None]:
        yield

    @staticmethod
    def _point(_code: CodeType, _where: int) -> None:
        run = run_under_way()
        if run is not None:
            run.point()
