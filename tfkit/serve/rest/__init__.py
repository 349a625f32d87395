"""The bodies and paths of TF Serving's REST interface, without any server around them.

    POST /v1/models/m:predict    {"instances": [[0.5, 1]]} -> {"predictions": [[0.25]]}
    GET  /v1/models/m/metadata

What differs from TF Serving, on purpose: decimals are rounded correctly (its reader may be off in
the last place); lists are at most 31 deep; uint16, float16 and bfloat16 are taken and answered
(as int32 and float32 are) instead of refused; an instance that repeats a key is refused, instead
of shifting the values of those behind it; so is an output of text that is not UTF-8.
"""

from tfkit.serve.rest.examples import (
    ExamplesRequest,
    parse_examples,
    render_classifications,
    render_regressions,
)
from tfkit.serve.rest.paths import parse_path
from tfkit.serve.rest.requests import PredictRequest, parse_request
from tfkit.serve.rest.responses import render_response
from tfkit.serve.status import RequestError

__all__ = [
    "ExamplesRequest",
    "PredictRequest",
    "RequestError",
    "parse_examples",
    "parse_path",
    "parse_request",
    "render_classifications",
    "render_regressions",
    "render_response",
]
