"""What a model looked at: attributions to inputs, and their share on a region."""
