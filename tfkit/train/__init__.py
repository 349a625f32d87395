"""Training: a run folder, chunks of steps, checkpoints, exact resume, replicates."""
