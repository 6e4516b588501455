"""deploy/Dockerfile as the tests read it: instructions by stage, and what is copied from this repository."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction: its word in capitals, and the rest on one line."""

    word: str
    rest: str

    @property
    def pairs(self) -> dict[str, str]:
        """What an ENV or a LABEL sets."""
        return dict(pair.split("=", 1) for pair in shlex.split(self.rest))


def instructions() -> list[Instruction]:
    """All of them, in the order of the file."""
    code = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", code).splitlines()
    return [Instruction(word=word, rest=rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first."""
    found: list[list[Instruction]] = []
    for each in instructions():
        if each.word == "FROM":
            found.append([])
        if found:
            found[-1].append(each)
    return found


def copied(stage: Sequence[Instruction]) -> list[tuple[str, str]]:
    """What a stage takes from this repository, and where it puts it."""
    words = [each.rest.split() for each in stage if each.word == "COPY" and not each.rest.startswith("--from=")]
    return [(source, target) for *sources, target in words for source in sources]
