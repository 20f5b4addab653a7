"""The labs: a catalogue that looks the same for every seed, and what the catalogue does not tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import Catalog, ids_of
from foldin.data.synthetic.calendar import date_of_week
from foldin.data.synthetic.topics import TOPICS

__all__ = ["LEVELS", "TASTES", "Labs", "make_labs"]

LEVELS = ("beginner", "intermediate", "advanced")
LEVEL_SHARES = (0.40, 0.35, 0.25)  # most catalogues are widest at the entrance
MINUTES = (45, 75, 105)  # typical duration by level; a lab is up to 30 minutes off, in steps of 15

TOPIC_WEIGHTS = (1.0, 0.6, 0.4)  # of a lab's main, second and third topic; the unit of all latent numbers
SECOND_TOPIC, THIRD_TOPIC = 0.50, 0.30  # chance of a second topic, and of a third where there is a second
TASTES = 4  # latent factors without a name, such as teaching style: neither catalogue nor profile shows them
TASTE_SPREAD = 0.12  # standard deviation per taste: four of them weigh about as much as a second topic
ATTENTION_SPREAD = 1.0  # of the log of how often a lab is shown: the top fifth gets over half of all places

EDITIONS = 3  # yearly editions, from that of 2020 on
FIRST_EDITION = 20
NUMBERS = 99  # lab numbers of a series: two digits
FIRST_RELEASE, LAST_RELEASE = -104, 70  # weeks from the log's start: three labs in five are older than the log
CATALOGUE_SEED = 2002  # of what is drawn for the catalogue, whatever the world's seed

FORMS = (
    ("Getting Started with {}", "Introduction to {}", "{}: First Steps", "{} Essentials"),
    ("{} in Practice", "Working with {}", "Troubleshooting {}", "Planning {}", "Automating {}"),
    ("Advanced {}", "{} in Depth", "{} under the Hood", "Mastering {}"),
)


@dataclass(frozen=True, eq=False)
class Labs:
    """Labs in the catalogue's order, sorted by id.

    Shapes: `factors` (items, topics and tastes), the others (items,).
    Units: `levels` 0 to 2, `minutes` of duration, `released` in weeks from the log's start, `attention` relative.
    """

    catalog: Catalog
    factors: NDArray[np.float32]
    levels: NDArray[np.intp]
    minutes: NDArray[np.int64]
    released: NDArray[np.intp]
    attention: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.catalog)


def make_labs(items: int, rng: np.random.Generator) -> Labs:
    """Labs of the twelve tracks in turn; only tastes and attention depend on `rng`."""
    fixed = np.random.default_rng(CATALOGUE_SEED)
    turns, tracks, item_ids = _places(items)
    levels = fixed.choice(len(LEVELS), size=items, p=LEVEL_SHARES)
    minutes = np.array(MINUTES)[levels] + 15 * fixed.integers(-2, 3, size=items)
    weights = _topic_weights(tracks, fixed)
    released = _release_weeks(turns, fixed)
    attributes = {
        "title": ids_of(_titles(tracks, levels)),
        "topics": ids_of(_topic_names(row) for row in weights),
        "level": ids_of(LEVELS[level] for level in levels),
        "duration": ids_of(str(duration) for duration in minutes),
        "track": ids_of(TOPICS[track].track for track in tracks),
        "released": ids_of(date_of_week(int(week)).isoformat() for week in released),
    }
    tastes = rng.normal(0, TASTE_SPREAD, size=(items, TASTES))
    attention = np.exp(rng.normal(0, ATTENTION_SPREAD, size=items))
    factors = np.hstack([weights, tastes]).astype(np.float32)
    return Labs(Catalog(ids_of(item_ids), attributes), factors, levels, minutes, released, attention)


def _places(items: int) -> tuple[NDArray[np.intp], NDArray[np.intp], list[str]]:
    # Every turn adds one lab to each track, and the turns are dealt out over the editions.
    numbers = np.arange(items)
    turns, tracks = numbers // len(TOPICS), numbers % len(TOPICS)
    count = int(turns[-1]) + 1
    editions = turns * EDITIONS // count
    within = turns + (-editions * count // EDITIONS)  # the first turn of edition e is ceil(e count / EDITIONS)
    rows = sorted(
        (_lab_id(*place), row)
        for row, place in enumerate(zip(editions.tolist(), tracks.tolist(), within.tolist(), strict=True))
    )
    order = np.array([row for _, row in rows])
    return turns[order], tracks[order], [lab_id for lab_id, _ in rows]


def _lab_id(edition: int, track: int, within: int) -> str:
    # A track that is full goes on in a further series: 1, 13, 25 ... for the first track.
    series = 1 + track + len(TOPICS) * (within // NUMBERS)
    return f"HOL-{FIRST_EDITION + edition}{series:02d}-{within % NUMBERS + 1:02d}-{TOPICS[track].track}"


def _release_weeks(turns: NDArray[np.intp], fixed: np.random.Generator) -> NDArray[np.intp]:
    age = (turns + fixed.random(len(turns))) / (turns.max() + 1)
    weeks: NDArray[np.intp] = np.floor(FIRST_RELEASE + age * (LAST_RELEASE - FIRST_RELEASE)).astype(np.intp)
    return weeks


def _topic_weights(tracks: NDArray[np.intp], fixed: np.random.Generator) -> NDArray[np.float64]:
    items, topics = len(tracks), len(TOPICS)
    # Steps round the circle of topics: the second and third differ from the main topic and from each other.
    second = (tracks + fixed.integers(1, topics // 2 + 1, size=items)) % topics
    third = (tracks + fixed.integers(topics // 2 + 1, topics, size=items)) % topics
    has_second = fixed.random(items) < SECOND_TOPIC
    has_third = has_second & (fixed.random(items) < THIRD_TOPIC)
    weights = np.zeros((items, topics))
    rows = np.arange(items)
    weights[rows, tracks] = TOPIC_WEIGHTS[0]
    weights[rows[has_second], second[has_second]] = TOPIC_WEIGHTS[1]
    weights[rows[has_third], third[has_third]] = TOPIC_WEIGHTS[2]
    return weights


def _topic_names(weights: NDArray[np.float64]) -> str:
    heaviest_first = np.argsort(-weights, kind="stable")[: np.count_nonzero(weights)]
    return "|".join(TOPICS[topic].name for topic in heaviest_first)


def _titles(tracks: NDArray[np.intp], levels: NDArray[np.intp]) -> list[str]:
    used = np.zeros((len(TOPICS), len(LEVELS)), dtype=np.intp)
    titles = []
    for track, level in zip(tracks, levels, strict=True):
        titles.append(_title(int(track), int(level), int(used[track, level])))
        used[track, level] += 1
    return titles


def _title(track: int, level: int, number: int) -> str:
    subjects, forms = TOPICS[track].subjects, FORMS[level]
    subject = subjects[(number + 4 * level) % len(subjects)]
    # 13 steps per round of subjects share no divisor with 4 or 5 forms, so every pair comes before one comes again
    form = forms[(number + number // len(subjects)) % len(forms)]
    part = number // (len(subjects) * len(forms)) + 1
    return form.format(subject) + (f", Part {part}" if part > 1 else "")
