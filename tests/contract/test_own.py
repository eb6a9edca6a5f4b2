"""What is safemap's own, beyond the contract: kinds, options, guarantees, and how small an empty map is."""

from __future__ import annotations

import gc

import pytest

import safemap


class TestCreate:
    @pytest.mark.parametrize("kind", safemap.KINDS)
    def test_kinds(self, kind):
        m = safemap.create(kind, {"a": 1}, default_factory=int)
        assert type(m) is safemap.KINDS[kind]
        assert m["b"] == 0

    @pytest.mark.parametrize("kind", ["nope", None, 1, []])
    def test_an_unknown_kind_lists_the_kinds(self, kind):
        with pytest.raises(ValueError, match="mutex.*rwlock.*sharded.*copy_on_write.*read_dirty"):
            safemap.create(kind)

    def test_an_unknown_option_lists_the_options(self, variant):
        with pytest.raises(TypeError, match="default_factory"):
            variant.cls.configured(bogus=1)

    @pytest.mark.parametrize("shards", [0, -1, 65_537, 1 << 70])
    def test_shards_out_of_range(self, shards):
        with pytest.raises(ValueError, match=r"shards.*1.*65536"):
            safemap.create("sharded", shards=shards)

    def test_shards(self):
        with pytest.raises(TypeError):
            safemap.create("sharded", shards=1.5)
        for shards in (1, 3, 64):
            m = safemap.create("sharded", {i: i for i in range(100)}, shards=shards)
            assert m == {i: i for i in range(100)}
            m._check()

    def test_what_is_no_readers_writer_lock(self):
        with pytest.raises(ValueError, match="lock"):
            safemap.create("rwlock", lock=object())


class TestGuarantees:
    def test_are_frozen_data(self, variant):
        with pytest.raises(AttributeError):
            variant.guarantees.update = "never"

    def test_single_keys_are_linearizable_everywhere(self, variant):
        assert variant.guarantees.single_key == "linearizable"


def test_an_empty_map_is_small(variant):
    gc.collect()
    before = len(gc.get_objects())
    maps = [variant() for _ in range(10)]
    # 16 shards of three objects each (3.14 counts empty dicts, too), and the map's own few
    assert (len(gc.get_objects()) - before) / 10 < 16 * 3 + 12
    assert len(maps) == 10
