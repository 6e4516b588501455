"""`cio-streams sandbox`: only the Customer.io sandbox, in the foreground. Reads options, starts it, decides nothing."""

from typing import Annotated, Literal

import typer

from streams.sandbox.faults import Faults
from streams.sandbox.options import HOST, PORT, SandboxOptions


def sandbox(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = HOST,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = PORT,
    region: Annotated[Literal["us", "eu"], typer.Option(help="Region that the account is in.")] = "us",
    site_id: Annotated[str | None, typer.Option(help="Accept this site id only; any by default.")] = None,
    track_api_key: Annotated[str | None, typer.Option(help="Accept this Track API key only; any by default.")] = None,
    latency_ms: Annotated[float, typer.Option(help="Delay of every answer, in milliseconds.")] = 0.0,
    fault_rate: Annotated[float, typer.Option(help="Share of the requests that go wrong, 0 to 1.")] = 0.0,
    fault_kind: Annotated[
        list[str] | None,
        typer.Option(help="What goes wrong, may be repeated: a status, reset_before, reset_after, hang, slow."),
    ] = None,
    hang_s: Annotated[float, typer.Option(help="How long a hanging request hangs, in seconds.")] = 12.0,
    seed: Annotated[int, typer.Option(help="The same seed draws the same faults.")] = 1,
    keep_log: Annotated[bool, typer.Option("--keep-log", help="Keep every operation for GET /sandbox/log.")] = False,
) -> None:
    """Run a stand-in for Customer.io's Track API until Ctrl-C; open its address to see what arrived."""
    from streams.sandbox.faults import read_faults  # noqa: PLC0415 - as the next
    from streams.sandbox.serve import serve  # noqa: PLC0415 - the web server takes a while to import

    given: dict[str, object] = {"rate": fault_rate, "seed": seed, "latency_ms": latency_ms, "hang_s": hang_s}
    if fault_kind:
        given["kinds"] = fault_kind
    options = SandboxOptions(
        region=region,
        site_id=site_id,
        track_api_key=track_api_key,
        faults=read_faults(given, current=Faults()),
        keep_log=keep_log,
    )
    serve(host=host, port=port, options=options)
