"""CPython's own tests of mappings, where they are installed."""

from __future__ import annotations

import pytest

from safemap.detect import CheckedDict

mapping_tests = pytest.importorskip("test.mapping_tests")


class TestAsCPythonTestsSubclasses(mapping_tests.BasicTestMappingProtocol):
    type2test = CheckedDict


class TestAsCPythonTestsDicts(mapping_tests.TestHashMappingProtocol):
    type2test = CheckedDict

    def test_copy(self):
        """A copy of a subclass is a dict."""
        d = CheckedDict({1: 1})
        assert d.copy() == d
        assert type(d.copy()) is dict

    def test_repr(self):
        assert repr(CheckedDict({1: 2})) == "{1: 2}"

    def test_fromkeys(self):
        made = CheckedDict.fromkeys("ab", 1)
        assert type(made) is CheckedDict
        assert made == {"a": 1, "b": 1}

    def test_mutatingiteration(self):
        d = CheckedDict({1: 1})
        with pytest.raises(RuntimeError):
            for n in d:
                d[n + 1] = 1
