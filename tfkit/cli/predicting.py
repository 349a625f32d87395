"""The command that answers, from an export folder or from a server."""

from pathlib import Path
from typing import Annotated

import typer

from tfkit.cli.options import Json, heavy, show
from tfkit.errors import UsageError


def predict(
    model: Annotated[
        str,
        typer.Argument(help="savedmodels/NAME or savedmodels/NAME/VERSION; with --url a NAME."),
    ],
    input: Annotated[
        Path,
        typer.Option("--input", "-i", help=".npy, .npz, an image, or a folder of images."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=".npz, .json, .png, or a folder for one PNG a row."),
    ] = None,
    signature: Annotated[str | None, typer.Option(help="Which signature; predict if none.")] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this server; needs no TensorFlow.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Of the server's versions.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Of the server's version labels.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Holds the server's token.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who may sign an https server's key.")
    ] = None,
    cert_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Our certificate and its key.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="For the server's answer; 30 if none.")
    ] = None,
    json: Json = False,
) -> None:
    """Answer from an export folder, or from a server.

    \b
    tfkit predict savedmodels/beta_vae --input images.npy --output answer.npz
    tfkit predict savedmodels/beta_vae -i photos/ -o grid.png --signature reconstructions
    tfkit predict beta_vae --url http://127.0.0.1:8501 -i images.npy -o answer.npz
    """
    from tfkit import terminal

    reach = {"token_file": token_file, "ca_file": ca_file, "cert_file": cert_file}
    reach["timeout"] = timeout
    if url is not None:
        from tfkit.serve.client.asking import ask, connect

        with connect(url, **reach) as client:
            answer = ask(client, model, input, output, signature, version=version, label=label)
    else:
        _refuse({"version": version, "label": label, **reach})
        answer = heavy("tfkit.export.predict").predict(model, input, output, signature)
    show(answer if json else terminal.brief_answer(answer), json)


def _refuse(options: dict) -> None:
    """What says how to reach a server means nothing to a folder."""
    for name, value in options.items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} is about a server; give its --url too.")
