from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.prior import recent_shares
from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import Feedback
from foldin.data.interactions import Interactions
from foldin.data.matrix import merged_pairs
from foldin.data.profiles import Profiles
from foldin.errors import ConfigurationError
from foldin.evidence import Evidence, full_catalog, gathered

LogOf = Callable[..., Interactions]

DAY = 86_400_000_000
EVENTS = [("ann", "b"), ("bob", "c"), ("ann", "a"), ("cid", "b"), ("bob", "b"), ("ann", "b"), ("dot", "x")]
TIMES = [day * DAY for day in (1, 9, 3, 9, 2, 8, 5)]
TITLES = Catalog(ids_of(["c", "new", "b"]), {"title": ids_of(["deep sea", "sea", "green hills"])})
ROWS = np.array([0, 2])  # ann and cid


@pytest.fixture(scope="module")
def log(log_of: LogOf) -> Interactions:
    return log_of(EVENTS, times=TIMES)


def events(log: Interactions) -> list[tuple[str, str]]:
    pairs = zip(log.user_ids[log.user_codes], log.item_ids[log.item_codes], strict=True)
    return sorted((str(user), str(item)) for user, item in pairs)


def trained(evidence: Evidence, rows: NDArray[np.intp]) -> csr_array:
    return evidence.matrix.histories[rows]


def test_items_only_the_log_knows_come_after_the_catalogues(log: Interactions) -> None:
    assert list(full_catalog(log, TITLES).item_ids) == ["c", "new", "b", "a", "x"]
    assert list(full_catalog(log, None).item_ids) == ["a", "b", "c", "x"]
    evidence = gathered(log, catalog=TITLES)
    assert evidence.matrix.histories.shape == (4, 5)
    assert evidence.matrix.histories.toarray()[0].tolist() == [0, 0, 1, 1, 0]


def test_profiles_are_those_of_the_matrixs_rows(log: Interactions) -> None:
    profiles = Profiles(ids_of(["zoe", "cid", "ann"]), {"role": ids_of(["chef", "cook", "boss"])})
    evidence = gathered(log, profiles=profiles)
    assert list(evidence.matrix.user_ids) == ["ann", "bob", "cid", "dot"]
    assert list(evidence.attributes["role"]) == ["boss", None, "cook", None]
    assert gathered(log).attributes == {}


def test_the_prior_is_taught_by_training_rows_alone(log: Interactions) -> None:
    evidence = gathered(log)
    prior = evidence.prior(trained(evidence, ROWS), ROWS)
    assert prior.shares.tolist() == [0.5, 1, 0, 0]
    assert prior.warm.tolist() == [True, True, False, False]
    assert prior.content is None
    assert prior.profile is None


def test_recent_popularity_counts_training_cells_alone(log: Interactions) -> None:
    evidence = gathered(log, recent=2.0)
    prior = evidence.prior(trained(evidence, ROWS), ROWS)
    pairs = merged_pairs(log, evidence.catalog, evidence.rule)
    of_rows = pairs.where(np.isin(pairs.rows, ROWS))
    assert prior.shares == pytest.approx(recent_shares(of_rows, 2, 2.0))
    # cid came to b on day 9; ann to b on day 1 and to a on day 3, of weights 1, 1/16 and 1/8
    weights = np.array([1 / 8, 1 + 1 / 16, 0, 0])
    assert prior.shares == pytest.approx(weights * 3 / weights.sum() / 2)


def test_a_cell_that_was_withheld_teaches_nothing(log: Interactions) -> None:
    evidence = gathered(log, recent=2.0)
    fewer = trained(evidence, ROWS).copy()
    fewer.data[fewer.indices == 0] = 0
    fewer.eliminate_zeros()
    prior = evidence.prior(fewer, ROWS)
    assert prior.shares[0] == 0
    assert not prior.warm[0]


def test_recent_popularity_needs_times(log_of: LogOf) -> None:
    evidence = gathered(log_of(EVENTS), recent=2.0)
    with pytest.raises(ConfigurationError, match="needs a column of times"):
        evidence.prior(trained(evidence, ROWS), ROWS)


def test_the_events_within_training_cells(log: Interactions) -> None:
    evidence = gathered(log)
    assert events(evidence.within(trained(evidence, ROWS), ROWS)) == [
        ("ann", "a"),
        ("ann", "b"),
        ("ann", "b"),
        ("cid", "b"),
    ]
    only_b = trained(evidence, ROWS).copy()
    only_b.data[only_b.indices != 1] = 0
    only_b.eliminate_zeros()
    assert events(evidence.within(only_b, ROWS)) == [("ann", "b"), ("ann", "b"), ("cid", "b")]
    everyone = np.arange(4)
    assert events(evidence.within(trained(evidence, everyone), everyone)) == sorted(EVENTS)


def test_cold_items_resemble_what_the_training_users_had(log: Interactions) -> None:
    evidence = gathered(log, catalog=TITLES)
    bob = np.array([1])
    cold_items = evidence.cold_items(evidence.prior(trained(evidence, bob), bob), 2.5)
    assert cold_items is not None
    assert cold_items.history_weight == 2.5
    assert np.flatnonzero(cold_items.reachable).tolist() == [1]
    assert np.flatnonzero(cold_items.weights.toarray()[:, 1]).tolist() == [0]


def test_without_words_or_anything_warm_there_are_no_cold_items_to_score(log: Interactions) -> None:
    plain, titled = gathered(log), gathered(log, catalog=TITLES)
    nobody = np.empty(0, dtype=np.intp)
    assert plain.cold_items(plain.prior(trained(plain, ROWS), ROWS), 1) is None
    assert titled.cold_items(titled.prior(trained(titled, nobody), nobody), 1) is None
    assert gathered(log).content is None


def test_feedback_settles_on_the_log(log_of: LogOf) -> None:
    rated = log_of(EVENTS[:3], values=[5, 2, 4])
    evidence = gathered(rated, feedback=Feedback(form="explicit", positive_from=4))
    assert list(evidence.rule.rating_range or ()) == [2, 5]
    assert evidence.matrix.histories.toarray()[0] == pytest.approx([0.8, 1, 0])
    with pytest.raises(ConfigurationError):
        gathered(rated)
