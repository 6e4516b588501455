"""What `make check` asks about our dependencies and our own files, where no tool answers by itself."""
