"""What a report consists of: which view each section shows, which of its columns, and how. Data only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Form: TypeAlias = Literal["text", "number", "seconds", "share", "time", "person"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of a view: its heading, and how its values are written."""

    name: str
    heading: str
    form: Form = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A view as it is shown.

    Attributes:
        name: what it is called in the JSON.
        order: the column whose highest values come first.
        newest: only so many, the newest by `order`; all of them otherwise.
    """

    name: str
    title: str
    view: str
    columns: Sequence[Shown]
    order: str
    newest: int | None = None


SECTIONS: Final = (
    Section(
        name="funnel",
        title="Messages, and what became of them",
        view="message_funnel",
        order="messages",
        columns=(
            Shown("kind", "of", "text"),
            Shown("id", "id", "text"),
            Shown("channel", "channel", "text"),
            Shown("messages", "messages"),
            Shown("sent", "sent"),
            Shown("delivered", "delivered"),
            Shown("opened", "opened"),
            Shown("opened_by_machine", "by machines only"),
            Shown("clicked", "clicked"),
            Shown("clicked_by_machine", "by machines only"),
            Shown("converted", "converted"),
            Shown("bounced", "bounced"),
            Shown("failed", "failed"),
            Shown("spammed", "spam"),
            Shown("unsubscribed", "unsubscribed"),
        ),
    ),
    Section(
        name="event_times",
        title="From a domain event to its messages: half, and nine in ten, took no longer",
        view="event_times",
        order="messages",
        columns=(
            Shown("campaign_id", "campaign", "text"),
            Shown("joined_by", "known by", "text"),
            Shown("messages", "messages"),
            Shown("delivered", "delivered"),
            Shown("delivered_half_s", "half", "seconds"),
            Shown("delivered_most_s", "9 in 10", "seconds"),
            Shown("opened", "opened"),
            Shown("opened_half_s", "half", "seconds"),
            Shown("opened_most_s", "9 in 10", "seconds"),
            Shown("clicked", "clicked"),
            Shown("clicked_half_s", "half", "seconds"),
            Shown("clicked_most_s", "9 in 10", "seconds"),
        ),
    ),
    Section(
        name="transactional",
        title="Transactional messages that we sent, by template",
        view="transactional_times",
        order="accepted",
        columns=(
            Shown("id", "template", "text"),
            Shown("operations", "sent as", "text"),
            Shown("accepted", "accepted"),
            Shown("delivered", "delivered"),
            Shown("delivered_half_s", "half", "seconds"),
            Shown("opened", "opened"),
            Shown("opened_half_s", "half", "seconds"),
            Shown("clicked", "clicked"),
            Shown("bounced", "bounced"),
            Shown("failed", "failed"),
        ),
    ),
    Section(
        name="outcomes",
        title="Dead letters against deliveries",
        view="topic_outcomes",
        order="records",
        columns=(
            Shown("topic", "topic", "text"),
            Shown("records", "records"),
            Shown("delivered", "delivered"),
            Shown("left_out", "left out"),
            Shown("died", "died"),
            Shown("mended", "mended"),
            Shown("dead", "dead"),
            Shown("dead_share", "share", "share"),
        ),
    ),
    Section(
        name="dead_reasons",
        title="What is dead, by reason",
        view="dead_reasons",
        order="dead",
        columns=(Shown("topic", "topic", "text"), Shown("reason", "reason", "text"), Shown("dead", "dead")),
    ),
    Section(
        name="journeys",
        title="The newest messages that domain events led to",
        view="event_messages",
        order="first_at",
        newest=10,
        columns=(
            Shown("source_at", "event", "time"),
            Shown("user_id", "person", "person"),
            Shown("campaign_id", "campaign", "text"),
            Shown("channel", "channel", "text"),
            Shown("joined_by", "known by", "text"),
            Shown("seconds_to_sent", "sent after", "seconds"),
            Shown("seconds_to_delivered", "delivered", "seconds"),
            Shown("seconds_to_opened", "opened", "seconds"),
            Shown("seconds_to_clicked", "clicked", "seconds"),
        ),
    ),
    Section(
        name="days",
        title="Messages by day (UTC)",
        view="messages_by_day",
        order="day",
        newest=14,
        columns=(
            Shown("day", "day", "text"),
            Shown("messages", "messages"),
            Shown("delivered", "delivered"),
            Shown("opened", "opened"),
            Shown("clicked", "clicked"),
            Shown("bounced", "bounced"),
        ),
    ),
    Section(
        name="loaded",
        title="What was loaded",
        view="faults",
        order="loaded",
        columns=(
            Shown("source", "from", "text"),
            Shown("loaded", "rows"),
            Shown("unreadable", "unreadable"),
            Shown("stale", "stale"),
        ),
    ),
)
