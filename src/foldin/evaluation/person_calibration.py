"""Probabilities for a person: the same score means one thing of a profile that tells something, another of none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.errors import BundleError
from foldin.evaluation.length_calibration import LengthCalibration

__all__ = ["PersonCalibration"]


@dataclass(frozen=True, eq=False)
class PersonCalibration:
    """From a score, and what is known of whom it is for, to a probability.

    `told` was learned from people whose profile tells something, `untold` from everybody as if none did; both are mixed
    by how much a profile tells. None where too few were held out to learn it.
    """

    told: LengthCalibration | None
    untold: LengthCalibration | None

    def predict(
        self, scores: NDArray[np.float32], known: NDArray[np.integer], telling: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Probabilities of scores, (n,), of people with so many known items, and with profiles that tell so much, from
        0 to 1, (n,) each; NaN where what they would be mixed of is not known."""
        probabilities = np.zeros(len(scores), dtype=np.float32)
        for calibration, share in ((self.told, telling), (self.untold, 1 - telling)):
            of = share > 0
            part = np.nan if calibration is None else calibration.predict(scores[of], known[of])
            probabilities[of] += share[of] * part
        return probabilities

    def is_lower_bound(
        self, scores: NDArray[np.float32], known: NDArray[np.integer], telling: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Which of these probabilities, (n,), are at least partly those of scores above all that were observed."""
        lower_bounds = np.zeros(len(scores), dtype=np.bool_)
        for calibration, share in ((self.told, telling), (self.untold, 1 - telling)):
            of = share > 0
            if calibration is not None:
                lower_bounds[of] |= calibration.is_lower_bound(scores[of], known[of])
        return lower_bounds

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All there is, by name; `from_arrays` makes the same of it."""
        return {f"{name}/{key}": array for name, one in self._parts() for key, array in one.arrays().items()}

    def _parts(self) -> list[tuple[str, LengthCalibration]]:
        return [(name, one) for name, one in (("told", self.told), ("untold", self.untold)) if one is not None]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> PersonCalibration:
        """The calibration that `arrays` came from.

        Raises:
            BundleError: an array is missing, or they are no calibrations by length.
        """
        told, untold = _of("told/", arrays), _of("untold/", arrays)
        if not arrays or len(told) + len(untold) < len(arrays):
            raise BundleError("the calibration is not of people 'told/' and 'untold/' alone; the bundle is damaged")
        return cls(
            LengthCalibration.from_arrays(told) if told else None,
            LengthCalibration.from_arrays(untold) if untold else None,
        )


def _of(prefix: str, arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
