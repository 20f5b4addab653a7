"""Probabilities by history length: the same score means one thing after two items, and another after twenty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.errors import BundleError
from foldin.evaluation.calibration import ProbabilityCalibration

__all__ = ["LengthCalibration", "by_length"]


@dataclass(frozen=True, eq=False)
class LengthCalibration:
    """From a score and the number of known items in the history to a probability.

    `at`: a calibration for each of `lengths`, ascending; between two lengths the probabilities of both are mixed,
    straight in log(1 + n), and beyond the ends they are those of the nearest.
    """

    lengths: tuple[int, ...]
    at: tuple[ProbabilityCalibration, ...]

    def predict(self, scores: NDArray[np.float32], known: NDArray[np.integer]) -> NDArray[np.float32]:
        """Probabilities of scores, (n,), given after histories of so many known items, (n,)."""
        probabilities = np.zeros(len(scores), dtype=np.float32)
        for length, of, share in self._mixture(known):
            probabilities[of] += share * self.at[length].predict(scores[of])
        return probabilities

    def is_lower_bound(self, scores: NDArray[np.float32], known: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of these probabilities, (n,), are at least partly those of scores above all that were observed."""
        lower_bounds = np.zeros(len(scores), dtype=np.bool_)
        for length, of, _ in self._mixture(known):
            lower_bounds[of] |= self.at[length].is_lower_bound(scores[of])
        return lower_bounds

    def _mixture(self, known: NDArray[np.integer]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.float32]]]:
        """Each calibration's place among the lengths, the cells it has a share in, and that share of each of them."""
        # the place among the lengths: 2.25 is a quarter of the way from the third to the fourth
        place = np.interp(np.log1p(known), np.log1p(self.lengths), np.arange(len(self.lengths)))
        lower = place.astype(np.intp)
        share = (place - lower).astype(np.float32)
        for at, part in ((lower, 1 - share), (lower + 1, share)):
            for length in np.unique(at[part > 0]).tolist():
                of = np.flatnonzero((at == length) & (part > 0))
                yield length, of, part[of]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All there is, by name; `from_arrays` makes the same of it."""
        return {
            f"{length}/{name}": array
            for length, calibration in zip(self.lengths, self.at, strict=True)
            for name, array in calibration.arrays().items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> LengthCalibration:
        """The calibration that `arrays` came from.

        Raises:
            BundleError: an array is missing, or they are no calibrations by length.
        """
        lengths = sorted({_length(name) for name in arrays})
        if not lengths:
            raise BundleError("the calibration is of no history length; the bundle is damaged")
        return cls(tuple(lengths), tuple(_part(arrays, length) for length in lengths))


def _length(name: str) -> int:
    length, _, _ = name.partition("/")
    if not length.isdecimal():
        raise BundleError(f"the calibration holds '{name}', which is of no history length; the bundle is damaged")
    return int(length)


def _part(arrays: Mapping[str, NDArray[np.generic]], length: int) -> ProbabilityCalibration:
    prefix = f"{length}/"
    part = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    return ProbabilityCalibration.from_arrays(part)


def by_length(calibrations: Sequence[tuple[int, ProbabilityCalibration | None]]) -> LengthCalibration | None:
    """The calibrations there are, by length; None where there is none."""
    known = [(length, one) for length, one in calibrations if one is not None]
    return LengthCalibration(tuple(length for length, _ in known), tuple(one for _, one in known)) if known else None
