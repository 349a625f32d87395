"""The command that serves exports."""

from pathlib import Path
from typing import Annotated

import typer

from tfkit.cli.options import Quiet, heavy
from tfkit.errors import UsageError

ENGINES = ("tfkit", "tensorflow_model_server")


def serve(
    path: Annotated[
        Path | None,
        typer.Argument(help="savedmodels/NAME, savedmodels, or savedmodels/NAME/VERSION."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TF Serving's models.config, instead of PATH."),
    ] = None,
    rest_port: Annotated[int, typer.Option(metavar="N", help="0 takes any free one.")] = 8501,
    grpc_port: Annotated[int, typer.Option(metavar="N", help="0 takes any free one.")] = 8500,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all networks.")
    ] = "127.0.0.1",
    engine: Annotated[
        str, typer.Option(help="tfkit, or tensorflow_model_server on PATH or in its container.")
    ] = ENGINES[0],
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where --engine tensorflow_model_server finds its configurations, written here; "
            "beside the models if not said.",
        ),
    ] = None,
    batching_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Merge requests, by TF Serving's BatchingParameters."),
    ] = None,
    monitoring_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TF Serving's MonitoringConfig.")
    ] = None,
    ssl_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TF Serving's SSLConfig, instead of the next three."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Private key (PEM), for both ports.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its certificate and chain (PEM).")
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask callers for a certificate of this authority."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask every caller for the bearer token in this file."),
    ] = None,
    cors: Annotated[
        bool, typer.Option("--cors", help="Let pages of other origins call REST.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Requests computed at once.")
    ] = None,
    max_body: Annotated[
        int, typer.Option(metavar="MIB", min=1, help="Largest request, also after gunzip.")
    ] = 128,
    max_buffered: Annotated[
        int, typer.Option(metavar="MIB", min=1, help="Of all requests together; more are refused.")
    ] = 1024,
    max_rows: Annotated[int, typer.Option(metavar="N", min=1, help="Rows of a request.")] = 100_000,
    max_concurrent: Annotated[
        int, typer.Option(metavar="N", min=1, help="Requests in flight; more are refused (429).")
    ] = 256,
    receive_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Until a request must have arrived.")
    ] = 30.0,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Until REST answers 504 instead.")
    ] = 30.0,
    poll: Annotated[
        float, typer.Option(metavar="SECONDS", help="Between looks for new versions; 0: never.")
    ] = 1.0,
    grace: Annotated[
        float, typer.Option(metavar="SECONDS", help="For requests in flight after Ctrl-C.")
    ] = 30.0,
    request_log: Annotated[
        str | None, typer.Option(metavar="FILE", help="One JSON line a request; - is stderr.")
    ] = None,
    quiet: Quiet = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on one line when ready.")
    ] = False,
) -> None:
    """Serve exports over TF Serving's REST and gRPC. A SavedModel is a program: serve trusted ones.

    \b
    tfkit serve savedmodels
    tfkit serve savedmodels/shapes --rest-port 0 --grpc-port 0 --json
    tfkit serve --config models.config --batching-config batching.config --host 0.0.0.0
    """
    if engine not in ENGINES:
        raise UsageError(f"--engine takes {' or '.join(ENGINES)}, got {engine}.")
    if write and engine == ENGINES[0]:
        raise UsageError(f"--write is for --engine {ENGINES[1]}.")
    if ssl_config and (tls_key or tls_cert or tls_client_ca):
        raise UsageError("--ssl-config holds key and certificate itself; leave out --tls-….")
    from tfkit.serve import flat_text, settings

    if tls_key or tls_cert or tls_client_ca:
        secrets = settings.read_tls(tls_key, tls_cert, tls_client_ca)
    else:
        secrets = ssl_config and flat_text.read_ssl(ssl_config)
    asked = settings.Settings(
        path=path,
        config=config,
        host=host,
        rest_port=rest_port,
        grpc_port=grpc_port,
        threads=threads,
        limits=settings.Limits(
            body_bytes=max_body * settings.MEBIBYTE,
            buffered_bytes=max_buffered * settings.MEBIBYTE,
            rows=max_rows,
            concurrent=max_concurrent,
            receive_seconds=receive_timeout,
            answer_seconds=timeout,
        ),
        batching=batching_config and flat_text.read_batching(batching_config),
        metrics=flat_text.read_monitoring(monitoring_config)
        if monitoring_config
        else flat_text.Monitoring(enable=True),
        ssl=secrets,
        token=token_file and settings.read_token(token_file),
        cors=cors,
        poll_seconds=poll,
        grace_seconds=grace,
        request_log=request_log,
    )
    if engine == ENGINES[1]:
        from tfkit.serve import model_server

        model_server.start(asked, folder=write, as_json=json)
    else:
        heavy("tfkit.serve.running").run(asked, as_json=json, quiet=quiet)
