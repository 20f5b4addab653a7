"""What is counted and timed, in Prometheus' form."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from foldin.service.live import Live

__all__ = ["Measures"]

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
BATCHES = (1, 2, 4, 8, 16, 32, 64)


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

    def text(self, live: Live | None, waiting: int) -> bytes:
        """All of it, in Prometheus' text form."""
        self._waiting.set(waiting)
        self._model.clear()
        if live is not None:
            self._model.labels(live.version).set(1)
            self._age.set((datetime.now(UTC) - live.since).total_seconds())
            reachable = int(live.recommender.blend.reachable.sum())
            self._coverage.set(len(self._shown) / reachable if reachable and self._shown_of == live.version else 0)
        return generate_latest(self._registry)
