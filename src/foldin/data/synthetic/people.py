"""The people: what a profile says of them, and the latent interests it only partly reveals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import ids_of
from foldin.data.interactions import Ids
from foldin.data.synthetic.calendar import WEEKS
from foldin.data.synthetic.labs import TASTES
from foldin.data.synthetic.topics import TOPICS

__all__ = ["People", "make_people"]

# Role -> share of the people, and the topics it is at home in.
ROLES: dict[str, tuple[float, tuple[str, ...]]] = {
    "administrator": (0.22, ("compute", "storage", "monitoring")),
    "architect": (0.10, ("cloud", "compute", "networking", "security")),
    "data engineer": (0.10, ("databases", "machine-learning")),
    "desktop engineer": (0.09, ("desktops", "security")),
    "developer": (0.17, ("development", "containers", "databases")),
    "network engineer": (0.12, ("networking", "security")),
    "platform engineer": (0.12, ("containers", "automation", "cloud", "monitoring")),
    "security analyst": (0.08, ("security", "monitoring")),
}
HOME = 6.0  # how much likelier an interest is a home topic of the role than another one

INTEREST_WEIGHTS = (1.0, 0.8, 0.55, 0.4)  # of a person's first to fourth interest, in units of a lab's main topic
INTEREST_COUNTS = (0.25, 0.35, 0.25, 0.15)  # shares of people with one to four interests
STATED = 0.70  # chance that a true interest stands in the profile
MISSTATED = 0.25  # chance that one more topic stands there, true or not

EXPERIENCE = ("junior", "experienced", "senior")
EXPERIENCE_SHARES = (0.35, 0.40, 0.25)
SKILL_SPREAD = 0.35  # of skill around experience, in levels

THERE_AT_THE_START = 0.40  # share of people who were customers before the log begins; the others join evenly
LAST_JOINING = 72  # week
MEDIAN_VISITS = 33.0  # of a person, over the time of the log
VISIT_SPREAD = 0.75  # of the log of visits: most come a few times, a few come every day
MOST_VISITS = 600  # more than one a day would be a bot
LENIENCY_SPREAD = 0.30  # of how generously people rate, in stars


@dataclass(frozen=True, eq=False)
class People:
    """People without names, in no particular order.

    Shapes: `factors` (users, topics and tastes), the others (users,), also each column of `attributes`.
    Units: `skill` in levels, about 0 to 2; `joined` in weeks; `visits` over the whole log; `leniency` in stars.
    """

    attributes: dict[str, Ids]
    factors: NDArray[np.float32]
    skill: NDArray[np.float32]
    joined: NDArray[np.intp]
    visits: NDArray[np.intp]
    leniency: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.visits)

    def part(self, rows: slice) -> People:
        """Some of the people."""
        return People(
            {name: column[rows] for name, column in self.attributes.items()},
            self.factors[rows],
            self.skill[rows],
            self.joined[rows],
            self.visits[rows],
            self.leniency[rows],
        )


def make_people(users: int, rng: np.random.Generator) -> People:
    """People with a role, interests that lean towards it, experience, tastes and habits."""
    roles = rng.choice(len(ROLES), size=users, p=[share for share, _ in ROLES.values()])
    interests = _interests(roles, rng)
    experience = rng.choice(len(EXPERIENCE), size=users, p=EXPERIENCE_SHARES)
    attributes = {
        "role": ids_of(list(ROLES)[role] for role in roles),
        "interests": _stated(interests, rng),
        "experience": ids_of(EXPERIENCE[level] for level in experience),
    }
    tastes = rng.normal(0, 1, size=(users, TASTES))
    skill = experience + rng.normal(0, SKILL_SPREAD, size=users)
    return People(
        attributes,
        np.hstack([interests, tastes]).astype(np.float32),
        skill.astype(np.float32),
        _joining_weeks(users, rng),
        _visits(users, rng),
        rng.normal(0, LENIENCY_SPREAD, size=users).astype(np.float32),
    )


def _interests(roles: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
    # Gumbel noise on log weights draws without replacement, in proportion to the weights.
    keys = np.log(_leanings())[roles] + rng.gumbel(size=(len(roles), len(TOPICS)))
    drawn = np.argsort(-keys, axis=1)[:, : len(INTEREST_WEIGHTS)]
    counts = 1 + rng.choice(len(INTEREST_COUNTS), size=len(roles), p=INTEREST_COUNTS)
    weights = np.where(np.arange(len(INTEREST_WEIGHTS)) < counts[:, None], INTEREST_WEIGHTS, 0)
    interests = np.zeros(keys.shape)
    np.put_along_axis(interests, drawn, weights, axis=1)
    return interests


def _leanings() -> NDArray[np.float64]:
    return np.array([[HOME if topic.name in homes else 1.0 for topic in TOPICS] for _, homes in ROLES.values()])


def _stated(interests: NDArray[np.float64], rng: np.random.Generator) -> Ids:
    stated = (interests > 0) & (rng.random(interests.shape) < STATED)
    misstating = np.flatnonzero(rng.random(len(interests)) < MISSTATED)
    stated[misstating, rng.integers(len(TOPICS), size=len(misstating))] = True
    names = [topic.name for topic in TOPICS]
    cells = ["|".join(name for name, said in zip(names, row, strict=True) if said) or None for row in stated]
    column = np.empty(len(cells), dtype=np.object_)
    column[:] = cells
    return column


def _joining_weeks(users: int, rng: np.random.Generator) -> NDArray[np.intp]:
    assert LAST_JOINING < WEEKS
    early = rng.random(users) < THERE_AT_THE_START
    return np.where(early, 0, rng.integers(LAST_JOINING + 1, size=users))


def _visits(users: int, rng: np.random.Generator) -> NDArray[np.intp]:
    drawn = MEDIAN_VISITS * np.exp(rng.normal(0, VISIT_SPREAD, size=users))
    return np.clip(np.rint(drawn), 1, MOST_VISITS).astype(np.intp)
