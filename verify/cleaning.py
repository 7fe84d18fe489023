"""Removes what a run created, by its prefix and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError
from conformance.runner import Runner

from verify.place import PREFIX, SCHEMAS, Place

AT_ONCE = 40
DELETED_AT_ONCE = 1000


class Cleaner:
    """What ``run`` made, or what every run made whose end nobody saw (``run`` is '').

    keep_data   leaves the objects of the data bucket: the stack may be about to load them
    unlisted    buckets whose versions may not be listed, and what AWS says
    """

    def __init__(self, place: Place, run: str = "", *, keep_data: bool = False) -> None:
        self.place = place
        self.keep_data = keep_data
        self.unlisted: dict[str, str] = {}
        self.prefix = f"{PREFIX}{run}"
        self.schema_prefix = f"{SCHEMAS}{run}"
        self._runner = Runner(place.target(run, "x"))

    def found(self) -> list[str]:
        """What there is, in words."""
        lines = [f"schema {name}" for name in self.schemas()]
        lines += [
            f"{len(keys):,} objects under s3://{bucket}/{prefix}"
            for bucket, prefix in self.places()
            if (keys := list(self._versions(bucket, prefix)))
        ]
        return [*lines, *(f"queue {url.rpartition('/')[2]}" for url in self.queues())]

    def clean(self) -> tuple[list[str], list[str]]:
        """Removes it; what was removed, and what could not be, each in words."""
        done: list[str] = []
        left: list[str] = []
        steps: list[tuple[str, Callable[[], int]]] = [
            ("schemas", self._drop),
            ("objects", self._delete),
            ("queues", self._delete_queues),
        ]
        for name, step in steps:
            try:
                if count := step():
                    done.append(f"{count:,} {name}")
            except (ClientError, BotoCoreError, TimeoutError, RuntimeError) as error:
                left.append(f"{name}: {error}")
        return done, left

    def schemas(self) -> list[str]:
        """The schemas that are there."""
        answer = self._runner.run("SELECT nspname FROM pg_namespace", {})
        if answer.error:
            raise RuntimeError(answer.error)
        return sorted(
            str(name) for (name,) in answer.rows if str(name).startswith(self.schema_prefix)
        )

    def _drop(self) -> int:
        names = self.schemas()
        for start in range(0, len(names), AT_ONCE):
            sqls = [f'DROP SCHEMA "{name}" CASCADE' for name in names[start : start + AT_ONCE]]
            self._runner.run_batch(sqls, {}, ExecutionMode="AUTO_COMMIT")
        if left := self.schemas():
            raise RuntimeError(f"still there: {', '.join(left)}")
        return len(names)

    def places(self) -> Iterator[tuple[str, str]]:
        """(bucket, prefix) of everything that a run puts into S3."""
        yield self.place.bucket, f"{self.place.root}{self.prefix}"
        if (stack := self.place.stack) and not self.keep_data:
            for of_dataset in (stack.log_prefix, stack.song_prefix):
                yield stack.outputs["DataBucketName"], f"{of_dataset}{self.prefix}"

    def _versions(self, bucket: str, prefix: str) -> Iterator[dict[str, str]]:
        """Every version of every object, if they may be listed; else the objects."""
        s3 = self.place.s3
        try:
            for page in s3.get_paginator("list_object_versions").paginate(
                Bucket=bucket, Prefix=prefix
            ):
                for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    yield {"Key": entry["Key"], "VersionId": entry["VersionId"]}
        except ClientError as error:
            self.unlisted[bucket] = str(error)
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from ({"Key": entry["Key"]} for entry in page.get("Contents", []))

    @property
    def may_stay(self) -> list[str]:
        """What nobody can tell: versions that may not be listed."""
        return [
            f"if s3://{bucket} keeps versions, those of the deleted objects under {self.prefix} stay: {error}"
            for bucket, error in self.unlisted.items()
        ]

    def _delete(self) -> int:
        deleted = 0
        for bucket, prefix in self.places():
            named = list(self._versions(bucket, prefix))
            for start in range(0, len(named), DELETED_AT_ONCE):
                some = named[start : start + DELETED_AT_ONCE]
                answer = self.place.s3.delete_objects(
                    Bucket=bucket, Delete={"Objects": some, "Quiet": True}
                )
                if errors := answer.get("Errors"):
                    raise RuntimeError(f"s3://{bucket}/{errors[0]['Key']}: {errors[0]['Message']}")
                deleted += len(some)
        return deleted

    def queues(self) -> list[str]:
        """The queues' URLs; none if these credentials may not list queues, for then they made none."""
        try:
            found: list[str] = (
                self.place.client("sqs")
                .list_queues(QueueNamePrefix=self.prefix)
                .get("QueueUrls", [])
            )
        except (ClientError, BotoCoreError):
            return []
        return found

    def _delete_queues(self) -> int:
        found = self.queues()
        for url in found:
            self.place.client("sqs").delete_queue(QueueUrl=url)
        return len(found)
