"""The state machine, on an interpreter of our own."""
