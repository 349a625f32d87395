"""What constructors of networks refuse."""


def positive(owner: str, **widths) -> None:
    """Lists of widths, or single ones, must be positive."""
    for name, given in widths.items():
        values = given if isinstance(given, (list, tuple)) else (given,)
        if any(value < 1 for value in values):
            raise ValueError(f"{owner}: {name} must be >= 1, got {given}.")
