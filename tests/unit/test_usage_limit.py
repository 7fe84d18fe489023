"""The usage limit of a workgroup that the stack makes, asked for by CloudFormation."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import usage_limit
from botocore.stub import Stubber

from tests.unit.fakes import Context

WORKGROUP = "arn:aws:redshift-serverless:us-west-2:123456789012:workgroup/1"
WANTED = {"ResourceArn": WORKGROUP, "Amount": "60", "BreachAction": "deactivate"}
LOOK = {"resourceArn": WORKGROUP, "usageType": "serverless-compute"}


@pytest.fixture
def answers() -> Iterator[list[dict[str, Any]]]:
    """What CloudFormation is told; the first entry is its URL."""
    told: list[dict[str, Any]] = []

    class CloudFormation(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append({**json.loads(body), "type": self.headers["Content-Type"]})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), CloudFormation)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.append({"url": f"http://127.0.0.1:{server.server_port}/"})
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def serverless() -> Iterator[Stubber]:
    with Stubber(usage_limit.serverless) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def ask(answers: list[dict[str, Any]], kind: str, **more: Any) -> dict[str, Any]:
    event = {
        "RequestType": kind,
        "ResponseURL": answers[0]["url"],
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "UsageLimit",
        "ResourceProperties": WANTED,
        **more,
    }
    usage_limit.handler(event, Context())
    assert len(answers) == 2
    return answers[1]


def test_a_limit_is_made(answers: list[dict[str, Any]], serverless: Stubber) -> None:
    serverless.add_response("list_usage_limits", {}, LOOK)
    serverless.add_response(
        "create_usage_limit",
        {"usageLimit": {"usageLimitId": "limit"}},
        {**LOOK, "period": "monthly", "amount": 60, "breachAction": "deactivate"},
    )
    assert ask(answers, "Create") == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "limit",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "UsageLimit",
        "type": "",
    }


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_limit_that_is_there_is_changed(
    answers: list[dict[str, Any]], serverless: Stubber, kind: str
) -> None:
    """Also by a Create that is repeated, or for a workgroup that had been kept: there is one for each period."""
    there = [
        {"usageLimitId": "of a day", "period": "daily"},
        {"usageLimitId": "of a month", "period": "monthly"},
    ]
    serverless.add_response("list_usage_limits", {"usageLimits": there}, LOOK)
    serverless.add_response(
        "update_usage_limit",
        {"usageLimit": {"usageLimitId": "of a month"}},
        {"usageLimitId": "of a month", "amount": 60, "breachAction": "deactivate"},
    )
    assert ask(answers, kind)["PhysicalResourceId"] == "of a month"


def test_delete_leaves_it(answers: list[dict[str, Any]], serverless: Stubber) -> None:
    answer = ask(answers, "Delete", PhysicalResourceId="limit")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "limit")


def test_cloudformation_is_told_why_it_could_not_be_set(
    answers: list[dict[str, Any]], serverless: Stubber
) -> None:
    serverless.add_client_error("list_usage_limits", "AccessDeniedException", "you may not")
    answer = ask(answers, "Create")
    assert answer["Status"] == "FAILED"
    assert "you may not" in answer["Reason"]
    assert answer["PhysicalResourceId"]
