"""What make lint and make run: linters of our own and the set-up of .venv."""
