"""What a user would take instead, on the same files and the same machine."""
