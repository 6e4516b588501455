"""The options of `cio-streams sandbox`."""

import socket

import typer
from typer.testing import CliRunner, Result

from schemas.errors import ConfigError, UnavailableError
from streams.cli.sandbox import sandbox


def run(*arguments: str) -> Result:
    """Run the command alone."""
    app = typer.Typer()
    app.command()(sandbox)
    return CliRunner().invoke(app, arguments)


def test_wrong_faults_stop_it_before_it_listens() -> None:
    """A fault that there is not, or a share above 1, is a fault of the settings, and each is named."""
    result = run("--fault-rate", "2", "--fault-kind", "meteor")

    assert isinstance(result.exception, ConfigError)
    assert "rate" in str(result.exception)
    assert "kinds" in str(result.exception)


def test_a_taken_port_is_unavailable() -> None:
    """A port that somebody has is said to be taken."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        result = run("--port", str(holder.getsockname()[1]), "--fault-kind", "503", "--keep-log")

    assert isinstance(result.exception, UnavailableError)


def test_help_names_every_option() -> None:
    """The help comes from the command itself."""
    output = run("--help").output

    assert "Track API" in output
    assert "--latency-ms" in output
