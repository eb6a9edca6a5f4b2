"""The surface of maps, snapshots and views: the contract's, and that of dict and `collections.abc`, and no more.

Names, parameters, their kinds and defaults. It is compiled or plain, whichever is loaded: what is plain in the
sources is what both are held against.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Hashable, ItemsView, KeysView, Mapping, MutableMapping, Sequence, Set, ValuesView
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import safemap
from safemap import ConcurrentMapping, MutexMap, Snapshot
from safemap.bench import Recorder
from safemap.watch import WatchedMap

KINDS = [*safemap.KINDS.values()]
OPERATORS = {"__getitem__", "__setitem__", "__delitem__", "__contains__", "__or__", "__ror__", "__ior__"}


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


def parameters_of(cls: type, name: str) -> list[tuple[str, str, str]] | None:
    """Return each parameter's name, kind and default; None for a slot of C, which does not say.

    Operators are called by position.
    """
    try:
        parameters = inspect.signature(getattr(cls, name)).parameters.values()
    except ValueError:
        return None
    return [
        ("", "", "") if name in OPERATORS and p.default is p.empty else (p.name, p.kind.name, shown(p.default))
        for p in parameters
        if p.name != "self"
    ]


def shown(default: object) -> str:
    """Return a default value; those that only say that there is none are alike."""
    is_sentinel = isinstance(default, type | Enum) and default is not inspect.Parameter.empty
    return "none given" if is_sentinel else repr(default)


def differences(cls: type, contract: type = ConcurrentMapping) -> list[str]:
    """Return where the surface of a class is not the contract's, or more."""
    found = [f"{name} is missing" for name in sorted(public(contract) - public(cls))]
    found += [f"{name} is new" for name in sorted(public(cls) - public(contract) - {"guarantees"})]
    for name in sorted((public(contract) & public(cls)) | OPERATORS):
        theirs, mine = getattr(contract, name), getattr(cls, name)
        if not callable(theirs):
            if callable(mine):
                found.append(f"{name} is a method")
        elif not callable(mine):
            found.append(f"{name} is no method")
        else:
            # An operator of the contract may be a slot of C; dict's say what they take.
            expected = parameters_of(dict if name in OPERATORS else contract, name)
            there = parameters_of(cls, name)
            if expected != there and expected is not None and there is not None:
                found.append(f"{name} has other parameters: {there} for {expected}")
    return found


# --- maps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", KINDS)
def test_variants_have_the_contracts_surface_and_no_more(cls):
    assert not differences(cls)


@pytest.mark.parametrize("cls", [WatchedMap, Recorder])
def test_maps_around_others_have_the_contracts_surface_and_their_own(cls):
    own = {name for base in cls.__mro__ if base not in ConcurrentMapping.__mro__ for name in vars(base)}
    assert set(differences(cls)) <= {f"{name} is new" for name in own}


class More(MutexMap):
    def more(self): ...


class Renamed(MutexMap):
    def swap(self, key, new, default=None): ...


class Reordered(MutexMap):
    def compare_and_set(self, key, value, expected): ...


class OtherDefault(MutexMap):
    def setdefault(self, key, default=0, /): ...


class NoDefault(MutexMap):
    def get(self, key, /, default): ...


class ByKeyword(MutexMap):
    def pop(self, key, default=None): ...


class KeywordOnly(MutexMap):
    def entry(self, key, *, timeout=None): ...


class Fewer(MutexMap):
    def update(self, items=(), /): ...


class OtherOperator(MutexMap):
    def __setitem__(self, key, value, extra=None): ...


class NoMethod(MutexMap):
    merge = None


class NoProperty(MutexMap):
    def default_factory(self): ...


class Less:
    """It has nothing but operators."""

    __getitem__ = __setitem__ = __delitem__ = __contains__ = __or__ = __ror__ = __ior__ = None


FAULTY = {
    More: "more is new",
    Renamed: "swap has other parameters",
    Reordered: "compare_and_set has other parameters",
    OtherDefault: "setdefault has other parameters",
    NoDefault: "get has other parameters",
    ByKeyword: "pop has other parameters",
    KeywordOnly: "entry has other parameters",
    Fewer: "update has other parameters",
    OtherOperator: "__setitem__ has other parameters",
    NoMethod: "merge is no method",
    NoProperty: "default_factory is a method",
    Less: "snapshot is missing",
}


@pytest.mark.parametrize(("cls", "found"), FAULTY.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_another_surface_is_found(cls, found):
    assert [difference for difference in differences(cls) if difference.startswith(found)]
    assert cls is Less or len(differences(cls)) == 1


def test_what_is_loaded_is_what_the_contracts_source_says():
    source = Path(safemap.__file__).with_name("_contract.py").read_text()
    contract = next(node for node in ast.parse(source).body if getattr(node, "name", "") == "ConcurrentMapping")
    methods = {node.name: node for node in contract.body if isinstance(node, ast.FunctionDef)}
    compared = 0
    for name in public(ConcurrentMapping):
        if name not in methods or any(ast.unparse(d) == "property" for d in methods[name].decorator_list):
            continue
        written = methods[name].args  # overloads stand before what they are overloads of
        named = [*written.posonlyargs, *written.args]
        expected = [(argument.arg, argument in written.posonlyargs) for argument in named[1:]]
        loaded = inspect.signature(getattr(MutexMap(), name)).parameters.values()
        found = [(p.name, p.kind is p.POSITIONAL_ONLY) for p in loaded if p.kind.name.startswith("POSITIONAL")]
        assert found == expected, name
        assert len([p for p in loaded if p.default is not p.empty]) == len(written.defaults), name
        assert any(p.kind is p.VAR_KEYWORD for p in loaded) == (written.kwarg is not None), name
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("cls", KINDS)
def test_no_mixin_of_mutable_mapping_is_left(cls):
    """They check and then act."""
    for name in dir(MutableMapping):
        if callable(getattr(MutableMapping, name)) and hasattr(cls, name):
            owner = next(c for c in cls.__mro__ if name in vars(c))
            allowed = {"__class_getitem__", "__subclasshook__"}
            assert owner.__module__.startswith("safemap") or owner is object or name in allowed, (name, owner)


# --- what is like something else ------------------------------------------------------------------------


def lacks(thing: Any, model: Any) -> set[str]:
    """Return the names, public or special, that a model has and a thing has not."""
    return set(dir(model)) - set(dir(thing))


def test_a_map_has_all_of_dict():
    for cls in KINDS:
        assert lacks(cls(), {}) == set()
    assert lacks(MutexMap().snapshot(), {}) == {
        "__delitem__", "__ior__", "__setitem__", "clear", "fromkeys", "pop", "popitem", "setdefault", "update",
    }  # fmt: skip


@pytest.mark.parametrize("cls", KINDS)
@pytest.mark.parametrize("name", ["keys", "values", "items"])
def test_views_have_the_surface_of_dicts_views_and_no_more(cls, name):
    mine, theirs = getattr(cls(), name)(), getattr({}, name)()
    assert public(type(mine)) == public(type(theirs))
    assert not lacks(mine, theirs)
    abstract = {"keys": KeysView, "values": ValuesView, "items": ItemsView}[name]
    assert isinstance(mine, abstract)
    assert isinstance(mine, Set) == isinstance(theirs, Set)
    assert isinstance(mine, Hashable) == isinstance(theirs, Hashable)
    for operation in public(type(mine)) | {"__contains__", "__iter__", "__len__", "__reversed__"}:
        owner = next(c for c in type(mine).__mro__ if operation in vars(c))
        assert owner.__module__ == "safemap._views", f"{operation} looks every key up again, or is none"


@pytest.mark.parametrize("cls", KINDS)
def test_snapshots_have_the_surface_of_a_mapping_and_little_more(cls):
    snapshot = cls(a=1).snapshot()
    assert public(type(snapshot)) == public(Mapping) | {"copy", "to_dict"}
    assert isinstance(snapshot, Mapping)
    assert isinstance(snapshot, Hashable)
    assert not isinstance(snapshot, MutableMapping | Sequence)
    for name in public(Mapping) | {"__getitem__", "__contains__", "__iter__", "__len__"}:
        abstract, concrete = (parameters_of(c, name) or [] for c in (Mapping, type(snapshot)))
        assert [p[2] for p in concrete] == [p[2] for p in abstract], f"{name} takes other arguments"
        if name in public(Mapping):
            assert concrete == abstract
    assert type(snapshot) is Snapshot or isinstance(snapshot, Snapshot)
