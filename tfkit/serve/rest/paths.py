"""What a path of TF Serving's REST asks for."""

import re
from urllib.parse import unquote

from tfkit.serve.rest.documents import invalid

_WHICH = r"/v1/models{name}(?:(?:/versions/(?P<version>\d+))|(?:/labels/(?P<label>[^/:]+)))?"
_PATHS = {
    "POST": _WHICH.format(name="/(?P<name>[^/:]+)") + ":(?P<method>classify|regress|predict)",
    "GET": _WHICH.format(name="(?:/(?P<name>[^/:]+))?") + "(?:/(?P<sub>metadata))?",
}
_PATHS = {method: re.compile(path, re.IGNORECASE | re.ASCII) for method, path in _PATHS.items()}


def parse_path(http_method: str, path: str) -> dict[str, str | int]:
    """What a path asks for: any of the keys name, version, label, method (of POST), sub (of GET).

    The path matches in any case, but `method` and `sub` keep theirs: TF Serving does "predict" and
    refuses "Predict". `GET /v1/models` has no name.

    Args:
        http_method: "GET" or "POST"; others are refused.
        path: as it came, still percent-encoded and without the query.
    Raises:
        RequestError: no such path, or a version beyond int64.
    """
    pattern = _PATHS.get(http_method)
    match = pattern.fullmatch(path) if pattern else None
    if match is None:
        raise invalid(f"Malformed request: {http_method} {path}")
    parsed: dict = {key: value for key, value in match.groupdict().items() if value is not None}
    for key in ("name", "label"):
        if key in parsed:
            parsed[key] = unquote(parsed[key])
    if "version" in parsed:
        if len(parsed["version"].lstrip("0")) > 19 or int(parsed["version"]) >= 2**63:
            raise invalid(f"Failed to convert version: {parsed['version']} to numeric.")
        parsed["version"] = int(parsed["version"])
    return parsed
