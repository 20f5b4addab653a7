"""Texts found by their words: BM25."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.incidence import incidence

__all__ = ["WordIndex", "fit_word_index"]

# how soon a word that comes again counts no more, and how far a long text is held against it: the usual values
SATURATION, LENGTH = 1.5, 0.75
STOP_SHARE = 0.5  # of the texts: a word in more of them finds nothing
FEWEST_TEXTS = 20  # from which on there are stop words; in a handful of texts any word may be in most


@dataclass(frozen=True, eq=False)
class WordIndex:
    """What each word of the vocabulary adds to the score of each text, sparse, (words, texts).

    score(q, d) = sum over words w of q of log(1 + (N - n_w + .5) / (n_w + .5)) f / (f + k1 (1 - b + b |d| / mean |d|)),
    f being how often w is in d, and n_w in how many of the N texts that have words; k1 = 1.5, b = .75.
    Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"; Kamphuis et al.
    2020, "Which BM25 Do You Mean?", for this variant, which is Lucene's.
    """

    vocabulary: Mapping[str, int]
    weights: csr_array

    def score(self, queries: Sequence[Iterable[str]]) -> NDArray[np.float32]:  # (queries, texts)
        """BM25 of every text for queries given as words; each word counts once. 0 where no word is found."""
        found = [[self.vocabulary[word] for word in sorted(set(query)) if word in self.vocabulary] for query in queries]
        return np.asarray((incidence(found, len(self.vocabulary)) @ self.weights).toarray())

    def cells(self, words: Sequence[str], texts: NDArray[np.integer]) -> NDArray[np.float32]:  # (words, texts)
        """What each word adds to the score of some texts; 0 where it is in none."""
        cells = np.zeros((len(words), len(texts)), dtype=np.float32)
        found = [row for row, word in enumerate(words) if word in self.vocabulary]
        places = [self.vocabulary[words[row]] for row in found]
        cells[found] = self.weights[places][:, texts].toarray()
        return cells


def fit_word_index(texts: Sequence[Sequence[str]]) -> WordIndex | None:
    """The index of texts given as their words; None where they have none worth finding."""
    told = [row for row, words in enumerate(texts) if words]
    stopped = _stop_words([texts[row] for row in told])
    vocabulary = {word: place for place, word in enumerate(sorted({word for text in texts for word in text} - stopped))}
    coded = [[vocabulary[word] for word in texts[row] if word in vocabulary] for row in told]
    return WordIndex(vocabulary, _weights(coded, told, vocabulary, len(texts))) if vocabulary else None


def _stop_words(texts: Sequence[Sequence[str]]) -> set[str]:
    if len(texts) < FEWEST_TEXTS:
        return set()
    counts = Counter(word for words in texts for word in set(words))
    return {word for word, count in counts.items() if count > STOP_SHARE * len(texts)}


def _weights(
    coded: Sequence[Sequence[int]], rows: Sequence[int], vocabulary: Mapping[str, int], count: int
) -> csr_array:
    from bm25s import BM25
    from bm25s.tokenization import Tokenized

    index = BM25(method="lucene", k1=SATURATION, b=LENGTH)
    index.index(Tokenized(ids=coded, vocab=dict(vocabulary)), create_empty_token=False, show_progress=False)
    by_word, texts, ends = (index.scores[part] for part in ("data", "indices", "indptr"))
    places = np.asarray(rows, dtype=np.int32)[texts]
    return csr_array((by_word, places, ends[: len(vocabulary) + 1]), shape=(len(vocabulary), count))
