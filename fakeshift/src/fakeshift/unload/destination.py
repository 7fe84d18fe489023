"""Where UNLOAD writes: to an empty prefix, over existing files, or after deleting them.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html#allowoverwrite
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fakeshift.errors import RedshiftError, unsupported
from fakeshift.s3 import ObjectStore, split_url
from fakeshift.sql.unload_options import UnloadOptions


class Destination:
    """``s3://bucket/prefix`` of one UNLOAD."""

    def __init__(self, store: ObjectStore, url: str, options: UnloadOptions):
        if not url.startswith("s3://"):
            raise unsupported(f"UNLOAD to {url}")
        self.bucket, self._prefix = split_url(url)
        if options.partition_by and self._prefix and not self._prefix.endswith("/"):
            self._prefix += "/"
        self._store = store
        self._options = options

    @property
    def url(self) -> str:
        """The prefix with its bucket; with a final slash for PARTITION BY."""
        return f"s3://{self.bucket}/{self._prefix}"

    def check(self) -> None:
        """ "By default, UNLOAD fails if it finds files that it would possibly overwrite": all keys
        with the prefix.
        """
        if self._options.allowoverwrite or self._options.cleanpath:
            return
        if next(iter(self._store.keys(self.bucket, self._prefix)), None) is not None:
            raise RedshiftError(
                "Specified unload destination on S3 is not empty. Consider using a different bucket "
                "/ prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE "
                "option."
            )

    def clean(self, folders: Iterable[str]) -> None:
        """CLEANPATH: "If you include the PARTITION BY clause, existing files are removed only from
        the partition folders to receive new files".
        """
        if not self._options.cleanpath:
            return
        for folder in dict.fromkeys(folders):
            for key in list(self._store.keys(self.bucket, self._prefix + folder)):
                self._store.delete(self.bucket, key)

    def put(self, name: str, path: Path) -> str:
        """Uploads a file and returns its URL. Encrypted with S3's key, or with KMS_KEY_ID."""
        encryption = {"ServerSideEncryption": "AES256"}
        if self._options.kms_key_id:
            encryption = {
                "ServerSideEncryption": "aws:kms",
                "SSEKMSKeyId": self._options.kms_key_id,
            }
        elif self._options.encrypted:
            encryption = {}
        with path.open("rb") as file:
            self._store.put(self.bucket, self._prefix + name, file, encryption)
        return self.url + name
