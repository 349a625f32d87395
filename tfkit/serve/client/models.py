"""The client: a server's models, asked with arrays, tables and files."""

from __future__ import annotations

import difflib
import operator
import os
import time
from typing import Any
from urllib.parse import quote

import numpy as np

from tfkit.errors import TfkitError, UsageError
from tfkit.export.fitting import chosen_signature
from tfkit.serve.client import columns, given
from tfkit.serve.client.columns import SignatureSpecs
from tfkit.serve.client.sending import Sender, ServerRefused

DEFAULT_SIGNATURE = "serving_default"
# A new version may have other signatures, and its answers do not say that they are its.
_TRUSTED = 10.0  # seconds


class Client:
    """Asks a server's models: NumPy arrays, a pandas DataFrame or files in, NumPy arrays out.

        client = Client("http://127.0.0.1:8501")
        answer = client.predict("beta_vae", {"images": images})   # {"images": array, …}

    What is sent is checked against the model's own signatures first. A request is tried again,
    after a wait that doubles, where a connection was refused or the server said 429 or 503; after
    anything else it is not, since the model may have answered it. Threads may share a client.

    Args:
        url: of the server; a path, where the server is below one, is kept.
        token: what the server was given with `--token-file`; None sends none.
        timeout: seconds for a connection, and for each silence of the server, > 0.
        retries: how often to try again, >= 0.
        ca_file: PEM file of the authorities that may sign an https server's certificate; None
            takes the system's.
        cert_file: PEM file with a certificate and its key, for a server that wants to see one.
    Raises:
        UsageError: what was asked does not fit the model, or is no address.
        ServerRefused: the server answered with an error; `.status` and `.said` are its own.
        ServerUnreachable: no answer came.
        DataMissing: a file is not there.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8501",
        *,
        token: str | None = None,
        timeout: float = 30.0,
        retries: int = 4,
        ca_file: str | os.PathLike | None = None,
        cert_file: str | os.PathLike | None = None,
    ):
        self._sender = Sender(url, token, timeout, retries, ca_file, cert_file)
        self._known: dict[str, tuple[float, dict[str, SignatureSpecs]]] = {}

    @property
    def url(self) -> str:
        """The server's address."""
        return self._sender.url

    def models(self) -> list[dict[str, Any]]:
        """All models with their versions, labels and archives; TF Serving itself has no such list.

        Returns: [{"name": …, "labels": {label: version}, "versions": [{"version": 1, "state":
            "AVAILABLE", "error": ""}], "archives": [path]}].
        """
        return self._sender.get("/tfkit/models")["models"]

    def status(
        self, model: str, version: int | None = None, *, label: str | None = None
    ) -> list[dict[str, Any]]:
        """The versions of a model.

        Args:
            model: its name.
            version: only this; None is all.
            label: only the version of this label.
        Returns: [{"version": 1, "state": "AVAILABLE", "error": ""}].
        """
        answer = self._found(model, address(model, version, label))
        try:
            return [
                {
                    "version": int(found["version"]),
                    "state": found["state"],
                    "error": found.get("status", {}).get("error_message", ""),
                }
                for found in answer["model_version_status"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise TfkitError(f"{self.url}: no status as TF Serving gives it: {error!r}.") from error

    def metadata(
        self, model: str, version: int | None = None, *, label: str | None = None
    ) -> dict[str, Any]:
        """The metadata of a model as the server gives them; arguments as in `status`."""
        return self._found(model, f"{address(model, version, label)}/metadata")

    def signatures(
        self, model: str, version: int | None = None, *, label: str | None = None
    ) -> dict[str, SignatureSpecs]:
        """What a model can be asked.

        Returns: {signature: (inputs, outputs)}, each {name: Spec(dtype, shape)}.
        """
        found = columns.signatures(self.metadata(model, version, label=label))
        self._known[address(model, version, label)] = (time.monotonic(), found)
        return found

    def predict(
        self,
        model: str,
        inputs: Any,
        *,
        signature: str | None = None,
        version: int | None = None,
        label: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Run a signature.

        Args:
            model: its name.
            inputs: {input name: array}; an array, for a signature with one input; a DataFrame whose
                columns are the inputs, or all columns of the one input [rows, columns]; or the path
                of an .npy, .npz or image file or of a folder of images, read as `tfkit predict`
                reads them.
            signature: a name; None is the server's default one.
            version: a number; None is the newest.
            label: instead of a version.
        Returns: {output name: array} in the signature's dtypes; text as bytes.
        """
        where = address(model, version, label)
        try:
            specs = self._specs(model, where, signature, fresh=False)
            ready = given.arrays(inputs, specs.inputs)
        except UsageError:
            # a new version may take what the one that is remembered does not
            specs = self._specs(model, where, signature, fresh=True)
            ready = given.arrays(inputs, specs.inputs)
        answer = self._sender.post(f"{where}:predict", columns.write(ready, signature))
        try:
            return columns.read(answer, specs.outputs)
        except TfkitError:
            specs = self._specs(model, where, signature, fresh=True)
            return columns.read(answer, specs.outputs)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._sender.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _found(self, model: str, path: str) -> Any:
        """The JSON at a model's path; where nothing is there, the error says what there is."""
        try:
            return self._sender.get(path)
        except ServerRefused as error:
            offer = self._offer(model) if error.status in (400, 404) else ""
            if not offer:
                raise
            raise ServerRefused(
                f"{error}. {offer}", status=error.status, said=error.said
            ) from error

    def _offer(self, model: str) -> str:
        """The versions and labels of a model, or the other models; "" if the server tells none."""
        try:
            served = {found["name"]: found for found in self.models()}
            if model not in served:
                close = difflib.get_close_matches(model, served, n=1)
                hint = f"; did you mean {close[0]}?" if close else "."
                return f"The server has: {', '.join(served) or 'no models'}{hint}"
            states = served[model]["versions"]
            versions = [str(v["version"]) for v in states if v["state"] == "AVAILABLE"]
            labels = ", ".join(f"{name} ({v})" for name, v in served[model]["labels"].items())
        except (TfkitError, KeyError, TypeError, AttributeError):  # TensorFlow Serving has no list
            return ""
        numbers = ", ".join(versions) or "none"
        return f"Of {model} there are: versions {numbers}; labels {labels or 'none'}."

    def _specs(
        self, model: str, where: str, signature: str | None, *, fresh: bool
    ) -> SignatureSpecs:
        asked, known = self._known.get(where, (float("-inf"), {}))
        if fresh or time.monotonic() - asked > _TRUSTED:
            known = columns.signatures(self._found(model, f"{where}/metadata"))
            self._known[where] = (time.monotonic(), known)
        wanted = DEFAULT_SIGNATURE if signature is None else signature
        name = chosen_signature(f"{self.url}{where}", list(known), wanted)
        return known[name]


def address(model: str, version: int | None = None, label: str | None = None) -> str:
    """The path of a model, or of one version of it.

    Raises: UsageError for a version and a label, or a name that no server can have.
    """
    if version is not None and label is not None:
        raise UsageError("Give a version or a label, not both.")
    if not isinstance(model, str) or not model or set("/:") & set(model):
        raise UsageError(
            f"{model!r} is no name of a model on a server, such as beta_vae{_name_in(model)}"
        )
    path = f"/v1/models/{quote(model, safe='')}"
    if version is not None:
        return f"{path}/versions/{_whole(version)}"
    return path if label is None else f"{path}/labels/{quote(str(label), safe='')}"


def _name_in(path: Any) -> str:
    """The model and version that someone who gave a folder means."""
    *folders, name = str(path).strip("/").split("/")
    if name in ("", path) or ":" in name:
        return "."
    if not folders or not name.isdecimal():
        return f"; did you mean {name}?"
    return f"; did you mean {folders[-1]} --version {name} (version={name} in Python)?"


def _whole(version: Any) -> int:
    try:
        number = -1 if isinstance(version, bool) else operator.index(version)
    except TypeError:
        number = -1
    if number < 0:
        raise UsageError(f"A version is a whole number >= 0, got {version!r}.")
    return number
