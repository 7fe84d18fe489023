"""Who a caller is, by its access key."""

from pathlib import Path

from fakeshift.api.principals import from_settings
from fakeshift.config import Settings


def test_the_local_redshift_learns_of_a_roles_keys_as_they_come(tmp_path: Path) -> None:
    file = tmp_path / "principals.json"
    resolve = from_settings(Settings(data=tmp_path, principals_file=file))
    assert resolve("ASIA1").db_user == "IAM:ASIA1"
    file.write_text('{"ASIA1": "IAMR:loader", "ASIA2": "IAMR:loader"}')
    assert resolve("ASIA1").db_user == "IAMR:loader"
    assert resolve("ASIA2").id == resolve("ASIA1").id
