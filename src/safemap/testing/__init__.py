"""A kit that finds concurrency bugs in maps: safemap's own, and other people's. Install `safemap[testing]`.

  - Record what threads did to a map, and ask whether it can be explained: `RecordedMap`, `check_linearizable` with
    a `MapModel` (or a `SequentialModel` of something else), `check_guaranteed` for maps that promise less.
  - Have hypothesis think up small programs, run by real threads: `fuzz`, `programs`, `Runner`.
  - Decide yourself which thread goes on where, try all schedules, and replay the one that fails: `Explorer`.
  - Run the contract's own tests on a map of yours: `safemap.testing.conformance`, with pytest.

The layers, each on those before it: history (recorded_map), linearizability and models, guarantees, programs,
scheduler, scheduled_locks and tracing, schedules. All stand on the public names of safemap; scheduled_locks alone
knows the locks that maps are made of.
"""

from __future__ import annotations

from safemap.testing.guarantees import check_guaranteed
from safemap.testing.history import History, Operation, Pending, Raised, Recorder, Returned, timeline
from safemap.testing.linearizability import (
    NotLinearizableError,
    Verdict,
    assert_linearizable,
    check_linearizable,
)
from safemap.testing.models import MapModel, SequentialModel
from safemap.testing.programs import Call, HangError, Program, Runner, fuzz, programs, tried
from safemap.testing.recorded_map import RecordedMap
from safemap.testing.scheduler import Scenario
from safemap.testing.schedules import Exploration, Explorer, ScheduleError

__all__ = [
    "Call",
    "Exploration",
    "Explorer",
    "HangError",
    "History",
    "MapModel",
    "NotLinearizableError",
    "Operation",
    "Pending",
    "Program",
    "Raised",
    "RecordedMap",
    "Recorder",
    "Returned",
    "Runner",
    "Scenario",
    "ScheduleError",
    "SequentialModel",
    "Verdict",
    "assert_linearizable",
    "check_guaranteed",
    "check_linearizable",
    "fuzz",
    "programs",
    "timeline",
    "tried",
]
