"""Backbones of keras-hub, as presets in a folder or by name give them."""
