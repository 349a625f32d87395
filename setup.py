"""Lets tools that still call setup.py install tfkit; everything is declared in pyproject.toml."""

from setuptools import setup

setup()
