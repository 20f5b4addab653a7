from __future__ import annotations

import numpy as np

from foldin.coldstart.query import query_term

OTHERS = np.array([[0, 5, 1, -5], [2, 2, 2, 2]], dtype=np.float32)


def test_the_term_is_the_formula() -> None:
    relevance = np.array([[1, 0.5, 0.1, 0], [0, 1, 0, 0.5]], dtype=np.float32)
    term = query_term(relevance, OTHERS)
    assert term.dtype == np.float32
    np.testing.assert_allclose(term, np.array([[10 * 3, 10 * 2, 10 * 1.2, 0], [0, 3, 0, 2]]), rtol=1e-6)


def test_what_matches_comes_before_all_that_does_not() -> None:
    total = OTHERS + query_term(np.array([[0, 0, 0, 1e-3], [0, 0, 0, 1e-3]], dtype=np.float32), OTHERS)
    assert total.argmax(axis=1).tolist() == [3, 3]


def test_the_rest_orders_only_items_that_match_about_as_well() -> None:
    others = np.array([[0, 10]], dtype=np.float32)
    near, far = (others + query_term(np.array([[1, other]], dtype=np.float32), others) for other in (0.6, 0.4))
    assert near.argmax() == 1
    assert far.argmax() == 0


def test_a_catalogue_of_nothing_has_no_term() -> None:
    assert query_term(np.empty((2, 0), dtype=np.float32), np.empty((2, 0), dtype=np.float32)).shape == (2, 0)
