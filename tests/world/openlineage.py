"""OpenLineage's own classes, which its client makes of the specification, as a judge of run events.

Source: openlineage.io/docs/spec/facets/, the packages openlineage.client.generated
"""

from __future__ import annotations

import enum
import typing
from types import NoneType, UnionType
from typing import Any, Union

import attr
from openlineage.client.generated import (
    base,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    error_message_run,
    external_query_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    schema_dataset,
)

FACETS: dict[str, Any] = {
    "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "externalQuery": external_query_run.ExternalQueryRunFacet,
    "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "schema": schema_dataset.SchemaDatasetFacet,
    "version": dataset_version_dataset.DatasetVersionDatasetFacet,
}
"""Of run events here, by the names that the specification gives them."""


class NotOpenLineage(Exception):
    """A document is not what the specification says; the message says where."""


def check(event: dict[str, Any]) -> None:
    """Raises NotOpenLineage unless it is a run event with facets that are known here."""
    _check(base.RunEvent, event, "event")
    if event["schemaURL"] != base.RunEvent._get_schema():
        raise NotOpenLineage(f"event.schemaURL is {event['schemaURL']}")


def _check(kind: Any, value: Any, where: str) -> None:
    """A value against a type of the classes."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, UnionType):
        if value is None:
            raise NotOpenLineage(f"{where} is null; what has no value is to be left out")
        [kind] = [one for one in inner if one is not NoneType]
        _check(kind, value, where)
    elif origin is list:
        _expect(list, value, where)
        for number, one in enumerate(value):
            _check(inner[0], one, f"{where}[{number}]")
    elif origin is dict:
        _expect(dict, value, where)
        for name, one in value.items():
            is_facet = attr.has(inner[1])
            _check(FACETS[name] if is_facet else inner[1], one, f"{where}.{name}")
    elif attr.has(kind):
        _expect(dict, value, where)
        _check_object(kind, value, where)
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        kind(value)
    elif kind is not Any:
        _expect(kind, value, where)


def _check_object(kind: Any, value: dict[str, Any], where: str) -> None:
    kinds = typing.get_type_hints(kind)
    fields = {field.name: field for field in attr.fields(kind)}
    if unknown := value.keys() - fields.keys():
        raise NotOpenLineage(f"{where} has {sorted(unknown)}, which {kind.__name__} has not")
    own = {"_producer", "_schemaURL"} if issubclass(kind, base.BaseFacet) else set()
    needed = {name for name, field in fields.items() if field.default is attr.NOTHING} | own
    if missing := needed - value.keys():
        raise NotOpenLineage(f"{where} lacks {sorted(missing)} of {kind.__name__}")
    if own and value["_schemaURL"] != kind._get_schema():
        raise NotOpenLineage(f"{where}._schemaURL is not {kind._get_schema()}")
    for name, one in value.items():
        _check(kinds[name], one, f"{where}.{name}")
        if fields[name].validator:  # such as: an id is a UUID
            fields[name].validator(None, fields[name], one)


def _expect(kind: Any, value: Any, where: str) -> None:
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise NotOpenLineage(f"{where} is {value!r}, not {kind.__name__}")
