"""Contestants measured in alternating rounds, so that whatever else the machine does hits all of them.

Figures are ratios to the first contestant, each of one round; what is printed is their median and, in brackets,
the middle half of them.
"""

import os
import platform
import statistics
import sys
import threading
import time
from collections import defaultdict

import safemap

LEAST_ROUNDS = 3


def measured(contestants, measures, seconds):
    """Return the ratios of each contestant to the first, by contestant and column, and the number of rounds.

    `contestants`: functions by name that make a fresh one. `measures`: functions that take one, and return figures
    by column: rates, the higher the better.
    """
    names = list(contestants)
    ratios = {name: defaultdict(list) for name in names}
    until = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < until or rounds < LEAST_ROUNDS:
        for measure in measures:
            first = rounds % len(names)  # nobody always is
            figures = {name: measure(contestants[name]()) for name in names[first:] + names[:first]}
            for name in names:
                for column, figure in figures[name].items():
                    ratios[name][column].append(figure / figures[names[0]][column])
        rounds += 1
    return ratios, rounds


def rate(function, repetitions):
    """Return how often `function` runs in a second of this thread's own time."""
    begin = time.thread_time()
    for _ in range(repetitions):
        function()
    return repetitions / (time.thread_time() - begin)


def rates_together(functions, seconds):
    """Return how often per second each function runs, all of them in threads of their own; at least once."""
    ready, stop = threading.Barrier(len(functions) + 1), threading.Event()
    counts = [0] * len(functions)

    def run(number):
        function, count = functions[number], 0
        ready.wait()
        while not stop.is_set():
            function()
            count += 1
        counts[number] = count

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(functions))]
    for thread in threads:
        thread.start()
    ready.wait()
    begin = time.perf_counter()
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - begin
    return [max(count, 1) / taken for count in counts]


def table(ratios, rounds):
    """Return the ratios as a Markdown table, with what they were measured on."""
    gil = "with the GIL" if getattr(sys, "_is_gil_enabled", lambda: True)() else "without the GIL"
    speed = "compiled" if safemap.compiled else "plain Python"
    columns = list(next(iter(ratios.values())))
    lines = [
        f"Python {platform.python_version()} {gil}, {speed}, {os.cpu_count()} cores, {rounds} rounds:",
        "",
        f"| | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    first = next(iter(ratios))
    for name, row in ratios.items():
        cells = [spread(row[column]) if name != first else "1" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values):
    low, middle, high = (f"{value:.2f}" if value < 100 else ">100" for value in statistics.quantiles(values, n=4))
    return f"{middle} ({low} to {high})"
