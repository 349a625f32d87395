"""JSON text of a request, read as TF Serving's rapidjson reads it, and shown as its messages do."""

import json
import re

from tfkit.serve.status import RequestError

# a list in a list in …; NumPy before 2.0 has arrays of at most 32 axes
MAX_NESTING = 32
# TF Serving cuts the value that an error shows after so many bytes
SHOWN_BYTES = 256

# Python's words for a mistake in JSON -> rapidjson's, where they say the same
WORDS = {
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Expecting ',' delimiter": "Missing a comma or the end of a list or object.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid control character at": "Invalid encoding in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
}
TOO_BIG = "Number too big to be stored in double."
WHITESPACE = re.compile(r"[ \t\r\n]*")
# Text, and after it a number that rapidjson reads and Python does not. Strings, also unfinished,
# are skipped whole. Possessive repeats (*+) remember no way back, which would cost memory.
OTHER_NUMBERS = re.compile(
    r'((?:"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^"I-]++|I(?!nf\b)|-(?!NaN\b))*+)(Inf\b|-NaN\b)?', re.DOTALL
)
OUR_NUMBERS = {"Inf": "Infinity", "-NaN": "NaN", None: ""}
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# JSON as far as its surrogates come in pairs
PAIRED = re.compile(r"(?:[^\\]++|\\(?:[^u]|u(?![dD][89a-fA-F])|u[dD][89abAB]..\\u[dD][c-fC-F]))*+")
# without what no size depends on: every digit is a 0, every exponent has an e and no plus
SIZES = bytes.maketrans(b"123456789E", b"000000000e")
# Without such digits a number is below 10^209 * 10^99, which a double holds.
PERHAPS_TOO_BIG = (b"e000", b"0" * 210)


class Repeated(dict):
    """A JSON object that has a key more than once: the first value counts, `pairs` has them all."""

    def __init__(self, pairs: list):
        super().__init__(reversed(pairs))
        self.pairs = pairs


def invalid(message: str) -> RequestError:
    """The error INVALID_ARGUMENT."""
    return RequestError("INVALID_ARGUMENT", message)


def read_object(body: str | bytes) -> dict:
    """The JSON object that `body` begins with; what follows it is ignored, as TF Serving does.

    Numbers are `int` where rapidjson has integers and `float` elsewhere. Bytes that are not UTF-8
    stay what they are, as the surrogates of `surrogateescape`.

    Raises:
        RequestError: no JSON, or no object.
    """
    text = _text(body)
    if not text:
        raise invalid("JSON Parse error: The document is empty")
    document = _document(text)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def signature_name_of(document: dict) -> str | None:
    """The signature that a request names; None if it names none, or the empty one.

    Raises:
        RequestError: the name is no string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name or None


def refuse_overflow(body: str | bytes) -> None:
    """Refuses a number such as 1e400, which Python reads as infinity and rapidjson does not read.

    Reading takes a second time if some number is long enough; to be called where an infinity
    turned up.

    Raises:
        RequestError: there is such a number.
    """

    text = _text(body)
    sizes = text.encode("utf-8", "surrogatepass").translate(SIZES, b"+")
    if not any(digits in sizes for digits in PERHAPS_TOO_BIG):
        return

    def finite(token: str) -> float:
        if float(token) in (float("inf"), float("-inf")):
            raise invalid(f"JSON Parse error: {TOO_BIG}")
        return 0.0

    _document(text, json.JSONDecoder(object_pairs_hook=_members, parse_float=finite))


def _text(body: str | bytes) -> str:
    if isinstance(body, str):
        return body.removeprefix("\ufeff")
    try:
        return bytes(body).decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return bytes(body).decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def _members(pairs: list) -> dict:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Repeated(pairs)


DECODER = json.JSONDecoder(object_pairs_hook=_members)


def _document(text: str, decoder: json.JSONDecoder = DECODER):
    start = WHITESPACE.match(text).end()
    if start == len(text):
        raise _mistake("The document is empty.", text, start)
    try:
        document, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        ours = OTHER_NUMBERS.sub(lambda found: found[1] + OUR_NUMBERS[found[2]], text)
        if ours != text:
            return _document(ours, decoder)
        raise _mistake(WORDS.get(error.msg, f"{error.msg}."), text, error.pos) from None
    except RecursionError:
        raise invalid("JSON Parse error: lists and objects are nested too deeply.") from None
    except ValueError:  # more digits than Python converts, hence far beyond a double
        raise invalid(f"JSON Parse error: {TOO_BIG}") from None
    if SURROGATE.search(text, start, end):
        _refuse_lone_surrogates(text, start, end)
    return document


def _mistake(what: str, text: str, position: int) -> RequestError:
    offset = len(text[:position].encode("utf-8", "surrogatepass"))
    return invalid(f"JSON Parse error: {what} at offset: {offset}")


def _refuse_lone_surrogates(text: str, start: int, end: int) -> None:
    """rapidjson refuses half of a pair of \\ud800\\udc00; Python makes a string of it."""
    good = PAIRED.match(text, start, end).end()
    if good != end:
        raise _mistake("The surrogate pair in string is invalid.", text, good)


def is_base64(value) -> bool:
    """Whether `value` stands for bytes: an object that has the key b64 alone, with a string."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and isinstance(value.get("b64"), str)
        and not isinstance(value, Repeated)
    )


def kind(value) -> str:
    """rapidjson's name for the type of a JSON value."""
    if value is None or isinstance(value, bool):
        return {None: "Null", False: "False", True: "True"}[value]
    names = {dict: "Object", Repeated: "Object", list: "Array", str: "String"}
    return names.get(type(value), "Number")


def shown(value) -> str:
    """`value` as TF Serving's messages show it: lists on one line, cut after 256 bytes."""
    written = ""
    for piece in _pieces(value, 0):
        if len(written.encode("utf-8", "replace")) >= SHOWN_BYTES:
            break
        written += piece[:SHOWN_BYTES]
    return written


def _pieces(value, level: int):
    if isinstance(value, dict) and value:
        members = value.pairs if isinstance(value, Repeated) else value.items()
        for number, (key, member) in enumerate(members):
            before = "," if number else "{"
            yield f"{before}\n{'    ' * (level + 1)}{_scalar(key)}: "
            yield from _pieces(member, level + 1)
        yield f"\n{'    ' * level}}}"
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield ", " if number else "["
            yield from _pieces(item, level + 1)
        yield "]"
    else:
        yield _scalar(value)


def _scalar(value) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**64:
        return "a number of more than 64 bits"
    return json.dumps(value, ensure_ascii=False)
