"""The largest attachments that Customer.io takes go through Kafka too, and into the dead-letter topic."""

import base64
import random
from pathlib import Path

from schemas.transactional_message import ATTACHMENTS_BYTES_MAX
from streams.messaging import QueuedMessaging
from tests.conftest import SettingsFactory
from tests.integration.sends_stage import sends_stage, words

CONTENT = base64.b64encode(random.Random(6).randbytes(ATTACHMENTS_BYTES_MAX - 1)).decode()


async def test_the_largest_attachments_go_through(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Whole, and refused ones become letters that are as large."""
    settings = settings_factory()
    with sends_stage(settings, tmp_path) as world, world.worker("only"):
        async with QueuedMessaging(settings) as queued:
            for message_id, file in (("good", "a.pdf"), ("refused", "a.exe")):
                world.published += 1
                await queued.enqueue_transactional(
                    "email",
                    message_id=message_id,
                    identifiers={"id": "u-1"},
                    to="ada@example.com",
                    transactional_message_id=3,
                    message_data={"message_id": message_id},
                    attachments={file: CONTENT},
                )
        results = world.concluded()
        (letter,) = world.letters()

    assert words(results) == ["delivered", "rejected"]
    assert CONTENT.encode() in (letter.value or b"")
