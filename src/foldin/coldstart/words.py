"""The words of a text in any language, as profiles and catalogue are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from foldin.data.normalisation import nfkc

__all__ = ["words_of"]

# Chinese, Japanese, Thai, Lao, Myanmar and Khmer put no spaces between words
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


def words_of(text: str) -> list[str]:
    """The words in their order, lower-cased, accents kept; unspaced script as overlapping pairs of letters.

    Letters, digits and the marks above and below them make words; everything else parts them. Pairs of letters find
    unspaced words as Lucene's CJKAnalyzer finds them.
    """
    if text.isascii():
        return _WORD.findall(text.lower())
    found: list[str] = _word().findall(nfkc(text).casefold())
    return [part for word in found for part in (_pairs(word) if UNSPACED.search(word) else (word,))]


_WORD = re.compile("[a-z0-9]+")


@cache
def _word() -> re.Pattern[str]:
    # \w knows no marks, and would cut a Devanagari word at each of its vowel signs
    marks = "".join(letter for letter in map(chr, range(0x300, 0x10000)) if unicodedata.category(letter)[0] == "M")
    return re.compile(rf"[^\W_](?:[^\W_]|[{marks}])*")


def _pairs(word: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for run in UNSPACED.finditer(word):
        letters = run.group()
        parts.append(word[start : run.start()])
        parts += [letters[place : place + 2] for place in range(max(len(letters) - 1, 1))]
        start = run.end()
    return [part for part in (*parts, word[start:]) if part]
