"""For all tests."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes that are no text name no test: a gzip file has the time in it, and each of pytest's workers another."""
    if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()):
        return f"{len(val)} bytes"
    return None
