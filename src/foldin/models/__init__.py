"""The models layer: estimators and models behind one small contract. Importing it imports no torch."""
