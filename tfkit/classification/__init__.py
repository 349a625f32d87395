"""What classifiers of several rooms share: batches, scores by group, what an export answers."""
