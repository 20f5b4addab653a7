"""What is counted and timed, in Prometheus' form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from foldin.service.live import Live
from foldin.store.contract import ClickThrough

__all__ = ["Measures", "text_of"]

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
BATCHES = (1, 2, 4, 8, 16, 32, 64)

RANKS = 10
"""Ranks that have counts of their own; those below share one."""

MODELS = 10
"""Models whose counts are told, the latest that were shown: every one of them takes twice as many series."""


class Measures:
    """One registry for each service, so that several can live in a process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "foldin_request_seconds",
            "From the request to its answer.",
            ("method", "route", "status"),
            buckets=LATENCIES,
            registry=self._registry,
        )
        self.batch = Histogram(
            "foldin_batch_size", "Rankings scored together.", buckets=BATCHES, registry=self._registry
        )
        self.events = Counter(
            "foldin_events", "Events taken, by what became of them.", ("outcome",), registry=self._registry
        )
        self.recommendations = Counter(
            "foldin_recommendations",
            "Rankings given; cold ones rest on no history.",
            ("start",),
            registry=self._registry,
        )
        self.dropped = Counter(
            "foldin_impressions_dropped", "Of which the store knows nothing: it was away.", registry=self._registry
        )
        self._lock = Lock()
        self._waiting = Gauge("foldin_queue", "Rankings that wait.", registry=self._registry)
        self._age = Gauge("foldin_model_age_seconds", "Since the model went live here.", registry=self._registry)
        self._model = Gauge("foldin_model", "1 for the model that is live.", ("version",), registry=self._registry)
        self._coverage = Gauge(
            "foldin_coverage_ratio",
            "Items recommended since the model went live, of those it can.",
            registry=self._registry,
        )
        self._shown: set[str] = set()
        self._shown_of: str | None = None

    def recommended(self, live: Live, item_ids: list[str], *, cold: bool) -> None:
        """Counts a ranking."""
        if live.version != self._shown_of:
            self._shown, self._shown_of = set(), live.version
        self._shown.update(item_ids)
        self.recommendations.labels("cold" if cold else "warm").inc()

    def measured(self, live: Live | None, waiting: int) -> list[Metric]:
        """All that this process measures, with what is so just now; from any thread."""
        with self._lock:
            self._waiting.set(waiting)
            self._model.clear()
            if live is not None:
                self._model.labels(live.version).set(1)
                self._age.set((datetime.now(UTC) - live.since).total_seconds())
                reachable = int(live.recommender.blend.reachable.sum())
                self._coverage.set(len(self._shown) / reachable if reachable and self._shown_of == live.version else 0)
            return list(self._registry.collect())


def text_of(measured: Sequence[Metric], clicks: Sequence[ClickThrough]) -> bytes:
    """Measures, and the store's counts, in Prometheus' text form."""
    return generate_latest(_Told([*measured, *_click_throughs(clicks)]))


class _Told(Collector):
    """Measures as the library wants them."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Sequence[Metric]:
        return self._metrics


def _click_throughs(counted: Sequence[ClickThrough]) -> tuple[Metric, Metric]:
    """The store's counts, by the latest models and by rank."""
    labels = ("model", "rank")
    shown = CounterMetricFamily("foldin_impressions", "Items shown, as the store counts them.", labels=labels)
    clicked = CounterMetricFamily("foldin_clicks", "Of these, what an event came from.", labels=labels)
    for place, counts in _by_place(counted).items():
        shown.add_metric(place, counts[0])
        clicked.add_metric(place, counts[1])
    return shown, clicked


def _by_place(counted: Sequence[ClickThrough]) -> dict[tuple[str, str], tuple[int, int]]:
    latest = list(dict.fromkeys(one.model for one in counted))[-MODELS:]
    places: dict[tuple[str, str], tuple[int, int]] = {}
    for one in counted:
        if one.model in latest:
            place = one.model, str(one.rank) if one.rank <= RANKS else f"over {RANKS}"
            shown, clicked = places.get(place, (0, 0))
            places[place] = shown + one.shown, clicked + one.clicked
    return places
