"""A method that trains in three stages."""
