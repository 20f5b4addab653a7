"""Stemming: the forms of a word as one, so that *network* finds *networks*, in the language of a catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from foldin.data.spelling import perhaps
from foldin.errors import ConfigurationError

__all__ = ["UNSTEMMED", "check_language", "detect_language", "languages", "stems_of"]

UNSTEMMED = "none"
"""The language of a catalogue whose words are compared as they are written."""

USUAL = "english"
"""Where stop words are too few to tell, as among tags: what it does to words of other languages is little."""

MIN_STOP_WORD_SHARE = 0.05
"""Share of a catalogue's words that are stop words of its language. Titles and genres of films have a tenth, prose has
two fifths; tags, which have none, a hundredth by chance."""

# the names of bm25s for its lists of stop words, of the languages that Snowball can stem
STOP_WORDS = {
    "danish": "STOPWORDS_DANISH",
    "dutch": "STOPWORDS_DUTCH",
    "english": "STOPWORDS_EN_PLUS",
    "french": "STOPWORDS_FRENCH",
    "german": "STOPWORDS_GERMAN",
    "italian": "STOPWORDS_ITALIAN",
    "norwegian": "STOPWORDS_NORWEGIAN",
    "portuguese": "STOPWORDS_PORTUGUESE",
    "russian": "STOPWORDS_RUSSIAN",
    "spanish": "STOPWORDS_SPANISH",
    "swedish": "STOPWORDS_SWEDISH",
    "turkish": "STOPWORDS_TURKISH",
}


def stems_of(words: Sequence[str], language: str) -> list[str]:
    """The stems of lower-case words, by the Snowball stemmer of a language.

    Source: Porter 2001, "Snowball: A language for stemming algorithms".
    """
    if language == UNSTEMMED:
        return list(words)
    from Stemmer import Stemmer

    # one for each call: a stemmer may not be used by two threads at once, and costs microseconds
    stems: list[str] = Stemmer(language).stemWords(list(words))
    return stems


def detect_language(texts: Iterable[Sequence[str]]) -> str:
    """The language whose stop words stand most often in texts given as words; `USUAL` where they are few."""
    counts = Counter(word for words in texts for word in words)
    total = sum(counts.values())
    shares = {
        language: sum(counts[word] for word in stop_words) / max(total, 1)
        for language, stop_words in _stop_words().items()
    }
    best = max(shares, key=lambda language: shares[language])
    return best if shares[best] >= MIN_STOP_WORD_SHARE else USUAL


def check_language(language: str) -> str:
    """A language that was set, as it is.

    Raises:
        ConfigurationError: there is no stemmer of that name.
    """
    known = (*languages(), UNSTEMMED)
    if language not in known:
        raise ConfigurationError(f"no language '{language}'{perhaps(language, known)}; there are: {', '.join(known)}")
    return language


@cache
def languages() -> tuple[str, ...]:
    """The languages there is a stemmer for, in alphabetical order."""
    from Stemmer import algorithms

    older = ("dutch_porter", "porter")  # stemmers that a later one of the same language replaced
    return tuple(sorted(set(algorithms()) - set(older)))


@cache
def _stop_words() -> Mapping[str, frozenset[str]]:
    from bm25s import stopwords

    return {language: frozenset(getattr(stopwords, name)) for language, name in STOP_WORDS.items()}
