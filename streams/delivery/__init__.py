"""The parts of a worker between a chunk and its committed conclusions, and how they are put together."""
