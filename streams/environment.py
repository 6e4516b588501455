"""Gathers settings from environment variables: `NAME`, `NAME_FILE`, empty ones, misspelt ones; it judges no value.

A fault is one line, `VARIABLE: what is wrong, what is expected`, and never holds a value.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VALUE_FILE_BYTES_MAX: Final = 65_536
OWN_PREFIXES: Final = ("CUSTOMERIO_", "DEDUPE_", "RETRY_")
"""Nobody else uses these: an unknown name that starts so is a mistake, whatever it looks like."""

LIKENESS_MIN: Final = 0.85
"""So alike, an unknown name is a misspelt one (`TOPIC_PARTITION`); `HTTP_PROXY` is far below `HTTP_PORT`."""

# Kubernetes puts these into every pod beside a service called `customerio-…`: nobody wrote them, so no mistake.
_SERVICE_LINK = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was found: `values` by setting name, `origins` (the variable each came from), `files`, `faults` as lines."""

    values: Mapping[str, str]
    origins: Mapping[str, str]
    files: Mapping[str, Path]
    faults: tuple[str, ...]


def gather(names: Collection[str], *, environ: Mapping[str, str]) -> Gathered:
    """Read the settings called `names` from `environ`, values in files included; an empty variable counts as unset."""
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    files: dict[str, Path] = {}
    faults: list[str] = []
    present = {variable: value for variable, value in environ.items() if value}
    for name in names:
        variable = name.upper()
        try:
            found = _value(variable, environ=present)
        except _FaultError as fault:
            faults.append(str(fault))
            origins[name] = variable
            continue
        if found is not None:
            origins[name], values[name] = found
            if origins[name] != variable:
                files[name] = Path(present[origins[name]])
    faults.extend(_misspelt(present, known={name.upper() for name in names}))
    return Gathered(values=values, origins=origins, files=files, faults=tuple(faults))


class _FaultError(Exception):
    """One line about one variable."""


def _value(variable: str, *, environ: Mapping[str, str]) -> tuple[str, str] | None:
    file_variable = f"{variable}_FILE"
    if file_variable not in environ:
        return (variable, environ[variable]) if variable in environ else None
    if variable in environ:
        raise _FaultError(f"{variable}: is set, and so is {file_variable}, expected only one of them")
    return file_variable, _read(file_variable, path=Path(environ[file_variable]))


def _read(variable: str, *, path: Path) -> str:
    try:
        with path.open("rb") as file:
            value = file.read(VALUE_FILE_BYTES_MAX + 1)
        text = value.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise _FaultError(f"{variable}: cannot read this file ({error.strerror}), expected a readable one") from error
    except UnicodeDecodeError:
        raise _FaultError(f"{variable}: the file is not UTF-8, expected the value as text") from None
    if not text or len(value) > VALUE_FILE_BYTES_MAX:
        raise _FaultError(f"{variable}: the file is empty or over {VALUE_FILE_BYTES_MAX} bytes, expected the value")
    return text


def _misspelt(variables: Iterable[str], *, known: Collection[str]) -> Iterator[str]:
    variables = set(variables)
    candidates = [*known, *(f"{variable}_FILE" for variable in known)]
    for variable in sorted(variables - set(candidates)):
        if _SERVICE_LINK.fullmatch(variable):
            continue
        cutoff = 0.0 if variable.startswith(OWN_PREFIXES) else LIKENESS_MIN
        nearest = difflib.get_close_matches(variable, candidates, n=1, cutoff=cutoff)
        # A foreign program's name beside ours (`KAFKA_BOOTSTRAP_SERVER`) is no mistake once ours is set as well.
        if nearest and (cutoff == 0.0 or nearest[0] not in variables):
            yield f"{variable}: is not a setting, expected perhaps {nearest[0]}"
