"""Faults that the kit must find: what is changed in which file, and which proof must fail by it.

Each is a mistake that somebody could make here: a lock forgotten, a check split from its act, a thing published
before it is whole, a thread not woken.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A fault: `old` stands once in the file, and is replaced by `new`."""

    name: str
    file: str
    old: str
    new: str
    killer: str
    """The test, below tests/proof, that must fail."""


MUTANTS = [
    Mutant(
        "mutex: a read without the lock",
        "maps/_one_dict.py",
        """        self._lock.acquire_read()
        try:
            return copy_of(self._data)
        finally:
            self._lock.release_read()
""",
        """        return copy_of(self._data)
""",
        "test_schedules_of_maps.py::test_mutex[a locked block]",
    ),
    Mutant(
        "mutex: setdefault checks, and acts later",
        "maps/_one_dict.py",
        """            self._lock.acquire()
            try:
                return self._data.setdefault(key, default)
            finally:
                self._lock.release()
""",
        """            if key not in self:
                self[key] = default
            return self[key]
""",
        "test_schedules_of_maps.py::test_mutex[check and act]",
    ),
    Mutant(
        "mutex: the lock is let go while the function runs",
        "maps/_one_dict.py",
        """                result = function(current)
                if result is MISSING:
                    self._settle(key, result)
                else:
                    self._data[key] = result
            finally:
                self._lock.release()
            return result

        def merge""",
        """                self._lock.release()
                result = function(current)
                self._lock.acquire()
                if result is MISSING:
                    self._settle(key, result)
                else:
                    self._data[key] = result
            finally:
                self._lock.release()
            return result

        def merge""",
        "test_programs.py::test_one_key[mutex]",
    ),
    Mutant(
        "rwlock: a writer takes the lock for reading",
        "maps/_one_dict.py",
        """    def _update(self, staged: dict[K, V]) -> None:
        self._lock.acquire()
""",
        """    def _update(self, staged: dict[K, V]) -> None:
        for key, value in staged.items():
            self._store(key, value)
        return
        self._lock.acquire()
""",
        "test_schedules_of_maps.py::test_rwlock[an update, seen whole]",
    ),
    Mutant(
        "contract: what raises is stored all the same",
        "_entry.py",
        "if exc_type is None and self._pending is not UNSET:",
        "if self._pending is not UNSET:",
        "test_entries.py::test_a_block_that_raises_changes_nothing",
    ),
    Mutant(
        "sharded: one writer does not look at claims",
        "maps/sharded.py",
        """    def _store(self, key: K, value: V) -> None:
        shard = self._shard_of(key)
        acquire_for(shard, key)
""",
        """    def _store(self, key: K, value: V) -> None:
        shard = self._shard_of(key)
        shard.acquire()
""",
        "test_schedules_of_maps.py::test_sharded[a claim, and a writer of its key]",
    ),
    Mutant(
        "sharded: a snapshot shard by shard",
        "maps/sharded.py",
        """        self._section.lock_all()
        try:
            copies = []""",
        """        try:
            self._section.lock_all()
            self._section.unlock_all()
            self._section.lock_all = self._section.unlock_all = lambda: None
            copies = []""",
        "test_schedules_of_maps.py::test_sharded[two claims, and a section]",
    ),
    Mutant(
        "sharded: popitem takes a key that is claimed",
        "maps/sharded.py",
        "if not shard.listed():",
        "if True:",
        "test_schedules_of_maps.py::test_sharded[popitem takes no key twice, and none that is claimed]",
    ),
    Mutant(
        "claims: a second thread gets the same claim",
        "sync/claims.py",
        "held = self._wait_out(claim, deadline)\n                if held:",
        "held = False\n                if True:",
        "test_programs.py::test_one_key[sharded]",
    ),
    Mutant(
        "claims: a section does not wait for claims",
        "sync/claims.py",
        "foreign = self._claim_of_another()",
        "foreign = None",
        "test_schedules_of_maps.py::test_sharded[a claim, and a section with its key]",
    ),
    Mutant(
        "claims: shards are not let go while waiting for one of them",
        "sync/claims.py",
        "            self._unlock(taken)\n            if not contended.acquire_within",
        "            if not contended.acquire_within",
        "test_schedules_of_maps.py::test_sharded[a section, and a writer]",
    ),
    Mutant(
        "read/dirty: promotion skipped",
        "maps/read_dirty.py",
        "            self._read.update(self._dirty)\n",
        "",
        "test_schedules_of_maps.py::test_read_dirty[promotion by misses, while new keys come]",
    ),
    Mutant(
        "read/dirty: promoted keys leave before they have arrived",
        "maps/read_dirty.py",
        "            self._read.update(self._dirty)\n",
        "            leaving = self._dirty.copy()\n"
        "            self._dirty.clear()\n"
        "            self._read.update(leaving)\n",
        "test_schedules_of_maps.py::test_read_dirty[promotion, and a reader of a promoted key]",
    ),
    Mutant(
        "read/dirty: a miss is not looked up again",
        "maps/read_dirty.py",
        "            settle_reads()\n"
        "            return find_settled(self, key, MISSING)  # type: ignore[no-any-return]\n",
        "            return MISSING\n",
        "test_schedules_of_maps.py::test_read_dirty[promotion, and a reader of a promoted key]",
    ),
    Mutant(
        "read/dirty: len counts a key in both tables",
        "maps/read_dirty.py",
        "        if not self._dirty:\n            return len(self._read)\n        self._lock.acquire()  # in",
        "        return len(self._read) + len(self._dirty)\n        self._lock.acquire()  # in",
        "test_schedules_of_maps.py::test_read_dirty[a promotion, and counting]",
    ),
    Mutant(
        "read/dirty: a deleted key is left in the dirty table",
        "maps/read_dirty.py",
        "value = self._dirty.pop(key, MISSING)",
        "value = self._dirty.get(key, MISSING)",
        "test_schedules_of_maps.py::test_read_dirty[promotion, while a key is deleted and comes back]",
    ),
    Mutant(
        "copy-on-write: a snapshot is not marked as alive",
        "maps/copy_on_write.py",
        "        self._live.append(reference)\n",
        "",
        "test_schedules_of_maps.py::test_copy_on_write[a page is copied for a snapshot]",
    ),
    Mutant(
        "copy-on-write: a page is saved after it has changed",
        "maps/copy_on_write.py",
        """                if self._live:
                    self._save(page)
                before = len(page)
                try:
                    return operation(page, key, *arguments)
                finally:
""",
        """                before = len(page)
                try:
                    return operation(page, key, *arguments)
                finally:
                    if self._live:
                        self._save(page)
""",
        "test_schedules_of_maps.py::test_copy_on_write[a page is copied for a snapshot]",
    ),
    Mutant(
        "copy-on-write: readers do not notice that a page was replaced",
        "maps/copy_on_write.py",
        "if value is not MISSING or map_._layout == layout:",
        "if True:",
        "test_schedules_of_maps.py::test_copy_on_write[a page is split under readers]",
    ),
    Mutant(
        "copy-on-write: a directory is published before its pages are filled",
        "maps/copy_on_write.py",
        """        low, high = halves
        for key, value in copy_of(page).items():""",
        """        low, high = halves
        early = list(pages + pages if local == depth else pages)
        for other in range(slot & (bit - 1), len(early), bit):
            early[other] = high if other & bit else low
        self._pages = tuple(early)
        step_layout(self)
        for key, value in copy_of(page).items():""",
        "test_schedules_of_maps.py::test_copy_on_write[a page is split under readers]",
    ),
    Mutant(
        "copy-on-write: a batch is seen while it is made",
        "maps/copy_on_write.py",
        "                self._batch[0] = version\n                if COMPILED:\n",
        "                self._batch[0] = version\n                return\n                if COMPILED:\n",
        "test_schedules_of_maps.py::test_copy_on_write[a batch appears all at once]",
    ),
    Mutant(
        "copy-on-write: a reader does not look whether a batch came in between",
        "maps/copy_on_write.py",
        "            if sequence_of(self) == sequence:\n"
        "                return value  # type: ignore[no-any-return]",
        "            if True:\n                return value  # type: ignore[no-any-return]",
        "test_schedules_of_maps.py::test_copy_on_write[a batch appears all at once]",
    ),
    Mutant(
        "copy-on-write: clear does not say which pages it empties",
        "maps/copy_on_write.py",
        """            self._changing = (*changing, *pages)
            for page in pages:
""",
        """            for page in pages:
""",
        "../faults/test_any_line.py::test_a_finalizer_may_use_the_map_at_any_line[copy_on_write]",
    ),
    Mutant(
        "copy-on-write: an undone update does not count what came in its middle",
        "maps/copy_on_write.py",
        """                self._idle += [page for page in idle + leaving if id(page) not in ids]
                if not outer:
                    self._recount()
""",
        """                self._idle += [page for page in idle + leaving if id(page) not in ids]
                self._size = version.size
                self._unsettled = False
""",
        "../faults/test_any_line.py::test_a_finalizer_may_use_the_map_at_any_line[copy_on_write]",
    ),
    Mutant(
        "watch: a section's batch enters the log after the section has been left",
        "watch/logged_map.py",
        """            self._log.entries.append(last)
        here.whole = tuple(outer), batch if outer else None
""",
        """            pass
        here.whole = tuple(outer), batch if outer else None
        if last is not None:
            self._log.entries.append(last)
""",
        "../watch/test_events.py::TestReentrant::test_a_finalizer_may_use_the_map_at_any_line[mutex-True]",
    ),
    Mutant(
        "field lock: a free lock is taken in two steps",
        "sync/field_lock.py",
        """    if lock._owner:
        return False
""",
        """    if lock._owner:
        return False
    time.sleep(0)
""",
        "test_schedules_of_locks.py::test_field_lock",
    ),
    Mutant(
        "field lock: a release wakes nobody",
        "sync/field_lock.py",
        """        finally:
            leave(self)
        if gate is not None:
            gate.release()

    def _wake""",
        """        finally:
            leave(self)

    def _wake""",
        "test_schedules_of_locks.py::test_field_lock",
    ),
    Mutant(
        "field lock: who waits says so too late",
        "sync/field_lock.py",
        """                self._join(place, tries >= TRIES)
                taken = self._is_owned() or take_if_free(self)
                if taken:
                    return True
""",
        """                self._join(place, tries >= TRIES)
                if tries == 0:
                    set_waiting(self, waiting(self) - 1)
                    time.sleep(0)
                    set_waiting(self, waiting(self) + 1)
""",
        "test_schedules_of_locks.py::test_field_lock",
    ),
    Mutant(
        "field lock: whoever gives up takes the waking with it",
        "sync/field_lock.py",
        "        elif not taken and not listed:\n            self._wake()\n",
        "",
        "test_schedules_of_locks.py::test_field_lock_with_timeouts",
    ),
    Mutant(
        "field readers-writer lock: a writer does not mind readers",
        "sync/field_rwlock.py",
        "if (self._reader != 0) + len(self._others) > mine:",
        "if False:",
        "test_schedules_of_locks.py::test_readers_and_writers[field, fair]",
    ),
    Mutant(
        "field readers-writer lock: the last reader wakes nobody",
        "sync/field_rwlock.py",
        "            if nested:\n"
        "                self.release()\n"
        "            else:\n"
        "                self._wake()\n",
        "            if nested:\n                self.release()\n",
        "test_schedules_of_locks.py::test_readers_and_writers[field, fair]",
    ),
    Mutant(
        "field readers-writer lock: a reader who could not become a writer is no reader any more",
        "sync/field_rwlock.py",
        "        if given_up and not taken:\n            self.acquire_read()\n",
        "        if False:\n            self.acquire_read()\n",
        "test_schedules_of_locks.py::test_upgrades_that_take_too_long[field, fair]",
    ),
    Mutant(
        "readers-writer lock: an upgrade keeps its reading hold",
        "sync/rwlock.py",
        "        if suspended is not None:\n            _let_go(suspended.half)\n        taken = False",
        "        taken = False",
        "test_schedules_of_locks.py::test_two_readers_who_want_to_write[package, fair]",
    ),
    Mutant(
        "deadlock: the victim still counts as waiting",
        "sync/deadlock.py",
        "            del _waiting[me]\n",
        "            pass\n",
        "../contract/test_deadlock.py::test_while_one_thread_is_about_to_give_up_the_other_does_not",
    ),
    Mutant(
        "deadlock: who has waited still counts as waiting",
        "sync/deadlock.py",
        "            _waiting.pop(me, None)\n",
        "            pass\n",
        "../contract/test_deadlock.py::test_who_has_waited_before_is_no_part_of_a_deadlock",
    ),
    Mutant(
        "deadlock: only the next thread is asked",
        "sync/deadlock.py",
        "                resources.append(awaited)",
        "                pass",
        "test_schedules_of_locks.py::test_deadlocks_are_found",
    ),
]
