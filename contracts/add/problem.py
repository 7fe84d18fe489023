"""What ends the making of a contract."""


class NoContract(Exception):
    """No contract can be made of these samples; the message says why, and what to do."""
