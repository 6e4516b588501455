"""Traces of a worker, for OpenTelemetry: imported only where `TRACE_SAMPLE_RATIO` is above 0."""
