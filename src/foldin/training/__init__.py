"""The training layer: torch modules, batches, losses, the one loop and its checkpoints. It knows no estimator."""
