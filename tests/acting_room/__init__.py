"""A method whose stages have batches of their own and act between steps."""
