"""The page at `/`: one file without anything from elsewhere, in the house's own style."""

import functools
import hashlib
from base64 import b64encode
from pathlib import Path

import tfkit.report

_HERE = Path(__file__).parent
# in the order in which they need each other
_SCRIPTS = ("json.js", "tensors.js", "server.js", "model.js", "try.js", "live.js")
_STYLES = (Path(tfkit.report.__file__).parent / "report.css", _HERE / "page.css")


@functools.cache
def page() -> bytes:
    """The page; all that it shows it asks the server for."""
    text = (_HERE / "page.html").read_text(encoding="utf-8")
    values = {"policy": policy(), "style": _style(), "script": _script()}
    for name, value in values.items():
        text = text.replace("{{ " + name + " }}", value)
    return text.encode()


@functools.cache
def policy() -> str:
    """The Content-Security-Policy: its own style and script, no other, and its own server."""
    script, style = (_hash(text) for text in (_script(), _style()))
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; "
        "img-src data:; form-action 'none'; base-uri 'none'"
    )


def headers() -> dict[str, str]:
    """What to send with the page; that no other page may frame it can be said nowhere else."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def _script() -> str:
    return "".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)


def _style() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in _STYLES)


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
