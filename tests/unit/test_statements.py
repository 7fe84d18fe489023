"""What the templates can use of a load."""

import pytest
from loader import sql
from loader.state import Load, Mode
from loader.statements import batch_names


@pytest.mark.parametrize(
    ("mode", "named", "flags"),
    [("load", False, ("0", "0")), ("load", True, ("0", "1")), ("reload", False, ("1", "0"))],
)
def test_what_a_batch_offers(mode: Mode, named: bool, flags: tuple[str, str]) -> None:
    load: Load = {
        "load_id": "20261123-203011-0a1b2c3d",
        "mode": mode,
        "named": named,
        "execution": "arn:It's",
        "started": "2026-11-23T20:30:11.123Z",
    }
    offered = batch_names(load, "0.1")
    assert offered == {
        "load_id": "20261123-203011-0a1b2c3d",
        "batch": "0.1",
        "mode": mode,
        "reload": flags[0],
        "named": flags[1],
        "execution": "arn:It%27s",
        "started_at": "2026-11-23 20:30:11.123000",
    }
    assert all(sql.fits(name, value) for name, value in offered.items())
