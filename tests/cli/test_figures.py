"""Figures say what they are of."""

from __future__ import annotations

import pytest

from foldin.cli.figures import print_calibration_error

ERROR = "Probabilities are off by 0.029 on average among the best-scored percent"


@pytest.mark.parametrize(("untold", "more"), [(None, "."), (0.0263, ", or 0.026 without the profiles of these users.")])
def test_probabilities_are_judged_with_profiles_and_without(
    untold: float | None, more: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_calibration_error(0.0288, untold)
    assert capsys.readouterr().out == f"{ERROR}{more}\n"
