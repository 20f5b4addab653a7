from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from foldin.data.catalog import Catalog
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.splitting import Split, strong_generalisation
from foldin.errors import ConfigurationError
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity
from foldin.models.protocols import Estimator
from foldin.models.validation import heldout_quality
from foldin.tuning import DROPOUT, L2, Search, Trial, tuned


@pytest.fixture(scope="module")
def split(checkerboard: Interactions) -> Split:
    catalog = Catalog(checkerboard.item_ids)
    return strong_generalisation(checkerboard, catalog, FeedbackRule(Feedback()), validation_users=0.4, withheld=0.5)


def quality(estimator: Estimator, split: Split) -> float:
    return heldout_quality(estimator.fit(split.train), split.validation)


def best(candidates: list[EDLAE], split: Split) -> EDLAE:
    """The best; of equally good ones the last, which regularises most."""
    return max(reversed(candidates), key=lambda one: quality(one, split))


def test_ease_gets_the_best_l2_of_all(split: Split) -> None:
    trials: list[Trial] = []
    chosen = tuned(EASE(77), split, on_trial=trials.append)
    assert [trial.estimator for trial in trials] == [EASE(l2) for l2 in L2]
    assert [trial.quality for trial in trials] == [quality(EASE(l2), split) for l2 in L2]
    best = max(trials, key=lambda trial: trial.quality)  # the first of the best
    assert chosen == best.estimator


def test_edlae_is_chosen_one_field_after_the_other(split: Split) -> None:
    trials: list[Trial] = []
    chosen = tuned(EDLAE(77, 0.33), split, on_trial=trials.append)
    first = best([EDLAE(l2, 0.33) for l2 in L2], split)
    second = best([EDLAE(first.l2, dropout) for dropout in DROPOUT], split)
    assert chosen == best([EDLAE(l2, second.dropout) for l2 in L2], split)
    assert len({trial.estimator for trial in trials}) == len(trials)  # nothing is tried twice


def test_fixed_fields_are_left_alone(split: Split) -> None:
    assert tuned(EASE(77), split, fixed=["l2"]) == EASE(77)
    chosen = tuned(EDLAE(77, 0.33), split, fixed=["l2"])
    assert isinstance(chosen, EDLAE)
    assert chosen.l2 == 77
    assert chosen.dropout in DROPOUT


def test_what_has_no_grid_comes_back_as_it_is(split: Split) -> None:
    assert tuned(Popularity(), split) == Popularity()


def test_a_fixed_field_the_estimator_lacks_is_named(split: Split) -> None:
    with pytest.raises(ConfigurationError, match="edlae has no field 'l3'"):
        tuned(EDLAE(), split, fixed=["l3"])


def test_l2_goes_on_beyond_the_grid_where_large_amounts_want_it(split: Split) -> None:
    loud = replace(split, train=split.train * np.float32(1000))
    chosen = tuned(EASE(), loud)
    assert isinstance(chosen, EASE)
    assert chosen.l2 > max(L2)


def test_a_candidate_that_cannot_be_fitted_is_passed_over(log_of: Callable[..., Interactions]) -> None:
    pairs = [(f"u{user:02}", item) for user in range(40) for item in ("twin a", "twin b", f"i{user % 4}")]
    log = log_of(pairs, values=[3e4] * len(pairs))
    rule = Feedback(strength="none").settle(log)
    chosen = tuned(EASE(), strong_generalisation(log, Catalog(log.item_ids), rule))
    assert isinstance(chosen, EASE)
    assert chosen.l2 > max(L2)


def test_some_of_the_users_choose_and_nothing_is_fitted_twice(split: Split) -> None:
    trials: list[Trial] = []
    search = Search(split, trials.append)
    halves = np.arange(len(split.validation)) % 2 == 0, np.arange(len(split.validation)) % 2 == 1
    for half in (*halves, None):
        part = split if half is None else replace(split, validation=split.validation.where(half))
        assert search.best(EDLAE(77, 0.33), users=half) == tuned(EDLAE(77, 0.33), part)
    assert len({trial.estimator for trial in trials}) == len(trials)
    for trial in trials:
        assert trial.quality == pytest.approx(quality(trial.estimator, split), rel=1e-12)  # told of all of them


def test_users_with_nothing_to_find_have_no_say(split: Split) -> None:
    everybody, nobody = np.ones(len(split.validation), dtype=np.bool_), np.zeros(len(split.validation), dtype=np.bool_)
    nothing = split.validation.targets * np.float32(0)
    nothing.eliminate_zeros()
    aimless = replace(split, validation=replace(split.validation, targets=nothing))
    for search, users in ((Search(split), nobody), (Search(aimless), everybody)):
        assert search.best(EASE(77), users=users) == EASE(max(L2) * 3.0**12)
