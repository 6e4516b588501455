"""The one error of the benchmark: what was to be measured did not happen, so there is no figure."""


class BenchError(Exception):
    """Something that the benchmark started ended early, or did not get on; the message ends with its last words."""
