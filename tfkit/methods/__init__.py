"""One room per method; every room has the same furniture (see CONTRIBUTING.md)."""
