"""The data of the charts, as the script reads it: numbers and names, no drawing.

A chart has axes, series of points [x, y, low, high, ratio, its low, its high], and marks. Contestants are
numbered, so that each has one colour, one marker and one button, wherever it is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from safemap.bench.summary import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safemap.bench.statistics import Ratio
    from safemap.bench.summary.model import Measured, Spread, Summary

Chart: TypeAlias = dict[str, Any]


def charts(summary: Summary) -> dict[str, Any]:
    """Return all charts, by the name of their section."""
    return {
        "reference": summary.reference,
        "contestants": [
            # Who is much alike another one, or no map, is drawn when its button is pressed.
            {"name": each.name, "role": each.role, "shown": not each.few and each.role != "floor"}
            for each in summary.contestants
        ],
        "charts": {
            "threads": [*_threads(summary)],
            "reads": [*_reads(summary)],
            "latency": [*_latency(summary)],
            "fairness": [*_strips(summary)],
            "memory": [*_costs(summary, memory=True)],
            "sizes": [*_costs(summary, memory=False)],
            "noise": [*_noise(summary)],
        },
    }


def _round(number: float) -> float:
    return float(f"{number:.5g}")


def _point(x: float, spread: Spread, ratio: Ratio | None) -> list[float]:
    point = [x, _round(spread.value), _round(spread.low), _round(spread.high)]
    return point + ([_round(each) for each in (ratio.value, ratio.low, ratio.high)] if ratio else [])


def _against(each: Measured, summary: Summary) -> Ratio | None:
    return each.ratio if each.contestant != summary.reference else None


def _places(summary: Summary) -> dict[str, int]:
    return {each.name: place for place, each in enumerate(summary.contestants)}


def _series(summary: Summary, points: dict[str, list[list[float]]]) -> list[dict[str, Any]]:
    places = _places(summary)
    return [{"c": places[who], "p": each} for who, each in points.items() if each]


def _threads(summary: Summary) -> Iterator[Chart]:
    for pick in summary.picks:
        of = [each for each in summary.measured if each.workload == pick.workload]
        counts = sorted({each.threads for each in of})
        if len(counts) > 1:
            points: dict[str, list[list[float]]] = {}
            for each in of:
                if each.throughput is not None:
                    points.setdefault(each.contestant, []).append(
                        _point(each.threads, each.throughput, _against(each, summary))
                    )
            beyond = [count for count in counts if count > summary.run.cores]
            yield {
                "title": pick.workload,
                "about": pick.about,
                "x": {"kind": "ordinal", "label": "threads", "ticks": [[count, str(count)] for count in counts]},
                "y": {"kind": "linear", "label": "million per second", "unit": "rate"},
                "beyond": beyond[0] if beyond else None,
                "series": _series(summary, points),
            }


def _reads(summary: Summary) -> Iterator[Chart]:
    found = summary.read_shares
    if found is None:
        return
    points: dict[str, list[list[float]]] = {}
    for share, workload in zip(found.shares, found.workloads, strict=True):
        for each in summary.of(workload, found.threads):
            if each.throughput is not None:
                points.setdefault(each.contestant, []).append(
                    _point(share, each.throughput, _against(each, summary))
                )
    places = _places(summary)
    yield {
        "title": "Throughput by share of reads",
        "x": {
            "kind": "ordinal",
            "label": "reads",
            "ticks": [[share, words.percent(share)] for share in found.shares],
        },
        "y": {"kind": "linear", "label": "million per second", "unit": "rate"},
        "harmonic": True,
        "series": _series(summary, points),
        "marks": [
            {
                "x": _round(each.reads),
                "y": _round(each.rate),
                "of": [places[each.below], places[each.above]],
                "text": words.crossover(each),
                **({} if {each.below, each.above} <= {*summary.variants} else {"minor": True}),
            }
            for each in found.crossovers
        ],
    }


def _latency(summary: Summary) -> Iterator[Chart]:
    for workload, load in dict.fromkeys((each.workload, each.load) for each in summary.latencies):
        of = [each for each in summary.latencies if (each.workload, each.load) == (workload, load)]
        series = [
            {
                "c": _places(summary)[each.contestant],
                "p": [[share, _round(ns)] for share, ns in each.curve],
                **({"behind": True} if each.behind else {}),
            }
            for each in of
        ]
        yield {
            "title": f"{workload}, at {words.percent(load)} load",
            "x": {"kind": "nines", "label": "share of operations"},
            "y": {"kind": "log", "label": "latency", "unit": "ns"},
            "series": series,
        }


def _strips(summary: Summary) -> Iterator[Chart]:
    judged = [each for each in summary.measured if each.judged and each.state == "good"]
    several = [each.threads for each in judged if each.fairness is not None]
    if several:
        yield _strip(
            "Jain's index of fairness",
            {
                "kind": "linear",
                "label": "Jain's index",
                "unit": "plain",
                "from": _round(1 / max(several)),
                "to": 1,
            },
            summary,
            [(each, each.fairness) for each in judged if each.fairness is not None],
        )
    if any(each.cpu for each in judged):
        yield _strip(
            "CPU seconds for a million operations",
            {"kind": "log", "label": "CPU seconds", "unit": "plain"},
            summary,
            [(each, each.cpu) for each in judged if each.cpu],
        )


def _strip(title: str, axis: dict[str, Any], summary: Summary, dots: list[tuple[Measured, float]]) -> Chart:
    names = list(dict.fromkeys(each.contestant for each, _ in dots))
    places = _places(summary)
    return {
        "title": title,
        "kind": "strip",
        "x": axis,
        "rows": names,
        "series": [
            {
                "c": places[name],
                "p": [[_round(value), row] for each, value in dots if each.contestant == name],
                "names": [each.workload for each, _ in dots if each.contestant == name],
            }
            for row, name in enumerate(names)
        ],
    }


def _costs(summary: Summary, *, memory: bool) -> Iterator[Chart]:
    of = [each for each in summary.costs if (each.cost == "bytes_per_entry") == memory]
    for cost in dict.fromkeys(each.cost for each in of):
        points = {
            each.contestant: [[float(size), _round(value)] for size, value in each.by_size.items() if value > 0]
            for each in of
            if each.cost == cost
        }
        entries = sorted({point[0] for each in points.values() for point in each})
        title = "Bytes per entry" if memory else cost[0].upper() + cost[1:]
        yield {
            "title": title,
            "x": {"kind": "log", "label": "entries", "ticks": [[size, f"{size:,.0f}"] for size in entries]},
            "y": {"kind": "linear", "label": "bytes", "unit": "plain"}
            if memory
            else {"kind": "log", "label": "time", "unit": "ns"},
            "series": _series(summary, points),
        }


def _noise(summary: Summary) -> Iterator[Chart]:
    known = [each for each in summary.noise if each.ratios]
    if known:
        yield {
            "title": f"{summary.reference} against itself",
            "kind": "strip",
            "x": {"kind": "log", "label": "ratio", "unit": "ratio", "through": 1},
            "rows": [f"{each.kind}, {words.many(each.threads, 'thread')}" for each in known],
            "bands": [[row, each.floor] for row, each in enumerate(known)],
            "series": [
                {
                    "c": None,
                    "p": [[_round(ratio), row] for _, _, ratio in each.ratios if ratio > 0],
                    "names": [
                        f"{workload}, block {block + 1}" for workload, block, ratio in each.ratios if ratio > 0
                    ],
                }
                for row, each in enumerate(known)
            ],
        }
