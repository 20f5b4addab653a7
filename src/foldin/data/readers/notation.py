"""Notation: how the cells of a log are written, where they do not say so themselves."""

from __future__ import annotations

from dataclasses import dataclass

from foldin.errors import ConfigurationError

__all__ = ["Notation"]

DECIMAL_MARKS = (".", ",")


@dataclass(frozen=True)
class Notation:
    """How cells are written.

    `timezone`: where times without an offset were written down. `decimal`: the decimal mark of values that are texts;
    None for a point. `time_format`: how times that are texts or numbers are written, in the directives of `strptime`;
    None where they are numbers since the epoch or ISO 8601.

    Raises:
        ConfigurationError: there is no such decimal mark.
    """

    timezone: str | None = None
    decimal: str | None = None
    time_format: str | None = None

    def __post_init__(self) -> None:
        if self.decimal is not None and self.decimal not in DECIMAL_MARKS:
            raise ConfigurationError(f"the decimal mark is '{self.decimal}'; it is a point or a comma")

    @property
    def has_decimal_comma(self) -> bool:
        """Whether values are written as 3,5."""
        return self.decimal == ","
