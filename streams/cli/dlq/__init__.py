"""`cio-streams dlq …`: one file for each command, listed here."""

import typer

from streams.cli.dlq.resume import resume

app = typer.Typer(help="Look at dead letters, rehearse and replay them.", no_args_is_help=True)

# A new command: its function in streams/cli/dlq/<command>.py, its import above, its line here.
app.command()(resume)
