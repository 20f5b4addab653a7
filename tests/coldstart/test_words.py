from __future__ import annotations

import pytest

from foldin.coldstart.words import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Getting Started with vSphere-8", ["getting", "started", "with", "vsphere", "8"]),
        ("systems_biology|gene", ["systems", "biology", "gene"]),
        ("Sécurité, RÉSEAU", ["sécurité", "réseau"]),
        ("Se\u0301curite\u0301", ["sécurité"]),  # accents written as marks are the same accents
        ("हिन्दी में", ["हिन्दी", "में"]),  # vowel signs are marks, and part of the word
        ("Базы данных", ["базы", "данных"]),
        ("机器学习", ["机器", "器学", "学习"]),
        ("用Python学", ["用", "python", "学"]),
        ("\uff21\uff22", ["ab"]),
        ("", []),
        (" — ¿? ", []),
    ],
)
def test_words_in_any_language(text: str, words: list[str]) -> None:
    assert words_of(text) == words
