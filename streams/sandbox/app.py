"""Puts the sandbox together: one world, its calls and its views, behind the wire. No decisions here."""

import asyncio
import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware

from streams.sandbox import answers
from streams.sandbox.app_calls import AppCalls
from streams.sandbox.calls import TrackCalls
from streams.sandbox.campaigns import Campaigns
from streams.sandbox.exchange import Sleep
from streams.sandbox.gate import Gate
from streams.sandbox.mailroom import Mailroom
from streams.sandbox.operation import RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.request_log import RequestLog
from streams.sandbox.settling import Settling
from streams.sandbox.switch import Switch
from streams.sandbox.views import Views
from streams.sandbox.webhooks import Webhooks
from streams.sandbox.wire import Wire
from streams.sandbox.world import World


def create_app(
    world: World,
    *,
    options: SandboxOptions,
    clock: Callable[[], float] = time.time,
    sleep: Sleep = asyncio.sleep,
) -> Starlette:
    """Return the sandbox as an ASGI application. Faults that drop connections need `serve` to do so on the wire."""
    account, log = Switch(options.account()), RequestLog()
    gate = Gate(region=options.region, account=account, faults=Switch(options.faults))
    templates = Switch(options.templates)
    mailroom = Mailroom(world, templates=templates, options=options)
    webhooks = Webhooks(world, options=options.webhooks, templates=templates)
    world.event_listeners.append(Campaigns(world, templates=templates).take_event)
    settles = (world.settle, mailroom.settle, webhooks.settle)
    calls = [
        *TrackCalls(world, options=options, account=account, clock=clock).routes(),
        *AppCalls(mailroom, options=options, account=account, templates=templates, clock=clock).routes(),
    ]
    views = Views(world, gate=gate, log=log, templates=templates, webhooks=webhooks, clock=clock)
    app = Starlette(
        routes=[*calls, *views.routes()],
        middleware=[
            Middleware(Wire, gate=gate, log=log, clock=clock, sleep=sleep),
            Middleware(Settling, settles=settles, clock=clock),
        ],
        exception_handlers={
            RefusedError: answers.refused,
            404: answers.no_such_call,
            405: answers.no_such_call,
        },
        lifespan=webhooks.sender(*settles, clock=clock).running,
    )
    app.router.redirect_slashes = False  # Customer.io does not redirect either
    return app
