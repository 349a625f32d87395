"""Bodies and paths over REST that no client should send."""

import json

from tests.serve.malformed import GOOD

DEEP = 100_000


def column(value, signature="predict"):
    return json.dumps({"signature_name": signature, "inputs": value}).encode()


def rows(text, signature="predict"):
    """A body in row form, its list as text."""
    return f'{{"signature_name": "{signature}", "instances": {text}}}'.encode()


# each is refused with 400
BODIES = [
    *(GOOD[:length] for length in range(len(GOOD))),
    b"\xff\xfe{\x00}\x00",
    b"\x00",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{}",
    b"{'instances': [[1,2,3,4]]}",
    b"instances=1",
    b"<instances/>",
    GOOD.replace(b"predict", b"nobody"),
    GOOD.replace(b"predict", b"nobody\xff\xc0"),
    GOOD.replace(b"predict", b"n" * 100_000),
    GOOD.replace(b'"predict"', b"7"),
    GOOD.replace(b'"predict"', b"null"),
    GOOD.replace(b'"predict"', b'["predict"]'),
    GOOD.replace(b"predict", b"\\ud800"),
    GOOD.replace(b"predict", b"pre\ndict"),
    GOOD.replace(b"predict", b"pre\\xdict"),
    GOOD.replace(b"instances", b"instance"),
    GOOD.replace(b'"instances"', b'"inputs": 1, "instances"'),
    b"[" * DEEP,
    b'{"instances": ' + b"[" * DEEP,
    b'{"instances": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"a":' * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    rows("[" * 40 + "1" + "]" * 40),
    rows("[" * 900 + "1" + "]" * 900),
    rows('{"b64": "AAAA"}'),
    *(
        rows(text)
        for text in (
            *("null", "true", "1", '"text"', "{}", "[]", "[[]]", "[{}]", "[null]", "[[null]]"),
            *("[[1, 2, 3]]", "[[1, 2, 3, 4, 5]]", "[1, 2, 3, 4]", "[[[1, 2, 3, 4]]]"),
            *("[[1, 2, 3, 4], [1, 2, 3]]", "[[1, 2, 3, 4], []]", "[[1, 2, 3, 4], 5]"),
            *("[[1, 2, 3, [4]]]", "[[[1], 2, 3, 4]]", "[[1, 2, 3, 4], {}]"),
            *('[["1", "2", "3", "4"]]', "[[true, false, true, true]]", "[[1, 2, 3, {}]]"),
            *("[[1, 2, 3, 4],]", "[[1 2 3 4]]", "[[01, 2, 3, 4]]", "[[1., 2, 3, 4]]"),
            *("[[.5, 2, 3, 4]]", "[[+1, 2, 3, 4]]", "[[0x1, 2, 3, 4]]", "[[1e400, 2, 3, 4]]"),
            *("[[1, 2, 3, nan]]", "[[1, 2, 3, None]]", f"[[{'9' * 5000}, 2, 3, 4]]"),
            *('[{"x": [1, 2, 3, 4], "z": 1}]', '[{"z": [1, 2, 3, 4]}]', '[{"x": [1, 2, 3]}]'),
            *('[{"x": [1, 2, 3, 4], "x": [1, 2, 3, 4]}]', '[{"": [1, 2, 3, 4]}]'),
            *('[{"x": {"x": [1, 2, 3, 4]}}]', '[{"x": {"b64": "AAAA"}}]', '[{"b64": "AAAA"}]'),
            "[" + ",".join(["[0, 0, 0, 0]"] * 1001) + "]",
        )
    ),
    *(
        column(value)
        for value in (
            *(None, True, 1, "text", {}, [], [[]], [[[]]], {"x": None}, {"x": {}}, {"x": []}),
            *({"z": [[1, 2, 3, 4]]}, {"x": [1, 2, 3, 4]}, [[1, 2, 3, 4], [5]], [[[1, 2, 3, 4]]]),
            *({"x": "text"}, {"x": [["a", "b", "c", "d"]]}, {"x": {"b64": "AAAA"}}, [[{}]]),
            *({"x": [[1, 2, 3, 10**400]]}, [[0, 0, 0, 0]] * 1002),
        )
    ),
    *(
        column({"text": text, "n": n}, "join")
        for text, n in (
            *((["a"], [1.5]), (["a"], [float("nan")]), (["a"], [1e3]), (["a"], [2**63])),
            *((["a"], ["1"]), (["a"], [True]), (["a"], [None]), (["a"], []), (["a", "b"], [1])),
            *(([1], [1]), ([None], [1]), ([["a"]], [1]), ("a", 1), ([{"b64": 1}], [1])),
            *(([{"b64": "?"}], [1]), ([{"b64": "AAA=A"}], [1]), ([{"b64": "=" * 9}], [1])),
            *(([{"b64": "A"}], [1]), ([{"b64": "ä"}], [1]), ([{"b64": "AA", "c": 1}], [1])),
            (["a"], [10**30]),
        )
    ),
    rows('[{"text": "a"}]', "join"),
    rows('[{"text": "a", "n": 1}, {"text": "a"}]', "join"),
    rows('[{"text": "\\ud800", "n": 1}]', "join"),
    rows('["a", 1]', "join"),
    *(column(value, "scalar") for value in (2**31, -(2**31) - 1, 1.0, "1", [1], [[1]], True, None)),
    *(column([{"b64": text}], "decode") for text in ("", "AAAA", "iVBORw0KGgo=", "R0lGODdh")),
    column(["\u0000" * 50], "decode"),
    column([["AAAA"]], "decode"),
    column(["not an example"], "score"),
    column([{"b64": "////"}], "label"),
]

# (method, body): each is refused with 400
EXAMPLES = [
    (method, json.dumps({"signature_name": signature, **rest}).encode())
    for method, signature in (("classify", "label"), ("regress", "score"))
    for rest in (
        *({}, {"examples": None}, {"examples": {}}, {"examples": []}, {"examples": [1]}),
        *({"examples": [[{"v": 1.0}]]}, {"examples": [{}]}, {"examples": [{"v": "text"}]}),
        *({"examples": [{"v": [1.0, 2.0]}]}, {"examples": [{"v": [1.0, "a"]}]}),
        *({"examples": [{"v": [[1.0]]}]}, {"examples": [{"v": {}}]}, {"examples": [{"v": None}]}),
        *({"examples": [{"v": 1}]}, {"examples": [{"v": 10**30 + 0.5}], "context": 1}),
        *({"examples": [{"v": {"b64": "?"}}]}, {"instances": [{"v": 1.0}]}),
        {"examples": [{"v": 1.0}] * 1001},
    )
] + [
    ("classify", json.dumps({"signature_name": "nobody", "examples": [{"v": 1.0}]}).encode()),
    ("classify", b'{"signature_name": "\xff", "examples": [{"v": 1.0}]}'),
    ("classify", b'{"signature_name": "label", "examples": [{"\xff": 1.0}]}'),
    ("regress", json.dumps({"signature_name": "label", "examples": [{"v": 1.0}]}).encode()),
    ("classify", json.dumps({"signature_name": "score", "examples": [{"v": 1.0}]}).encode()),
    ("regress", b'{"signature_name": "score", "examples": [{"v": 1e400}]}'),
]

# (status, path) of a POST with a good body
PATHS = [
    *((404, f"/v1/models/{name}:predict") for name in ("nobody", "n" * 9000, "%00", "%ff", "..")),
    *((404, f"/v1/models/{name}:predict") for name in ("%2e%2e%2fline", "li%6Eee", "%", "%zz")),
    *((404, f"/v1/models/line/versions/{v}:predict") for v in (2**63 - 1, 99, "7" * 18)),
    *((400, f"/v1/models/line/versions/{v}:predict") for v in (2**63, -1, "1.0", "", "9" * 99)),
    *((400, f"/v1/models/line/labels/{label}:predict") for label in ("x", "", "%00", "%ff", "%2F")),
    *((400, f"/v1/models/line{rest}") for rest in ("", ":", ":nothing", ":predict:predict", "/")),
    *((400, f"/v1/models/line{rest}") for rest in (":PREDICT", "::predict", "%3Apredict")),
    *((400, f"/v1/models/{rest}") for rest in (":predict", "", "/line:predict", "a/b:predict")),
    *((400, f"/v1/{rest}") for rest in ("", "models", "../v1/models/line:predict", "nothing")),
    (400, "/v1//models/line:predict"),
    (400, "/v1/models/line/versions/2/labels/x:predict"),
    *((405, path) for path in ("/", "/healthz", "/etc/passwd", "//", "/%00", "/v2/models", "/v1")),
]
