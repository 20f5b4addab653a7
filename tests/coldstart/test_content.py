from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from foldin.coldstart.content import Content, fit_content
from foldin.coldstart.word_index import fit_word_index
from foldin.data.catalog import Catalog, ids_of
from foldin.data.synthetic.topics import TOPICS
from foldin.data.synthetic.world import simulate

UNKNOWN: Any = None  # a cell that is not known

LABS = {
    "title": ["Networks at home", "Disks and networks", "Clouds over the sea", "Clouds, once more", UNKNOWN, UNKNOWN],
    "topics": ["networking|basics", "storage|networking", "cloud", "cloud", "machine-learning", UNKNOWN],
    "Language": ["en", "en", "en", "fr", "fr", UNKNOWN],
    "minutes": ["10", "20", "30", "40", "50", "60"],
    "link": [f"https://example.org/{n}/networking" for n in range(6)],
    "since": ["2020-01-05", "2021-01-05", "2022-01-05", "2023-01-05", "2024-01-05", UNKNOWN],
}


def catalog_of(columns: dict[str, list[str]]) -> Catalog:
    count = len(next(iter(columns.values())))
    return Catalog(ids_of(f"lab {n}" for n in range(count)), {name: ids_of(cells) for name, cells in columns.items()})


@pytest.fixture(scope="module")
def content() -> Content:
    fitted = fit_content(catalog_of(LABS))
    assert fitted is not None
    return fitted


def scores_of(content: Content, **profile: str) -> NDArray[np.float32]:
    return np.asarray(content.score({name: ids_of([cell]) for name, cell in profile.items()}, 1)[0])


def found(scores: NDArray[np.float32]) -> list[int]:
    """The items with a score, best first."""
    order = np.argsort(-scores, kind="stable")
    return [int(item) for item in order if scores[item] > 0]


def test_bm25_is_the_formula() -> None:
    texts = [["a", "b", "a"], [], ["b", "c"], ["c", "c", "d", "e"]]
    index = fit_word_index(texts)
    assert index is not None
    lengths = np.array([3, 2, 4])
    frequencies = {"a": [2, 0, 0], "c": [0, 1, 2]}
    expected = np.zeros(3)
    for word in ("a", "c"):
        f = np.array(frequencies[word])
        n = np.count_nonzero(f)
        idf = np.log(1 + (3 - n + 0.5) / (n + 0.5))
        expected += idf * f / (f + 1.5 * (1 - 0.75 + 0.75 * lengths / lengths.mean()))
    scores = index.score([["c", "a", "a", "unheard of"], []])
    np.testing.assert_allclose(scores, [[expected[0], 0, *expected[1:]], [0, 0, 0, 0]], rtol=1e-6)


def test_words_of_most_texts_find_nothing() -> None:
    index = fit_word_index([["the", f"word{n}"] for n in range(20)])
    assert index is not None
    assert not index.score([["the"]]).any()
    assert np.flatnonzero(index.score([["the", "word7"]])).tolist() == [7]
    few = fit_word_index([["the", f"word{n}"] for n in range(5)])
    assert few is not None
    assert few.score([["the"]]).all()


def test_interests_find_topics_and_titles(content: Content) -> None:
    scores = scores_of(content, interests="Networking")
    assert found(scores) == [0, 1]
    assert scores[0] == 1
    assert found(scores_of(content, interests="machine learning")) == [4]
    assert found(scores_of(content, about="I look for disks, or something about the SEA")) == [2, 1]
    assert found(scores_of(content, interests='["storage", "basics"]')) == [0, 1]


def test_more_matches_score_higher(content: Content) -> None:
    assert found(scores_of(content, interests="networking|storage"))[0] == 1
    both, *either = found(scores_of(content, interests="cloud", language="fr"))
    assert both == 3
    assert sorted(either) == [2, 4]


def test_a_value_of_few_items_counts_more_and_shares_with_the_item_s_others(content: Content) -> None:
    assert content.values is not None
    scores = content.values.score({"topics": ids_of(["storage, cloud, basics"])}, 1)[0]
    expected = [np.log(6) / 2**0.5, np.log(6) / 2**0.5, np.log(3), np.log(3), 0, 0]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


@pytest.mark.parametrize(("name", "items"), [("LANGUAGE", [0, 1]), (" Job", [2, 3]), ("spoken", [0, 1, 2, 3])])
def test_an_attribute_is_matched_with_the_one_of_its_name(name: str, items: list[int]) -> None:
    content = fit_content(
        catalog_of({"job": ["it", "it", "en", "en", "hr"], "language": ["en", "en", "fr", "fr", "fr"]})
    )
    assert content is not None
    assert content.values is not None
    assert np.flatnonzero(content.values.score({name: ids_of(["EN"])}, 1)).tolist() == items


@pytest.mark.parametrize(
    "cell", ["", "NaN", "20", "1e400", "2020-01-05", "https://example.org/0/networking", "m", "…", "x" * 300, UNKNOWN]
)
def test_what_says_nothing_finds_nothing(content: Content, cell: str) -> None:
    assert not scores_of(content, interests=cell).any()


@pytest.mark.parametrize("cell", ["m", "20", "20-25", "1e3", "05-Jan-1995", "https://example.org/sql"])
def test_codes_numbers_dates_and_addresses_are_not_looked_up(cell: str) -> None:
    content = fit_content(catalog_of({"tags": ["m|sql", "20|25", "1e3|jan", "https|org"]}))
    assert content is not None
    assert not scores_of(content, something=cell).any()


@pytest.mark.parametrize(
    "cell", ["Machine learning", "machine_learning", "sql; MACHINE-LEARNING", "['machine-learning']"]
)
def test_values_are_matched_however_they_are_written(content: Content, cell: str) -> None:
    assert content.values is not None
    assert np.flatnonzero(content.values.score({"interests": ids_of([cell])}, 1)).tolist() == [4]


def test_scores_are_from_zero_to_one_and_the_same_one_by_one(content: Content) -> None:
    attributes = {
        "interests": ids_of(["cloud", UNKNOWN, "networking|basics", "nothing known"]),
        "language": ids_of(["fr", "fr", UNKNOWN, UNKNOWN]),
    }
    together = content.score(attributes, 4)
    assert together.shape == (4, 6)
    assert together.dtype == np.float32
    assert together.min() == 0
    assert together.max(axis=1).tolist() == [1, 1, 1, 0]
    for row in range(4):
        alone = content.score({name: cells[row : row + 1] for name, cells in attributes.items()}, 1)
        np.testing.assert_array_equal(alone[0], together[row])
    assert content.score({}, 3).tolist() == [[0.0] * 6] * 3
    assert content.score({}, 0).shape == (0, 6)


def test_queries_rank_by_bm25_in_which_titles_count_twice(content: Content) -> None:
    relevance = content.relevance([["clouds", "over"], [], ["https"]])
    assert relevance.shape == (3, 6)
    assert found(relevance[0]) == [2, 3]
    assert relevance.max(axis=1).tolist() == [1, 0, 0]  # addresses are not indexed
    titled = fit_content(catalog_of({"title": ["pivot tables", "charts"], "text": ["sums", "pivot tables and more"]}))
    assert titled is not None
    in_title, in_text = titled.relevance([["pivot"]])[0]
    assert in_title == 1
    assert 0 < in_text < 0.5


def test_shares_of_words_add_up(content: Content) -> None:
    shares = content.word_shares(["clouds", "networks", "cloud", "unknown"], np.array([1, 2]))
    assert list(shares) == ["clouds", "networks"]  # one stem counts once
    np.testing.assert_allclose(sum(shares.values()), [1, 1], rtol=1e-6)


def test_shares_of_many_words_take_no_memory_by_the_size_of_the_catalogue() -> None:
    titles = [f"word{number}" for number in range(1_000)]
    content = fit_content(catalog_of({"title": titles}))
    assert content is not None
    tracemalloc.start()
    shares = content.word_shares([*titles, *(f"other{number}" for number in range(1_000))], np.array([7]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list(shares) == ["word7"]
    assert peak < 2_000_000  # 1,000 words x 1,000 items would take 4 MB


def test_items_are_as_near_as_their_words(content: Content) -> None:
    vectors = content.item_vectors()
    assert vectors.dtype == np.float32
    near = (vectors @ vectors.T).toarray()
    np.testing.assert_allclose(near.diagonal(), [1, 1, 1, 1, 1, 0], rtol=1e-6)
    assert min(near[2, 3], near[0, 1]) > near[0, 2] > 0  # clouds, networks; 0 and 2 share no more than their language
    assert near[0, 4] == 0


@pytest.mark.parametrize(
    "columns",
    [{}, {"minutes": LABS["minutes"], "link": LABS["link"], "since": LABS["since"]}, {"title": [UNKNOWN] * 6}],
)
def test_a_catalogue_without_words_cannot_be_looked_up(columns: dict[str, list[str]]) -> None:
    attributes = {name: ids_of(cells) for name, cells in columns.items()}
    assert fit_content(Catalog(ids_of(f"lab {n}" for n in range(6)), attributes)) is None
    assert fit_content(Catalog(ids_of([]), {})) is None


def test_the_same_catalogue_gives_the_same_look_up(content: Content) -> None:
    again = fit_content(catalog_of(LABS))
    assert again is not None
    np.testing.assert_array_equal(again.item_vectors().toarray(), content.item_vectors().toarray())
    profile = {"interests": ids_of(["cloud|basics"])}
    np.testing.assert_array_equal(again.score(profile, 1), content.score(profile, 1))


def test_building_and_asking_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    content = fit_content(catalog_of(LABS))
    assert content is not None
    content.relevance([["networks"]])
    assert capfd.readouterr() == ("", "")


def test_profiles_find_labs_of_their_interests_in_the_simulated_world() -> None:
    world = simulate(users=400, items=120)
    content = fit_content(world.catalog)
    assert content is not None
    scores = content.score({"interests": ids_of(topic.name for topic in TOPICS)}, len(TOPICS))
    for topic, row in zip(TOPICS, scores, strict=True):
        topics = world.catalog.attributes["topics"][found(row)[:5]]
        assert all(topic.name in cell.split("|") for cell in topics)
    # the best by the profile alone are nearer to what people are drawn to than any labs are
    best = np.argsort(-content.score(world.profiles.attributes, len(world.profiles)), axis=1, kind="stable")[:, :5]
    assert np.take_along_axis(world.truth.affinity, best, axis=1).mean() > 1.3 * world.truth.affinity.mean()
