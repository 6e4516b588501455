"""The command line: one file for each command, listed here; a command reads its options and calls what does the work.

A command imports what is heavy only when it runs, so that `--help` and wrong usage answer at once.
"""

import typer

from streams.cli import dlq, topics, webhooks
from streams.cli.acls import acls
from streams.cli.audit import audit
from streams.cli.check import check
from streams.cli.kafka import kafka
from streams.cli.publish import publish
from streams.cli.report import report
from streams.cli.sandbox import sandbox
from streams.cli.up import up
from streams.cli.warehouse import warehouse
from streams.cli.why import why
from streams.cli.worker import worker

app = typer.Typer(
    help="Delivers user changes and domain events from Kafka to Customer.io.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and those hold payloads and secrets
)

# A new command: its function in streams/cli/<command>.py, its import above, its line here.
app.command()(up)
app.command()(worker)
app.add_typer(topics.app, name="topics")
app.command()(acls)
app.command()(sandbox)
app.command()(kafka)
app.command()(check)
app.command()(publish)
app.add_typer(dlq.app, name="dlq")
app.command()(audit)
app.command()(why)
app.command()(warehouse)
app.add_typer(webhooks.app, name="webhooks")
app.command()(report)
