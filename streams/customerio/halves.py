"""How a request that fails is taken apart: into halves that can be sent in any order. Sends nothing."""

from collections.abc import Sequence

from schemas.delivery import Parcel


def is_one_person(parcels: Sequence[Parcel]) -> bool:
    """Whether all are of the same person, so that even the halves must keep their order."""
    return len(_groups(parcels)) == 1 and len(parcels) > 1


def halve(parcels: Sequence[Parcel]) -> tuple[list[int], list[int]]:
    """The places of those in the first half and in the second; a person stands in one of them, if there are others."""
    groups = _groups(parcels)
    if len(groups) == 1:
        half = len(parcels) // 2
        return list(range(half)), list(range(half, len(parcels)))
    first: list[int] = []
    while len(groups) > 1 and (not first or len(first) + len(groups[0]) <= len(parcels) // 2):
        first += groups.pop(0)
    return first, [place for group in groups for place in group]


def _groups(parcels: Sequence[Parcel]) -> list[list[int]]:
    groups: dict[str | int, list[int]] = {}
    for place, parcel in enumerate(parcels):
        groups.setdefault(place if parcel.person is None else parcel.person, []).append(place)
    return list(groups.values())
