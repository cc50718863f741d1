"""CloudWatch Logs through boto3 and the AWS CLI."""
import json
import time
import uuid

import pytest


@pytest.fixture
def logs(boto):
    return boto("logs")


@pytest.fixture
def stream(logs):
    """A fresh group and stream: arguments for the calls."""
    names = {"logGroupName": f"/tests/{uuid.uuid4()}", "logStreamName": "job/algo-1-1700000000"}
    logs.create_log_group(logGroupName=names["logGroupName"])
    logs.create_log_stream(**names)
    yield names
    logs.delete_log_group(logGroupName=names["logGroupName"])


def put(logs, stream, *messages, at=None):
    at = at or int(time.time() * 1000)
    return logs.put_log_events(**stream, logEvents=[{"timestamp": at, "message": message} for message in messages])


def messages(reply):
    return [event["message"] for event in reply["events"]]


def test_a_poller_sees_each_event_once(logs, stream):
    """The SageMaker SDK's loop: tokens from the head until a page is empty, then again."""
    put(logs, stream, "a", "b", "c")
    seen, token = [], None
    for _ in range(2):
        while True:
            more = {"nextToken": token} if token else {}
            page = logs.get_log_events(**stream, startFromHead=True, limit=2, **more)
            if not page["events"]:
                assert page["nextForwardToken"] == token
                break
            seen += messages(page)
            token = page["nextForwardToken"]
        put(logs, stream, "d ünï")
    assert seen == ["a", "b", "c", "d ünï"]


def test_describe_log_streams_ends(logs, stream):
    reply = logs.describe_log_streams(logGroupName=stream["logGroupName"], logStreamNamePrefix="job/", orderBy="LogStreamName", limit=50)
    assert [one["logStreamName"] for one in reply["logStreams"]] == [stream["logStreamName"]]
    assert "nextToken" not in reply


def test_paginators(logs, stream):
    for number in range(5):
        logs.create_log_stream(logGroupName=stream["logGroupName"], logStreamName=f"s{number}")
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=stream["logGroupName"], PaginationConfig={"PageSize": 2})
    assert len([one for page in pages for one in page["logStreams"]]) == 6
    put(logs, stream, *[f"line {number}" for number in range(25)])
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=stream["logGroupName"], filterPattern='line -"line 7"', PaginationConfig={"PageSize": 10})
    assert len([one for page in pages for one in page["events"]]) == 24
    groups = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/tests/")
    assert stream["logGroupName"] in [group["logGroupName"] for page in groups for group in page["logGroups"]]


def test_refusals_have_their_own_exceptions(logs, stream):
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="The specified log group does not exist."):
        logs.describe_log_streams(logGroupName="/tests/absent")
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="The specified log stream does not exist."):
        logs.get_log_events(logGroupName=stream["logGroupName"], logStreamName="absent")
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(**stream)
    with pytest.raises(logs.exceptions.InvalidParameterException, match="chronological order"):
        logs.put_log_events(**stream, logEvents=[{"timestamp": 1800000000001, "message": "a"}, {"timestamp": 1800000000000, "message": "b"}])
    with pytest.raises(logs.exceptions.InvalidParameterException, match="JSON patterns are not supported"):
        logs.filter_log_events(logGroupName=stream["logGroupName"], filterPattern="{ $.a = 1 }")


def test_old_events_are_rejected_by_index(logs, stream):
    reply = put(logs, stream, "old", at=int(time.time() * 1000) - 15 * 86400 * 1000)
    assert reply["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert logs.get_log_events(**stream)["events"] == []


def test_cli(aws, logs, stream):
    put(logs, stream, "first", "second")
    assert messages(json.loads(aws("logs", "filter-log-events", "--log-group-name", stream["logGroupName"]))) == ["first", "second"]
    described = json.loads(aws("logs", "describe-log-groups", "--log-group-name-prefix", stream["logGroupName"]))
    assert described["logGroups"][0]["logGroupName"] == stream["logGroupName"]
