"""What a library says again and again is said once in a while, with how often; what we say is always said."""

import logging

from streams.log_repeats import Repeats


class World:
    """A filter with a clock of its own."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.repeats = Repeats(["aiokafka"], every_s=10.0, clock=lambda: self.now_s)

    def say(self, name: str, text: str, *values: object) -> str | None:
        """What is logged of it."""
        record = logging.LogRecord(name, logging.ERROR, "", 0, text, values, None)
        return record.getMessage() if self.repeats.filter(record) else None


def test_a_repeat_is_held_back_and_counted() -> None:
    """Whatever values it names."""
    world = World()
    said = []
    for second in range(12):
        world.now_s = second
        said.append(world.say("aiokafka.conn", "no connection to %s", second))

    assert [each for each in said if each] == ["no connection to 0", "no connection to 10 (and 9 times more)"]


def test_other_lines_and_other_loggers_pass() -> None:
    """Each kind has its own turn, and ours are no library's."""
    world = World()

    assert [world.say("aiokafka", "one"), world.say("aiokafka.conn", "one"), world.say("aiokafka", "two")] == [
        "one",
        "one",
        "two",
    ]
    assert [world.say("streams", "one"), world.say("streams", "one")] == ["one", "one"]
    assert [world.say("aiokafkaesque", "one"), world.say("aiokafkaesque", "one")] == ["one", "one"]
