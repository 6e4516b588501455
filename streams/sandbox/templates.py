"""The templates that a sandbox is told of, which at Customer.io are made in the UI: the switch, data only.

Without any, every id is taken for one that exists, of any channel and without content; campaigns there are none.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from streams.sandbox.message import Channel

TEMPLATES_MAX: Final = 1000
BODY_CHARACTERS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A message with `{{placeholders}}`; `name` is its trigger name, `subject` also a push's title."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: Annotated[int, Field(ge=1)]
    name: str = ""
    channel: Channel = "email"
    subject: str = ""
    body: Annotated[str, Field(max_length=BODY_CHARACTERS_MAX)] = ""
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign(Template):
    """A message to whoever an event with this name comes from; placeholders are `{{event.…}}`, `{{customer.…}}`."""

    event: Annotated[str, Field(min_length=1)]


Many = Annotated[tuple[Template, ...], Field(max_length=TEMPLATES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """`PUT /sandbox/templates` while it runs: each of the lists is replaced whole when it is given."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    transactional: Many = ()
    broadcasts: Many = ()
    campaigns: Annotated[tuple[Campaign, ...], Field(max_length=TEMPLATES_MAX)] = ()


def find_template(among: tuple[Template, ...], wanted: int | str) -> Template | None:
    """Return the template with this id, or with this trigger name, whose case does not matter."""
    if isinstance(wanted, int):
        return next((each for each in among if each.id == wanted), None)
    return next((each for each in among if each.name.casefold() == wanted.casefold()), None)
