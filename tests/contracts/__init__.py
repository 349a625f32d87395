"""The contracts behind tests/contract.py, one kind of thing a file."""
