"""`cio-streams up`: everything on one machine, until Ctrl-C."""


def up() -> None:
    """Run Kafka, the Customer.io sandbox, a worker and sample traffic on this machine; Ctrl-C stops all of it.

    A Kafka of your own (KAFKA_BOOTSTRAP_SERVERS) or Customer.io credentials take a stand-in's place; with either,
    there is no sample traffic.
    """
    from streams.up.signals import StopAsked, StopSignals  # noqa: PLC0415 - first, for Ctrl-C may come at any time

    try:
        signals = StopSignals()
        signals.install()
        from streams.settings import load_settings  # noqa: PLC0415 - as above
        from streams.up.run import run_up  # noqa: PLC0415 - Kafka's client takes a while to import
        from streams.up.screen import create_screen  # noqa: PLC0415 - as above

        run_up(load_settings(), screen=create_screen(), signals=signals)
    except StopAsked:
        return
