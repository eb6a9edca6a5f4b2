"""What is put in the place of methods that order threads: each publishes or absorbs, besides what it does.

`patches` says which method orders what, and puts them on. A `Box` is kept as an attribute of the event, queue or
thread.
"""

from __future__ import annotations

import functools
import queue
import weakref
from typing import TYPE_CHECKING, Any, Final

from safemap.detect import locks
from safemap.detect.threads import Box, here

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    Function = Callable[..., Any]

BOX: Final = "_safemap_box"
"""The attribute of an event, queue or thread that has its box."""


def box_of(thing: Any) -> Box:
    """Return the box of an event, queue or thread."""
    box: Box | None = thing.__dict__.get(BOX)
    return thing.__dict__.setdefault(BOX, Box()) if box is None else box


def before(function: Function) -> Function:
    """Have a method publish first."""

    @functools.wraps(function)
    def publishing(self: Any, *args: Any, **named: Any) -> Any:
        box_of(self).put()
        return function(self, *args, **named)

    return publishing


def after(function: Function) -> Function:
    """Have a method absorb at its end, an exception too: that may be the future's."""

    @functools.wraps(function)
    def absorbing(self: Any, *args: Any, **named: Any) -> Any:
        try:
            return function(self, *args, **named)
        finally:
            box_of(self).take()

    return absorbing


def after_true(function: Function) -> Function:
    """Have a method absorb when it returns what is true."""

    @functools.wraps(function)
    def absorbing(self: Any, *args: Any, **named: Any) -> Any:
        result = function(self, *args, **named)
        if result:
            box_of(self).take()
        return result

    return absorbing


def starting(function: Function) -> Function:
    """Make `Thread.start`. All until now happened before the thread; all of that, before its box is taken."""

    @functools.wraps(function)
    def start(self: threading.Thread) -> None:
        if self.__dict__.get("_started") is None or self.ident:
            function(self)  # raises an error
            return
        former = self.__dict__.get("run")
        run = self.run
        box = Box()
        box.put()

        def running() -> None:
            if former is None:
                self.__dict__.pop("run", None)  # or the thread would hold itself alive
            else:
                self.run = former  # type: ignore[method-assign]
            state = here.state
            state.thread = weakref.ref(self)
            box.take()
            try:
                run()
            finally:
                box_of(self).put()
                state.end()

        self.run = running  # type: ignore[method-assign]
        try:
            function(self)
        except BaseException:
            if self.__dict__.get("run") is running:
                del self.__dict__["run"]
            raise

    return start


def joining(function: Function) -> Function:
    """Make `Thread.join`."""

    @functools.wraps(function)
    def join(self: threading.Thread, timeout: float | None = None) -> None:
        function(self, timeout)
        self.is_alive()  # absorbs, if it is not

    return join


def asking_alive(function: Function) -> Function:
    """Make `Thread.is_alive`."""

    @functools.wraps(function)
    def is_alive(self: threading.Thread) -> bool:
        alive: bool = function(self)
        if not alive:
            box_of(self).take()
        return alive

    return is_alive


def notifying(function: Function) -> Function:
    """Make `Condition.notify`, which `notify_all` calls."""

    @functools.wraps(function)
    def notify(self: Any, n: int = 1) -> None:
        if isinstance(self._lock, (locks.Lock, locks.RLock)):
            locks.publish_in(self._lock)
        else:
            box_of(self).put()
        function(self, n)

    return notify


def initialising(function: Function) -> Function:
    """Make `Semaphore.__init__`, which remembers whether it lets several threads in."""

    @functools.wraps(function)
    def init(self: Any, value: int = 1) -> None:
        function(self, value)
        self._safemap_wide = value > 1

    return init


def if_narrow(changed: Function, plain: Function) -> Function:
    """Return a semaphore's method that is `changed` only if it lets one thread in at a time."""

    @functools.wraps(plain)
    def method(self: Any, *args: Any, **named: Any) -> Any:
        return (plain if getattr(self, "_safemap_wide", False) else changed)(self, *args, **named)

    return method


def adding_callback(function: Function) -> Function:
    """Make `Future.add_done_callback`, which calls at once if the future is done."""

    @functools.wraps(function)
    def add_done_callback(self: Any, fn: Function) -> None:
        self.done()  # absorbs, if it is
        function(self, fn)

    return add_done_callback


def waiting(function: Function) -> Function:
    """Make `concurrent.futures.wait`."""

    @functools.wraps(function)
    def wait(*args: Any, **named: Any) -> Any:
        result = function(*args, **named)
        for future in result.done:
            future.done()
        return result

    return wait


def completing(function: Function) -> Function:
    """Make `concurrent.futures.as_completed`."""

    @functools.wraps(function)
    def as_completed(*args: Any, **named: Any) -> Iterator[Any]:
        for future in function(*args, **named):
            future.done()
            yield future

    return as_completed


class SimpleQueue(queue.SimpleQueue[Any]):
    """`queue.SimpleQueue`, of which the checker knows."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002
        """Put an item in."""
        box_of(self).put()
        super().put(item, block, timeout)

    def put_nowait(self, item: Any) -> None:
        """Put an item in."""
        self.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002
        """Get an item, as `queue.SimpleQueue.get` does."""
        item = super().get(block, timeout)
        box_of(self).take()
        return item

    def get_nowait(self) -> Any:
        """Get an item, or raise `queue.Empty`."""
        return self.get(block=False)
