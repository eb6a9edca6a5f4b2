"""What every variant promises: `ConcurrentMapping`, and `Guarantees`, where variants differ.

The contract is written once, here. What can be derived from a few hooks is derived here too, so that a
variant is one file with one mechanism; a variant overrides a derived method only to be faster or stronger.

The hooks
  - `_configure`, `_options`: set up an empty map; say how it was set up.
  - `_lookup`: the value of a key, or MISSING. Its linearization point is the read's.
  - `_hold`, `_release`: exclude all other writers of one key; re-entrant.
  - `_store_held`, `_remove_held`: change a key that the thread holds. Their linearization point is the
    operation's: every compound operation holds its key, looks, decides, and ends in one of them.
  - `_hold_all`, `_release_all`: exclude all other writers.
  - `to_dict`: the contents of one moment. `__len__`.

A user's function runs between `_hold` and `_release`. What that keeps others from is the one thing in
which variants may differ there (`Guarantees.function_excludes`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from reprlib import recursive_repr
from types import GenericAlias

from safemap._entry import Entry, Locked, check_timeout
from safemap._lookup import MISSING
from safemap._missing import UNSET, MissingType
from safemap._snapshot import Snapshot
from safemap._types import K, T, V, overload, record
from safemap._views import Items, Keys, Values
from safemap.sync import fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Literal, Self, TypeGuard

    from _typeshed import SupportsGetItem, SupportsKeysAndGetItem

    from safemap._types import Contents, M


@record
class Guarantees:
    """What a variant promises beyond the contract. Tests, docs and the recommender read it from here.

    Cost: O(1): each class has one.
    Atomicity: good - it cannot change.
    Errors: AttributeError if a field is assigned.

    >>> ShardedMap.guarantees.function_excludes
    'its key'
    """

    mechanism: str
    """How the map works, in a few words."""
    single_key: Literal["linearizable"]
    """Operations on one key take effect at one moment between call and return, in every variant."""
    reader_waits_for_writer: Literal["yes", "no", "no, once the key is in the read table"]
    """Whether `m[k]`, `get` and `in` may have to wait while another thread changes the map."""
    function_excludes: Literal["the map", "its key", "the map's writers"]
    """What others cannot get at while a user's function, or an `entry` block, runs."""
    iteration: Literal["one moment", "weak"]
    """Whether an iteration shows the map of one moment, or each part of it as it is reached."""
    insertion_order: bool
    """Whether iteration, `popitem` and snapshots follow dict's order."""
    update: Literal["all at once", "key by key"]
    """Whether another thread can see a part of an `update`."""
    length: Literal["exact", "approximate"]
    """Whether `len` is that of one moment while others write. It is exact when nobody does."""
    snapshot: Literal["O(1)", "O(n)"]
    """The cost of `snapshot()`."""


class ConcurrentMapping(MutableMapping[K, V]):
    """A mapping that several threads may use at once, with all of dict and atomic compound operations.

    A program that keeps to this contract runs unchanged on every variant. A thread may use the map from
    anywhere: from a function that it handed to the map, from a key's `__eq__`, from `__del__`, from a signal
    handler. Maps cannot be hashed.

    Compiled, on free-threaded Python 3.14 and later, references to a map are counted lazily, so that threads that
    use it do not meet in its reference count. Such a map is freed by the garbage collector, some time after its
    last reference has gone; `clear()` lets go of its contents at once.

    Iteration, over the map or a view, never raises because of another thread, yields a key at most once,
    yields only items that were in the map at some moment of the iteration, and yields every key that was
    there throughout. `guarantees` says what the variant promises beyond that.

    Cost: that of a dict and one uncontended lock, where nothing else is said.
    Atomicity: good - an operation on one key takes effect at one moment, once; others see it whole or not at all.
    Errors: `DeadlockError` if waiting would never end; TypeError for a key that cannot be hashed; what a function,
        an iterable, or a key's `__hash__` or `__eq__` raises: then nothing has changed.

    >>> [cls(apples=3).pop("apples") for cls in KINDS.values()]
    [3, 3, 3, 3, 3]
    """

    __slots__ = ("__weakref__", "_default_factory")
    __hash__: ClassVar[None]  # type: ignore[assignment]

    guarantees: ClassVar[Guarantees]
    """Where this variant goes beyond the contract, or costs more."""
    options: ClassVar[tuple[str, ...]] = ("default_factory",)
    """The names that `configured` takes."""

    _default_factory: Callable[[], V] | None

    # --- making one ---------------------------------------------------------------------------------

    # A map is whole as soon as it is there: a subclass's `__init__` need not call ours, and nobody ever meets
    # one without its locks. A compiled class has no `__new__`: its `__cinit__` is called by what is, base first.

    def __new__(cls, *_args: Any, **_items: Any) -> Self:
        """Return an empty map with default options."""
        self = super().__new__(cls)
        self._begin()
        self._configure()
        return self

    def __cinit__(self, *_args: Any, **_items: Any) -> None:
        self._begin()
        if is_mechanism_python(self):
            self._configure()

    def _begin(self) -> None:
        self._default_factory = None
        share(self)
        fork.register(self)

    # Each variant repeats these with its own name: its base's does not tell type checkers that its keys are str.

    @overload
    def __init__(self, items: Contents[K, V] = (), /) -> None: ...
    @overload
    def __init__(self: ConcurrentMapping[str, T], items: Contents[str, T] = (), /, **named: T) -> None: ...
    def __init__(self, items: Any = (), /, **named: Any) -> None:
        """Fill the map as `dict(items, **named)` would. For options see `configured`.

        Cost: O(n).
        Atomicity: good - nobody else knows the map yet.
        Errors: TypeError or ValueError, as `dict` raises them.

        >>> ShardedMap([("apples", 3)], pears=4) == {"apples": 3, "pears": 4}
        True
        """
        staged = _staged(items, named)
        if staged:
            self._update(staged)

    @overload
    @classmethod
    def configured(cls, /, *, default_factory: Callable[[], V] | None = None, **options: Any) -> Self: ...
    @overload
    @classmethod
    def configured(
        cls, items: Contents[K, V], /, *, default_factory: Callable[[], V] | None = None, **options: Any
    ) -> Self: ...
    @classmethod
    def configured(cls, items: Any = (), /, **options: Any) -> Self:
        """Return a map filled with `items` (as the constructor takes them) and set up with `options`.

        `default_factory=`: called without arguments to make the value of a key that `m[key]` finds
        missing, once however many threads ask. Variants have further options; see their docstrings.

        Cost: O(n).
        Atomicity: good - nobody else knows the map yet.
        Errors: TypeError for an option that the variant does not have, ValueError for one out of range.

        >>> baskets = ShardedMap.configured(default_factory=list)
        >>> baskets["anna"].append("apple")
        >>> baskets
        {'anna': ['apple']}
        """
        self = cls._create(options)
        self.__init__(items)  # type: ignore[misc]
        return self

    @classmethod
    def _create(cls, options: Mapping[str, Any]) -> Self:
        for name in options:
            if name not in cls.options:
                known = ", ".join(cls.options)
                message = f"{cls.__name__} has no option {name!r}; it has: {known}"
                raise TypeError(message)
        self: Self = cls.__new__(cls)
        self._set_up(options)
        return self

    def _set_up(self, options: Mapping[str, Any]) -> None:
        """Apply options. Nobody else knows the map yet, so what `__new__` has set can be set again."""
        factory: Any = options.get("default_factory")
        if factory is not None and not callable(factory):
            message = f"default_factory must be callable or None, not {factory!r}"
            raise TypeError(message)
        self._default_factory = factory  # pyright: ignore[reportAttributeAccessIssue]
        if len(options) > ("default_factory" in options):
            self._configure(**{name: options[name] for name in options if name != "default_factory"})

    @overload
    @classmethod
    def fromkeys(cls, keys: Iterable[K], /) -> Self: ...
    @overload
    @classmethod
    def fromkeys(cls, keys: Iterable[K], value: V, /) -> Self: ...
    @classmethod
    def fromkeys(cls, keys: Iterable[Any], value: Any = None, /) -> Self:
        """Return a new map with `value` for each of `keys`.

        Cost: O(n).
        Atomicity: good - nobody else knows the map yet.
        Errors: TypeError if `keys` is not iterable.

        >>> ShardedMap.fromkeys(["apples"], 0)
        {'apples': 0}
        """
        self = cls()  # type: ignore[abstract]
        for key in keys:
            self[key] = value
        return self

    @property
    def default_factory(self) -> Callable[[], V] | None:
        """What makes the value of a key that `m[key]` finds missing, or None. Set by `configured`.

        Cost: O(1).
        Atomicity: good - it never changes.
        Errors: AttributeError if it is assigned.

        >>> ShardedMap.configured(default_factory=list).default_factory
        <class 'list'>
        """
        return self._default_factory

    # --- hooks: a variant's mechanism ---------------------------------------------------------------

    @abstractmethod
    def _configure(self, *args: Any, **options: Any) -> None:
        """Set up an empty map. `options`: those named in `cls.options`, but for `default_factory`."""
        message = f"{type(self).__name__} is abstract: it has no mechanism"
        raise TypeError(message)

    def _options(self) -> dict[str, Any]:
        """Return the options that make another map like this one; they can be pickled if the user's can."""
        return {"default_factory": self._default_factory}

    @abstractmethod
    def _lookup(self, key: Any) -> V | MissingType:
        """Return the value of `key`, or MISSING."""

    @abstractmethod
    def _hold(self, key: Any, timeout: float | None = None) -> Any:
        """Exclude all other writers of `key` and return a token; None if not to be had in time."""

    @abstractmethod
    def _release(self, _key: Any, token: Any) -> None:
        """End what `_hold` began."""

    def _lookup_held(self, key: Any) -> V | MissingType:
        """Return the value of a key that the caller holds, or MISSING."""
        return self._lookup(key)

    @abstractmethod
    def _store_held(self, key: K, value: V) -> None:
        """Set a key that the caller holds."""

    @abstractmethod
    def _remove_held(self, key: K) -> None:
        """Remove a key that the caller holds, and that is there."""

    @abstractmethod
    def _hold_all(self, timeout: float | None = None) -> bool:
        """Exclude all other writers; False if that was not to be had in time."""

    @abstractmethod
    def _release_all(self) -> None:
        """End what `_hold_all` began."""

    @abstractmethod
    def _after_fork_in_child(self) -> None:
        """Free what threads held that did not survive the fork, and mend what they left half done."""

    @abstractmethod
    def to_dict(self) -> dict[K, V]:
        """Return the contents of one moment as a new plain dict, for `json.dumps` or `**`.

        Cost: O(n).
        Atomicity: good - one moment.
        Errors: none of its own.

        >>> json.dumps(ShardedMap(apples=3).to_dict())
        '{"apples": 3}'
        """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of keys. `bool(m)` asks for it, too.

        Cost: O(1); `ShardedMap`: O(shards).
        Atomicity: maybe - `guarantees.length`: exact, or approximate while others write.
        Errors: none of its own.

        >>> len(ShardedMap(apples=3, pears=4))
        2
        """

    # --- reading ------------------------------------------------------------------------------------

    def __getitem__(self, key: K, /) -> V:
        """Return the value of `key`. Absent: what `__missing__` or `default_factory` makes.

        Cost: O(1), and the factory where one is called.
        Atomicity: good - one look; one factory makes the value, once.
        Errors: KeyError(key) if it is absent and nothing makes it.

        >>> stock = ShardedMap(apples=3)
        >>> stock["apples"]
        3
        """
        value = self._lookup(key)
        return self._absent(key) if value is MISSING else value

    def _absent(self, key: K) -> V:
        """Return what `m[key]` gives where `key` is absent, as dict and defaultdict do it."""
        missing = getattr(type(self), "__missing__", None)
        if missing is not None:
            return missing(self, key)  # type: ignore[no-any-return]
        factory = self._default_factory
        if factory is None:
            raise KeyError(key)
        return self.compute_if_absent(key, lambda _key: factory())

    def __contains__(self, key: object, /) -> bool:
        """Return whether `key` is in the map.

        Cost: O(1).
        Atomicity: good - one look.
        Errors: none of its own.

        >>> "apples" in ShardedMap(apples=3)
        True
        """
        return self._lookup(key) is not MISSING

    @overload
    def get(self, key: K, /, default: None = None) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V) -> V: ...
    @overload
    def get(self, key: K, /, default: T) -> V | T: ...
    def get(self, key: K, /, default: Any = None) -> Any:
        """Return the value of `key`, or `default` if it is absent. Never calls `__missing__`.

        Cost: O(1).
        Atomicity: good - one look.
        Errors: none of its own.

        >>> ShardedMap(apples=3).get("pears", 0)
        0
        """
        value = self._lookup(key)
        return default if value is MISSING else value

    # --- writing ------------------------------------------------------------------------------------

    def _settle(self, key: K, value: V | MissingType) -> None:
        """Give a key that the caller holds its value, or remove it (MISSING)."""
        if value is not MISSING:
            self._store_held(key, value)
        elif self._lookup_held(key) is not MISSING:
            self._remove_held(key)

    # What other methods call is `_store` and `_pop`: as with dict, they do not see what a subclass makes of the
    # operator. A variant that defines one of them names it so, too.

    def _store(self, key: K, value: V) -> None:
        """Set `key` to `value`.

        Cost: O(1).
        Atomicity: good - one step.
        Errors: none of its own.

        >>> stock = ShardedMap()
        >>> stock["apples"] = 3
        >>> stock
        {'apples': 3}
        """
        token = self._hold(key)
        try:
            self._store_held(key, value)
        finally:
            self._release(key, token)

    if TYPE_CHECKING:

        def __setitem__(self, key: K, value: V, /) -> None: ...

    else:
        __setitem__ = _store

    def __delitem__(self, key: K, /) -> None:
        """Remove `key`.

        Cost: O(1).
        Atomicity: good - one step: of several threads, one removes it.
        Errors: KeyError(key) if it is absent.

        >>> stock = ShardedMap(apples=3, pears=4)
        >>> del stock["pears"]
        >>> stock
        {'apples': 3}
        """
        self._pop(key)

    @overload
    def setdefault(self: ConcurrentMapping[K, T | None], key: K, default: None = None, /) -> T | None: ...
    @overload
    def setdefault(self, key: K, default: V, /) -> V: ...
    def setdefault(self, key: K, default: Any = None, /) -> Any:
        """Return the value of `key`, after setting it to `default` if it was absent.

        Cost: O(1).
        Atomicity: good - one step: all threads get the value of the one that was first.
        Errors: none of its own.

        >>> owners = ShardedMap()
        >>> owners.setdefault("printer", "anna"), owners.setdefault("printer", "ben")
        ('anna', 'anna')
        """
        token = self._hold(key)
        try:
            value = self._lookup_held(key)
            if value is MISSING:
                value = default
                self._store_held(key, default)
        finally:
            self._release(key, token)
        return value

    @overload
    def pop(self, key: K, /) -> V: ...
    @overload
    def pop(self, key: K, /, default: V) -> V: ...
    @overload
    def pop(self, key: K, /, default: T) -> V | T: ...
    def pop(self, key: K, /, default: Any = UNSET) -> Any:
        """Remove `key` and return its value. Absent: return `default`.

        Cost: O(1).
        Atomicity: good - one step: of several threads, one gets the value.
        Errors: KeyError(key) if it is absent and there is no default.

        >>> jobs = ShardedMap(backup="nightly")
        >>> jobs.pop("backup"), jobs.pop("backup", None)
        ('nightly', None)
        """
        return self._pop(key, default)

    def _pop(self, key: K, /, default: Any = UNSET) -> Any:
        """Remove `key` and return its value: what `pop` does, which see."""
        token = self._hold(key)
        try:
            value = self._lookup_held(key)
            if value is not MISSING:
                self._remove_held(key)
        finally:
            self._release(key, token)
        if value is not MISSING:
            return value
        if default is UNSET:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[K, V]:
        """Remove some key, the last one where the variant keeps order, and return it with its value.

        Cost: O(1); at worst O(n).
        Atomicity: good - one step: no two calls return the same item.
        Errors: KeyError if the map is empty, at one moment.

        >>> ShardedMap(apples=3).popitem()
        ('apples', 3)
        """
        self._hold_all()
        try:
            contents = self.to_dict()
            if not contents:
                message = "popitem(): dictionary is empty"
                raise KeyError(message)
            key, value = contents.popitem()
            self._remove_held(key)
        finally:
            self._release_all()
        return key, value

    def clear(self) -> None:
        """Remove everything.

        Cost: O(n).
        Atomicity: maybe - `guarantees.update`: for readers of single keys, all at once or key by key; for other
            writers and for snapshots, one step in every variant.
        Errors: none of its own.

        >>> stock = ShardedMap(apples=3, pears=4)
        >>> stock.clear()
        >>> stock
        {}
        """
        self._hold_all()
        try:
            for key in self.to_dict():
                self._remove_held(key)
        finally:
            self._release_all()

    @overload
    def update(self, items: SupportsKeysAndGetItem[K, V], /) -> None: ...
    @overload
    def update(self: SupportsGetItem[str, V], items: SupportsKeysAndGetItem[str, V], /, **named: V) -> None: ...
    @overload
    def update(self, items: Iterable[tuple[K, V]], /) -> None: ...
    @overload
    def update(self: SupportsGetItem[str, V], items: Iterable[tuple[str, V]], /, **named: V) -> None: ...
    @overload
    def update(self: SupportsGetItem[str, V], /, **named: V) -> None: ...
    # typeshed lets `self` be a keyword in one overload, which would take it from the names.
    def update(self, items: Any = (), /, **named: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Set many keys, from a mapping, pairs or names. `items` is read to its end first.

        Cost: O(number of items).
        Atomicity: maybe - `guarantees.update`: all at once, or key by key.
        Errors: TypeError or ValueError, as `dict` raises them; then nothing has changed.

        >>> stock = ShardedMap(apples=3)
        >>> stock.update({"apples": 5}, pears=4)
        >>> stock == {"apples": 5, "pears": 4}
        True
        """
        staged = _staged(items, named)
        if staged:
            self._update(staged)

    def _update(self, staged: dict[K, V]) -> None:
        """Set the keys of a private dict."""
        for key, value in staged.items():
            self._store(key, value)

    # --- atomic compound operations -----------------------------------------------------------------

    @overload
    def swap(self, key: K, value: V, default: None = None) -> V | None: ...
    @overload
    def swap(self, key: K, value: V, default: V) -> V: ...
    @overload
    def swap(self, key: K, value: V, default: T) -> V | T: ...
    def swap(self, key: K, value: V, default: Any = None) -> Any:
        """Set `key` to `value` and return what it was before, or `default` if it was absent.

        Cost: O(1).
        Atomicity: good - one step: each value that was set is returned to one thread at most.
        Errors: none of its own.

        >>> state = ShardedMap(door="open")
        >>> state.swap("door", "shut")
        'open'
        """
        token = self._hold(key)
        try:
            previous = self._lookup_held(key)
            self._store_held(key, value)
        finally:
            self._release(key, token)
        return default if previous is MISSING else previous

    def compare_and_set(self, key: K, expected: V | MissingType, value: V) -> bool:
        """Set `key` to `value` if its present value is, or equals, `expected`. Return whether it was set.

        `MISSING` as `expected` means: only if the key is absent.

        Cost: O(1), and a comparison of values.
        Atomicity: good - nobody changes the key between the comparison and the write.
        Errors: what the comparison raises; then nothing has changed.

        >>> jobs = ShardedMap(backup="new")
        >>> jobs.compare_and_set("backup", "new", "running"), jobs.compare_and_set("backup", "new", "running")
        (True, False)
        """
        token = self._hold(key)
        try:
            matches = _same(self._lookup_held(key), expected)
            if matches:
                self._store_held(key, value)
        finally:
            self._release(key, token)
        return matches

    def compare_and_delete(self, key: K, expected: V) -> bool:
        """Remove `key` if its present value is, or equals, `expected`. Return whether it was removed.

        Cost: O(1), and a comparison of values.
        Atomicity: good - nobody changes the key between the comparison and the removal.
        Errors: what the comparison raises; then nothing has changed.

        >>> leases = ShardedMap(printer="anna")
        >>> leases.compare_and_delete("printer", "ben"), leases.compare_and_delete("printer", "anna")
        (False, True)
        """
        token = self._hold(key)
        try:
            current = self._lookup_held(key)
            matches = current is not MISSING and _same(current, expected)
            if matches:
                self._remove_held(key)
        finally:
            self._release(key, token)
        return matches

    @overload
    def compute(self, key: K, function: Callable[[V], V | M]) -> V | M: ...
    @overload
    def compute(self, key: K, function: Callable[[V], V | M], default: V) -> V | M: ...
    @overload
    def compute(self, key: K, function: Callable[[V | None], V | M], default: None) -> V | M: ...
    @overload
    def compute(self, key: K, function: Callable[[V | T], V | M], default: T) -> V | M: ...
    def compute(self, key: K, function: Callable[[Any], Any], default: Any = UNSET) -> Any:
        """Replace the value of `key` by `function(value)` and return that. `function` runs exactly once.

        Absent: `function(default)`; without a default, that of `default_factory`. If the function returns
        `MISSING`, the key is removed. Whom it keeps waiting while it runs, says `guarantees.function_excludes`.
        What it writes itself to the same key is overwritten by its result.

        Cost: O(1), and the function.
        Atomicity: good - nobody changes the key between the read and the write.
        Errors: KeyError(key) if it is absent and there is no default; what the function raises, and then nothing
            has changed.

        >>> hits = ShardedMap()
        >>> hits.compute("/", lambda n: n + 1, 0), hits.compute("/", lambda n: n + 1, 0)
        (1, 2)
        """
        token = self._hold(key)
        try:
            current: Any = self._lookup_held(key)
            if current is MISSING:
                current = self._default_for(key, default)
            result = function(current)
            self._settle(key, result)
        finally:
            self._release(key, token)
        return result

    def _default_for(self, key: K, default: Any) -> Any:
        if default is not UNSET:
            return default
        if self._default_factory is not None:
            return self._default_factory()
        raise KeyError(key)

    def compute_if_absent(self, key: K, factory: Callable[[K], V]) -> V:
        """Return the value of `key`, after setting it to `factory(key)` if it was absent.

        Callers who want the same key wait for the one factory and get its value; if it raises, that
        caller gets the exception and the next one tries.

        Cost: O(1), and the factory; a hit is one lookup.
        Atomicity: good - one factory runs, and all callers get its value.
        Errors: what the factory raises; then nothing has changed.

        >>> pages = ShardedMap()
        >>> pages.compute_if_absent("/about", str.upper), pages.compute_if_absent("/about", len)
        ('/ABOUT', '/ABOUT')
        """
        value = self._lookup(key)
        if value is not MISSING:
            return value
        token = self._hold(key)
        try:
            value = self._lookup_held(key)
            if value is MISSING:
                value = factory(key)
                self._settle(key, value)
        finally:
            self._release(key, token)
        return value

    @overload
    def compute_if_present(self, key: K, function: Callable[[V], V | M], default: None = None) -> V | M | None: ...
    @overload
    def compute_if_present(self, key: K, function: Callable[[V], V | M], default: V) -> V | M: ...
    @overload
    def compute_if_present(self, key: K, function: Callable[[V], V | M], default: T) -> V | M | T: ...
    def compute_if_present(self, key: K, function: Callable[[V], Any], default: Any = None) -> Any:
        """Replace the value of `key` by `function(value)` and return that. Absent: return `default`.

        As `compute`, but an absent key stays absent and `function` is not called.

        Cost: O(1), and the function.
        Atomicity: good - nobody changes the key between the read and the write.
        Errors: what the function raises; then nothing has changed.

        >>> sessions = ShardedMap(anna=1)
        >>> [sessions.compute_if_present(name, lambda n: n + 1) for name in ("anna", "ben")]
        [2, None]
        """
        token = self._hold(key)
        try:
            current = self._lookup_held(key)
            if current is MISSING:
                return default
            result = function(current)
            self._settle(key, result)
        finally:
            self._release(key, token)
        return result

    def merge(self, key: K, value: V, function: Callable[[V, V], V | M]) -> V | M:
        """Set an absent key to `value`, a present one to `function(current, value)`; return what is stored.

        As `compute`: the function runs at most once, and removes the key by returning `MISSING`.

        Cost: O(1), and the function.
        Atomicity: good - nobody changes the key between the read and the write.
        Errors: what the function raises; then nothing has changed.

        >>> basket = ShardedMap()
        >>> basket.merge("apples", 2, int.__add__), basket.merge("apples", 3, int.__add__)
        (2, 5)
        """
        token = self._hold(key)
        try:
            current = self._lookup_held(key)
            result = value if current is MISSING else function(current, value)
            self._settle(key, result)
        finally:
            self._release(key, token)
        return result

    # --- exclusive sections -------------------------------------------------------------------------

    def entry(self, key: K, timeout: float | None = None) -> Entry[K, V]:
        """Hold `key` for a `with` block: look at it, decide, and change it in one step at the end.

        Inside, no other thread can change the key; `entry.value` is read and assigned, `entry.delete()`
        removes. All of it takes effect together when the block ends, and not at all if it raises.
        Whom it keeps waiting meanwhile, says `guarantees.function_excludes`.

        Cost: O(1).
        Atomicity: good - nobody changes the key in the block; its end is one step.
        Errors: TimeoutError if the key is not to be had in `timeout` seconds; ValueError if that is negative.

        >>> stock = ShardedMap(apples=3)
        >>> with stock.entry("apples", timeout=10) as apples:
        ...     if apples.value > 2:
        ...         apples.value -= 2
        >>> stock
        {'apples': 1}
        """
        check_timeout(timeout)
        return Entry(self, key, timeout)

    def locked(self, timeout: float | None = None) -> Locked[K, V]:
        """Keep all other threads from writing to this map for a `with` block.

        Changes made inside are not undone if the block raises. `snapshot` and `to_dict` in other threads
        never show the middle of a section.

        Cost: O(1); `ShardedMap`: O(shards).
        Atomicity: maybe - `guarantees.update`: readers see the changes all at once, or one by one; other writers
            see none before the end.
        Errors: TimeoutError if the map is not to be had in `timeout` seconds; ValueError if that is negative.

        >>> accounts = ShardedMap(anna=30, ben=10)
        >>> with accounts.locked():
        ...     accounts["anna"] -= 5
        ...     accounts["ben"] += 5
        >>> accounts == {"anna": 25, "ben": 15}
        True
        """
        check_timeout(timeout)
        return Locked(self, timeout)

    # --- looking at the whole -----------------------------------------------------------------------

    def __iter__(self) -> Iterator[K]:
        """Iterate over the keys. No lock is held between two steps, and nothing that others do makes it raise.

        Cost: O(n).
        Atomicity: maybe - `guarantees.iteration`: the map of one moment, or each part of it as it is reached.
        Errors: none of its own.

        >>> sorted(ShardedMap(pears=4, apples=3))
        ['apples', 'pears']
        """
        return self._iter_keys()

    def __reversed__(self) -> Iterator[K]:
        """Iterate over the keys in reverse. Copies them first.

        Cost: O(n).
        Atomicity: maybe - `guarantees.iteration`: the map of one moment, or each part of it as it is reached.
        Errors: none of its own.

        >>> list(reversed(ShardedMap(apples=3)))
        ['apples']
        """
        return reversed(list(self._iter_keys()))

    def _iter_items(self) -> Iterator[tuple[K, V]]:
        return iter(self.to_dict().items())

    def _iter_keys(self) -> Iterator[K]:
        return iter([key for key, _ in self._iter_items()])

    def _iter_values(self) -> Iterator[V]:
        return iter([value for _, value in self._iter_items()])

    def keys(self) -> Keys[K, V]:
        """Return a live, set-like view of the keys.

        Cost: O(1).
        Atomicity: good - the view itself looks at nothing yet.
        Errors: none of its own.

        >>> ShardedMap(apples=3).keys() & {"apples", "pears"}
        {'apples'}
        """
        return Keys(self)

    def values(self) -> Values[K, V]:
        """Return a live view of the values.

        Cost: O(1).
        Atomicity: good - the view itself looks at nothing yet.
        Errors: none of its own.

        >>> sum(ShardedMap(apples=3, pears=4).values())
        7
        """
        return Values(self)

    def items(self) -> Items[K, V]:
        """Return a live, set-like view of the pairs.

        Cost: O(1).
        Atomicity: good - the view itself looks at nothing yet.
        Errors: none of its own.

        >>> sorted(ShardedMap(pears=4, apples=3).items())
        [('apples', 3), ('pears', 4)]
        """
        return Items(self)

    def snapshot(self) -> Snapshot[K, V]:
        """Return the contents of one moment as an immutable mapping.

        Cost: `guarantees.snapshot`: O(1) or O(n).
        Atomicity: good - one moment.
        Errors: none of its own.

        >>> stock = ShardedMap(apples=3)
        >>> before = stock.snapshot()
        >>> stock["apples"] = 5
        >>> before["apples"]
        3
        """
        return Snapshot(self.to_dict())

    @classmethod
    def __class_getitem__(cls, parameters: Any, /) -> GenericAlias:
        """Return the class with type parameters, as `dict[str, int]` is one."""
        return GenericAlias(cls, parameters)

    def __eq__(self, other: object) -> bool:
        """Compare as dicts. No lock is held while values are compared.

        Cost: O(n).
        Atomicity: good - this map is taken at one moment; another map at a moment of its own.
        Errors: what comparing two values raises.

        >>> ShardedMap(apples=3) == {"apples": 3}
        True
        """
        if not isinstance(other, Mapping):
            return NotImplemented
        return other is self or self.to_dict() == _plain(other)

    def __repr__(self) -> str:
        """Return what `repr` of a dict with the same contents gives.

        Cost: O(n).
        Atomicity: good - one moment.
        Errors: what the `repr` of a key or a value raises.

        >>> ShardedMap(apples=3)
        {'apples': 3}
        """
        return _shown(self)

    def _check(self) -> None:
        """Assert the variant's invariants. For tests; nobody else may use the map meanwhile."""
        contents = self.to_dict()
        assert len(self) == len(contents)
        assert list(self) == [key for key, _ in self.items()]
        for key, value in self.items():
            assert self._lookup(key) is value
            assert contents[key] is value

    # --- copies -------------------------------------------------------------------------------------

    def copy(self) -> Self:
        """Return a new map of the same class and options with the same contents.

        Cost: O(n).
        Atomicity: good - one moment.
        Errors: none of its own.

        >>> stock = ShardedMap(apples=3)
        >>> stock.copy() == stock
        True
        """
        new = self._create(self._options())
        new._update(self.to_dict())
        return new

    def __or__(self, other: Mapping[K, V]) -> Self:
        """Return a copy updated with `other`.

        Cost: O(n).
        Atomicity: good - this map is taken at one moment; another map at a moment of its own.
        Errors: TypeError if `other` is no mapping.

        >>> ShardedMap(apples=3) | {"apples": 5}
        {'apples': 5}
        """
        if not isinstance(other, Mapping):
            return NotImplemented
        new = self.copy()
        new._update(_staged(other, {}))
        return new

    def __ror__(self, other: Mapping[K, V]) -> Self:
        """Return a new map like this one: `other`, updated with this one's contents.

        Cost: O(n).
        Atomicity: good - this map is taken at one moment; another map at a moment of its own.
        Errors: TypeError if `other` is no mapping.

        >>> {"apples": 5} | ShardedMap(apples=3)
        {'apples': 3}
        """
        if not isinstance(other, Mapping):
            return NotImplemented
        new = self._create(self._options())
        new._update(_plain(other) | self.to_dict())
        return new

    def __ior__(self, other: Contents[K, V]) -> Self:
        """Update the map with a mapping or with pairs, as `update` does.

        Cost: O(number of items).
        Atomicity: maybe - `guarantees.update`: all at once, or key by key.
        Errors: TypeError or ValueError, as `dict` raises them; then nothing has changed.

        >>> stock = ShardedMap(apples=3)
        >>> stock |= {"apples": 5}
        >>> stock
        {'apples': 5}
        """
        self._update(_staged(other, {}))
        return self

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        """Pickle and copy as the class, the options, the contents and a subclass's attributes.

        Cost: O(n).
        Atomicity: good - one moment.
        Errors: what pickling a key, a value or an option raises.

        >>> pickle.loads(pickle.dumps(ShardedMap(apples=3)))
        {'apples': 3}
        """
        attributes = _state(self)
        contents = iter(self.to_dict().items())
        return _rebuilt, (type(self), self._options()), attributes, None, contents


def is_mechanism_python(_map: ConcurrentMapping[Any, Any]) -> bool:
    """Return whether the variant that `_map` is of is a class written in Python. Compiled: see the `.pxd`."""
    return True


def share(_map: ConcurrentMapping[Any, Any]) -> None:
    """Tell the interpreter that many threads will refer to `_map`. Compiled: see the `.pxd`."""


def match_as_mapping(_cls: type[ConcurrentMapping[Any, Any]]) -> None:
    """Have `match` statements take the class for a mapping. Here, it inherits that."""


if not TYPE_CHECKING:
    MutableMapping.register(ConcurrentMapping)  # compiled, it does not inherit from it
    match_as_mapping(ConcurrentMapping)


def _state(map_: ConcurrentMapping[Any, Any]) -> Any:
    """Return what a subclass has added to a map, as `object.__getstate__` would: its `__dict__`, and its slots."""
    if type(map_).__getstate__ is not object.__getstate__:
        return map_.__getstate__()
    attributes = getattr(map_, "__dict__", None) or None
    slots = {}
    for cls in type(map_).__mro__:
        names = () if cls.__module__.startswith("safemap.") else cls.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            private = name.startswith("__") and not name.endswith("__")
            attribute = f"_{cls.__name__.lstrip('_')}{name}" if private else name
            if name not in {"__dict__", "__weakref__"} and hasattr(map_, attribute):
                slots[attribute] = getattr(map_, attribute)
    return (attributes, slots) if slots else attributes


def _rebuilt(cls: type[ConcurrentMapping[Any, Any]], options: dict[str, Any]) -> Any:
    return cls._create(options)


@recursive_repr("{...}")
def _shown(map_: ConcurrentMapping[Any, Any]) -> str:
    return repr(map_.to_dict())


def _is_of_one_moment(thing: Mapping[K, V]) -> TypeGuard[ConcurrentMapping[K, V] | Snapshot[K, V]]:
    """Return whether `thing.to_dict()` gives its contents at one moment."""
    # Not with a tuple of classes: for that, Cython (3.3) overlooks what an interrupted isinstance has raised.
    return isinstance(thing, ConcurrentMapping) or isinstance(thing, Snapshot)  # noqa: SIM101


def _staged(items: Any, named: dict[str, Any]) -> dict[Any, Any]:
    """Return what `dict(items, **named)` gives: a private dict, its keys hashed and told apart."""
    if _is_of_one_moment(items):
        return items.to_dict() | named  # of one moment; dict() would look every key up again
    return dict(items, **named)


def _plain(other: Mapping[K, V]) -> dict[K, V]:
    """Return the contents of any mapping as a plain dict, which may be the mapping itself."""
    if isinstance(other, dict):
        return other
    if _is_of_one_moment(other):
        return other.to_dict()
    return dict(other.items())


def _same(current: Any, expected: Any) -> bool:
    """Return whether two values are identical or equal, as containers compare their elements."""
    return current is expected or bool(current == expected)
