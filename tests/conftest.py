"""Which tests share a process when several run at once (`pytest --dist loadgroup`)."""

import pytest


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in this hook too, and would find none
def pytest_collection_modifyitems(items):
    """A file's tests stay together, since they share what a fixture has made, unless they say
    otherwise: those of the contract do, which would else be one process's work.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
