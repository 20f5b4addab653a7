"""The data layer: reading, feedback, the user-item matrix, cleaning and splitting."""
