"""The ranking layer: the best k of many scores, and how good a ranking is."""
