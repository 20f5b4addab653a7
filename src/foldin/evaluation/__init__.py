"""The evaluation layer: metrics over held-out users, comparisons, significance and calibration."""
