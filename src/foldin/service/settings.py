"""How a service runs: its limits, each with its unit and what it is by default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["DEFAULT_KEEP", "Settings"]

DEFAULT_KEEP = 5
"""Bundles that are kept when the service trains by itself."""


@dataclass(frozen=True)
class Settings:
    """`workspace`: the folder with store, bundles and keys.

    `host`: where it listens. `auth`: whether a key is wanted; `origins`: of pages elsewhere that may ask (CORS), and of
    the service itself where it has another name, as behind a proxy.
    `most_at_once`: wishes scored together, 1 for each alone; `most_waiting`: wishes that may wait;
    `most_explained`: requests for reasons that may wait; `most_writes`: batches of events that may wait for the disk;
    `most_requests`: answered at once, of recommendations for one, of those for many, of what writes and of all else
    each.
    `deadline`: seconds until a recommendation is given up; `patience`: until all else is; `pause`: until a body is of
    which nothing more comes. `body`: bytes of a request at most, unpacked too; `bulk_body`: where many events
    or items come in.
    `rate`: requests per second of one key, on average; `burst`: at once.
    `look`: seconds between looks for a new model and a changed catalogue.
    `impressions`: the share of what is shown that the store remembers, 0 to 1.
    `retrain`: seconds after which it trains again where there is something new; None leaves that to others.
    `keep`: bundles that such a training leaves, at least 2; it removes older ones.
    `tallies`: the folder in which several processes add up what they measure; None where there is one.
    """

    workspace: Path
    host: str = "127.0.0.1"
    auth: bool = True
    origins: tuple[str, ...] = ()
    most_at_once: int = 64
    most_waiting: int = 512
    most_explained: int = 16
    most_writes: int = 2_048
    most_requests: int = 256
    deadline: float = 2.0
    patience: float = 30.0
    pause: float = 1.5
    body: int = 2**20
    bulk_body: int = 2**22
    rate: float = 1_000.0
    burst: int = 2_000
    look: float = 1.0
    impressions: float = 1.0
    retrain: float | None = None
    keep: int = DEFAULT_KEEP
    tallies: Path | None = None
