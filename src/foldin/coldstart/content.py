"""Content look-up: the items whose words and attributes fit a profile, before anybody has done anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from foldin.coldstart.stemming import check_language, detect_language, stems_of
from foldin.coldstart.value_index import ValueIndex, fit_value_index
from foldin.coldstart.word_index import WordIndex, fit_word_index
from foldin.coldstart.words import words_of
from foldin.data.catalog import TITLES, Attributes, Catalog
from foldin.data.cells import is_address, is_date, number_of, value_of
from foldin.data.columns import Kind, recognise
from foldin.data.known_attributes import AVAILABILITY

__all__ = ["Content", "fit_content", "query_words"]

WORDED: tuple[Kind, ...] = ("text", "category", "values", "code")
# a value was chosen to say what the item is, a word may only stand there; 2 does well on the simulated world
VALUE_WEIGHT = 2.0
RAREST = 2  # items with the same value make it one of a category


@dataclass(frozen=True, eq=False)
class Content:
    """A catalogue that can be looked up, by words and by attributes; made of the catalogue alone.

    `titles`: of the words of titles alone; None where there are none. `language`: by which words are stemmed.
    """

    words: WordIndex
    values: ValueIndex | None
    titles: WordIndex | None
    language: str

    def score(self, attributes: Attributes, count: int) -> NDArray[np.float32]:  # (count, items)
        """How well each item fits each of `count` profiles: from 0, where nothing matches, to 1.

        (BM25 + 2 x matching attributes) / the highest such sum for the profile. Both are sums of logarithms of one over
        the share of items that match, so they add; the best item of a profile that finds any has 1. Numbers, dates
        and addresses of a profile are not looked up.
        """
        firsts, places = _distinct(attributes, count)
        different = {name: cells[firsts] for name, cells in attributes.items()}
        sums = self.words.score([self._stems(_profile_words(different, row)) for row in range(len(firsts))])
        if self.values is not None:
            sums += np.float32(VALUE_WEIGHT) * self.values.score(different, len(firsts))
        return np.asarray(_relative(sums)[places])

    def relevance(self, queries: Sequence[Sequence[str]]) -> NDArray[np.float32]:  # (queries, items)
        """How well each item matches each query, given as words: from 0, where no word is found, to 1 for the best.

        (BM25 of all words of an item + BM25 of the words of its title) / the highest such sum: what a title says is
        what the item is about, so it counts twice.
        """
        return _relative(self._matches([self._stems(words) for words in queries]))

    def word_shares(self, words: Sequence[str], items: NDArray[np.integer]) -> dict[str, NDArray[np.float32]]:
        """What part of the relevance of some items each word of a query makes up, (items,); without words not found.

        Of several words with one stem the first counts.
        """
        first: dict[str, str] = {}
        for word, stem in zip(words, self._stems(words), strict=True):
            if self._finds(stem):
                first.setdefault(stem, word)
        # only the cells of these items: of all items they would take memory by the product of words and catalogue
        matches = np.sum([index.cells(list(first), items) for index in self._indexes], axis=0)
        totals = matches.sum(axis=0)
        shares = np.divide(matches, totals, out=np.zeros_like(matches), where=totals > 0)
        return {word: share for word, share in zip(first.values(), shares, strict=True) if share.any()}

    def unmatched(self, words: Sequence[str]) -> list[str]:
        """The words that find no item: those that none has, or more than half."""
        stems = zip(words, self._stems(words), strict=True)
        return [word for word, stem in stems if not self._finds(stem)]

    def _finds(self, stem: str) -> bool:
        return any(stem in index.vocabulary for index in self._indexes)

    @property
    def _indexes(self) -> list[WordIndex]:
        return [self.words, *([] if self.titles is None else [self.titles])]

    def _matches(self, queries: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        return sum((index.score(queries) for index in self._indexes[1:]), start=self.words.score(queries))

    def _stems(self, words: Iterable[str]) -> list[str]:
        return stems_of(list(words), self.language)

    def resembling(self, histories: csr_array) -> NDArray[np.float32]:  # (users, items)
        """How much each item resembles those of a history, by words: from 0 to 1, and 0 for the history's own items.

        The mean cosine with the history's items, divided by the highest of all.
        """
        chosen = histories.astype(np.bool_).astype(np.float32)
        scores = np.asarray(((chosen @ self.vectors) @ self.vectors_by_word).toarray(), dtype=np.float32)
        scores[np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr)), histories.indices] = 0
        return _relative(scores)

    @cached_property
    def vectors(self) -> csr_array:
        """`item_vectors`, made once."""
        return self.item_vectors()

    @cached_property
    def vectors_by_word(self) -> csr_array:
        """The same, (words, items)."""
        return csr_array(self.vectors.T)

    def item_vectors(self) -> csr_array:  # (items, words)
        """Each item's words, weighted as BM25 weights them, with norm 1; items without words are rows of zeros."""
        vectors = self.words.weights.T.tocsr()
        norms = np.sqrt(vectors.multiply(vectors).sum(axis=1))
        scales = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
        return csr_array(diags_array(scales) @ vectors, dtype=np.float32)


def fit_content(catalog: Catalog, language: str | None = None) -> Content | None:
    """The look-up of a catalogue; None where its attributes have no words. Nothing is drawn by chance.

    `language`: by which words are stemmed, or "none"; None detects it by the catalogue's stop words.

    Raises:
        ConfigurationError: there is no such language.
    """
    told = {name: cells for name, cells in catalog.attributes.items() if name not in AVAILABILITY}
    columns = {name: recognise(cells, rarest=RAREST) for name, cells in told.items()}
    texts = _item_words(catalog, [name for name, column in columns.items() if column.kind in WORDED])
    language = detect_language(texts) if language is None else check_language(language)
    words = fit_word_index(_stemmed(texts, language))
    if words is None:
        return None
    titles = fit_word_index(_stemmed(_item_words(catalog, _titles(catalog)), language))
    return Content(words, fit_value_index(catalog.attributes, columns), titles, language)


def query_words(query: str | None, attributes: Attributes, row: int) -> list[str]:
    """The words of a query, and those of a profile's attributes that count as one, each once."""
    return list(dict.fromkeys([*words_of(query or ""), *_profile_words(attributes, row)]))


def _distinct(attributes: Attributes, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where profiles that differ stand first, and which of these each of `count` is: in training few differ."""
    profiles = list(zip(*attributes.values(), strict=True)) if attributes else [()] * count
    numbers = {profile: number for number, profile in enumerate(dict.fromkeys(profiles))}
    places = np.array([numbers[profile] for profile in profiles], dtype=np.intp)
    return np.unique(places, return_index=True)[1], places


def _profile_words(attributes: Attributes, row: int) -> Iterator[str]:
    """The words of one profile, without numbers, dates and addresses."""
    for cells in attributes.values():
        if (cell := cells[row]) is not None and _has_words(cell):
            yield from (word for word in words_of(cell) if not word.isdigit())


def _titles(catalog: Catalog) -> list[str]:
    return [name for name in TITLES if name in catalog.attributes][:1]


def _item_words(catalog: Catalog, names: Sequence[str]) -> list[list[str]]:
    worded = [catalog.attributes[name] for name in names]
    texts = ("\n".join(cell for cell in cells if value_of(cell) is not None) for cells in zip(*worded, strict=True))
    return [words_of(text) for text in texts]


def _stemmed(texts: Sequence[Sequence[str]], language: str) -> list[list[str]]:
    vocabulary = sorted({word for words in texts for word in words})
    stems = dict(zip(vocabulary, stems_of(vocabulary, language), strict=True))
    return [[stems[word] for word in words] for words in texts]


def _has_words(cell: str) -> bool:
    value = value_of(cell)
    if value is None or (value.isascii() and len(value) == 1):  # "m" and "f" are codes
        return False
    return number_of(value) is None and not is_date(value) and not is_address(value)


def _relative(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    highest = scores.max(axis=1, initial=0, keepdims=True)
    return np.asarray(np.divide(scores, highest, out=np.zeros_like(scores), where=highest > 0))
