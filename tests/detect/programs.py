"""What racy and correct programs share: how they are listed, and how their threads are run."""

from __future__ import annotations

import threading


class Programs(dict):
    """Functions by name, each a program that makes its dicts, locks and threads itself."""

    def __call__(self, function):
        assert function.__name__ not in self
        self[function.__name__] = function
        return function


class Racy(Programs):
    """Programs, and the kind of race that each has."""

    def __init__(self):
        self.kinds = {}

    def __call__(self, kind):
        def add(function):
            self.kinds[function.__name__] = kind
            return Programs.__call__(self, function)

        return add


def together(*functions, times=1):
    """Run each function in a thread of its own, and wait for all of them."""
    errors = []

    def run(function):
        try:
            for _ in range(times):
                function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    if errors:
        raise errors[0]
