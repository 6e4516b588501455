"""Starts the parts of `up` in their order, watches them, and has them stopped in the reverse order."""

import contextlib
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final, NoReturn

import httpx

from schemas.errors import UnavailableError
from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.local_kafka.broker import LocalKafka
from streams.settings import Settings
from streams.up.child import Child, ChildFailedError
from streams.up.parts import Part, parts_on_kafka, sandbox_parts
from streams.up.places import own_command, places_of, receiver_url, worker_url
from streams.up.plan import Addresses, Plan, kafka_settings, with_variables
from streams.up.ports import pick_port
from streams.up.screen import Screen
from streams.up.signals import StopSignals, run_interruptibly
from streams.up.summary import Meter
from streams.up.traffic import Traffic

LOCALHOST: Final = "127.0.0.1"
KAFKA_PORT: Final = 9092
SANDBOX_PORT: Final = 8081
READY_S_MAX: Final = 90.0
TICK_S: Final = 0.1
ASK_S: Final = 1.0


class Stack:
    """The parts of one `up`; whatever has been started is on `parts`, and ends with it.

    Args:
        logs: the folder for the children's output.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        plan: Plan,
        screen: Screen,
        logs: Path,
        signals: StopSignals,
        parts: contextlib.ExitStack,
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._screen = screen
        self._logs = logs
        self._signals = signals
        self._parts = parts
        self._http = parts.enter_context(httpx.Client(timeout=ASK_S, trust_env=False))  # no proxy on this machine
        self._children: list[Child] = []
        self._kafka: LocalKafka | None = None
        self._traffic: Traffic | None = None
        self._meter = Meter()
        self._worker_url = ""
        self._receiver_url: str | None = None
        self._is_silent = False
        self._is_up = False

    def start(self) -> None:
        """Start what the plan says, and return when all of it works."""
        settings, plan, addresses = self._settings, self._plan, self._choose_addresses()
        self._worker_url, self._receiver_url = worker_url(settings, addresses), receiver_url(settings, addresses)
        started = self._start_parts(sandbox_parts(settings, addresses=addresses))
        if plan.is_kafka_local:
            self._start_kafka(int(addresses.bootstrap.rpartition(":")[2]))
        on_kafka = kafka_settings(settings, plan=plan, addresses=addresses)
        self._create_topics(on_kafka)
        on_kafka_parts = parts_on_kafka(settings, plan=plan, addresses=addresses, folder=self._logs)
        self._screen.step(f"Starting {', '.join(f'the {part.name}' for part in on_kafka_parts)} …")
        started |= self._start_parts(on_kafka_parts)
        for child, url in started.items():
            self._wait_for(child, url)
        if plan.has_sample_traffic:
            self._traffic = Traffic(on_kafka)
            self._parts.callback(self._traffic.close)
        self._is_up = True
        self._screen.open(places_of(settings, plan=plan, addresses=addresses, logs=self._logs, command=own_command()))

    def watch(self) -> None:
        """Feed the worker and show its figures until a signal comes or a part ends by itself."""
        due_s = time.monotonic()
        while True:
            self._insist_all_live()
            if self._traffic:
                self._traffic.tick()
            if time.monotonic() >= due_s:
                self._show_figures()
                due_s = time.monotonic() + self._screen.every_s
            time.sleep(TICK_S)

    def _show_figures(self) -> None:
        page = self._get(f"{self._worker_url}/metrics")
        if page is not None:
            webhooks = self._get(f"{self._receiver_url}/metrics") if self._receiver_url else None
            self._screen.update(self._meter.read(page, webhooks, now_s=time.monotonic()))
        elif not self._is_silent:
            self._screen.tell([f"The worker does not answer at {self._worker_url}"])
        self._is_silent = page is None

    def _choose_addresses(self) -> Addresses:
        settings, plan = self._settings, self._plan
        sandbox_url, webhook_port, bootstrap, taken = None, None, settings.bootstrap, set[int]()
        if plan.is_customerio_sandbox:
            taken.add(port := self._pick_port("the sandbox", SANDBOX_PORT, host=LOCALHOST))
            sandbox_url = f"http://{LOCALHOST}:{port}"
        if plan.is_kafka_local:
            taken.add(port := self._pick_port("Kafka", KAFKA_PORT, host=LOCALHOST, avoid=taken))
            bootstrap = f"{LOCALHOST}:{port}"
        taken.add(http_port := self._pick_port("the worker", settings.http_port, host=settings.http_host, avoid=taken))
        if plan.has_receiver:
            host, port = settings.webhook_host, settings.webhook_port
            taken.add(webhook_port := self._pick_port("the receiver", port, host=host, avoid=taken))
        warehouse_port = self._pick_port("the loader", settings.warehouse_port, host=settings.http_host, avoid=taken)
        return Addresses(
            bootstrap=bootstrap,
            http_port=http_port,
            warehouse_port=warehouse_port,
            sandbox_url=sandbox_url,
            webhook_port=webhook_port,
        )

    def _pick_port(self, whose: str, preferred: int, *, host: str, avoid: Collection[int] = ()) -> int:
        port = pick_port(preferred, host=host, avoid=avoid)
        if preferred and port != preferred:
            self._screen.tell([f"Port {preferred} is taken, {whose} gets {port}"])
        return port

    def _start_kafka(self, port: int) -> None:
        self._screen.step("Looking for a way to run Kafka …")
        self._kafka = LocalKafka(port=port, progress=self._screen.step)
        self._parts.callback(self._kafka.close)
        self._kafka.start()

    def _create_topics(self, settings: Settings) -> None:
        self._screen.step("Creating topics …")
        run_interruptibly(lambda: topics.create(connected_admin(settings), settings))

    def _start_parts(self, parts: Sequence[Part]) -> dict[Child, str]:
        """Start some, which are to end together, and give where each says that it is ready."""
        started: dict[Child, str] = {}
        for part in parts:
            child = self._start_child(part)
            started[child] = part.ready_url
        for child in started:
            self._parts.callback(child.ask_to_end)
        return started

    def _start_child(self, part: Part) -> Child:
        self._signals.check()
        command = with_variables([sys.executable, "-m", "streams", *part.arguments], part.variables)
        child = Child(part.name, command, log=self._logs / f"{part.name}.log", restarts=part.restarts)
        self._parts.callback(child.stop, part.stop_s)
        self._children.append(child)
        return child

    def _wait_for(self, child: Child, url: str) -> None:
        deadline_s = time.monotonic() + READY_S_MAX
        while self._get(url) is None:
            self._insist_all_live()
            if time.monotonic() > deadline_s:
                self._fail(child, f"did not answer with 200 at {url} within {READY_S_MAX:.0f} s")
            time.sleep(TICK_S)

    def _insist_all_live(self) -> None:
        self._signals.check()
        if self._kafka and not self._kafka.is_running:
            words = self._kafka.last_words()  # its log goes with it, so they are to be read now
            raise UnavailableError(f"The local Kafka ended by itself: {words}")
        for child in self._children:
            if (code := child.exit_code) is None:
                continue
            if not (self._is_up and child.start_again()):
                self._fail(child, f"ended by itself with exit code {code}")
            self._screen.tell([f"The {child.name} ended by itself with exit code {code}, starting it again"])

    def _fail(self, child: Child, what: str) -> NoReturn:
        self._screen.tell([f"The end of {child.log}:", *child.last_lines()])
        raise ChildFailedError(f"The {child.name} {what}; its log is {child.log}")

    def _get(self, url: str) -> str | None:
        """Give the body of a 200; None for anything else, that a server is not up yet included."""
        try:
            response = self._http.get(url)
        except httpx.HTTPError:
            return None
        return response.text if response.status_code == httpx.codes.OK else None
