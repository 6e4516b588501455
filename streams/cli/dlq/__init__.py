"""`cio-streams dlq …`: one file for each command, listed here."""

import typer

from streams.cli.dlq.discard import discard
from streams.cli.dlq.edit import edit
from streams.cli.dlq.erase import erase
from streams.cli.dlq.list import list_letters
from streams.cli.dlq.replay import replay
from streams.cli.dlq.resume import resume
from streams.cli.dlq.show import show
from streams.cli.dlq.stats import stats
from streams.cli.dlq.watch import watch

app = typer.Typer(help="Look at dead letters, rehearse and replay them.", no_args_is_help=True)

# A new command: its function in streams/cli/dlq/<command>.py, its import above, its line here.
app.command("list")(list_letters)
app.command()(show)
app.command()(stats)
app.command()(replay)
app.command()(edit)
app.command()(discard)
app.command()(resume)
app.command()(erase)
app.command()(watch)
