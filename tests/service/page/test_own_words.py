from __future__ import annotations

from foldin.service.page.own_words import MOST_WORDS, unheard, word_cells


def says(_: str, text: str) -> bool:
    """A catalogue about storage."""
    return "storage" in text.lower()


def test_what_says_nothing_is_named_word_by_word() -> None:
    assert unheard("Storage in c, of zzqqy", says) == "says nothing to the model: in, of, zzqqy"
    assert unheard("c", says) == "says nothing to the model: c"
    assert not unheard("storage", says)
    assert not unheard("", says)
    assert not unheard("zzqqy", lambda *_: None)


def test_of_very_many_words_the_first_are_looked_at() -> None:
    many = " ".join(f"word{number}" for number in range(1_000))
    assert len(word_cells(many)) == MOST_WORDS + 1
    assert not word_cells("")
