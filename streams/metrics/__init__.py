"""What operators are told in figures: declared in one file, counted by observers, read by Prometheus."""
