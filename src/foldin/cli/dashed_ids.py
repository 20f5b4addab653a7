"""Ids that begin with a dash, as -88: to the command line such a word is an option unless it stands behind --."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from typing import Any

import typer
from typer.core import TyperCommand

__all__ = ["CommandWithIds"]


class CommandWithIds(TyperCommand):
    """A command that answers an unknown short option with the way to give an id that begins with a dash."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does.

        Raises:
            BadParameter: there is a word with a dash first that is no option of this command.
        """
        for word in self._unknown_short_options(args):
            others = [one for one in args if one != word]
            way = shlex.join([*ctx.command_path.split(), *others, "--", word])
            raise typer.BadParameter(f"no such option: {word[:2]}; an id that begins with a dash goes behind --: {way}")
        return super().parse_args(ctx, args)

    def _unknown_short_options(self, args: Sequence[str]) -> Iterator[str]:
        flags = {name: getattr(option, "is_flag", True) for option in self.params for name in option.opts}
        words = takewhile(lambda word: word != "--", args)
        for before, word in pairwise(["", *words]):
            is_short = word[:1] == "-" and word[1:2] not in ("", "-")
            if is_short and word[:2] not in flags and flags.get(before, True):
                yield word
