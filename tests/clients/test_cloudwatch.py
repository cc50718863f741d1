"""CloudWatch metrics through boto3 and the AWS CLI. Newer ones speak CBOR or JSON; Debian's boto3 1.26 speaks Query: the
same tests run in both environments."""
import datetime
import json
import time
import uuid

import botocore.exceptions
import pytest

START = datetime.datetime.fromtimestamp(int(time.time()) // 3600 * 3600 - 3600, datetime.timezone.utc)


def at(seconds):
    return START + datetime.timedelta(seconds=seconds)


@pytest.fixture
def cloudwatch(boto):
    return boto("cloudwatch")


@pytest.fixture
def metric(cloudwatch):
    """A fresh metric with samples 1, 3 | 8, | being a minute's end: arguments that name it."""
    named = {"Namespace": f"tests/{uuid.uuid4()}", "MetricName": "train:loss", "Dimensions": [{"Name": "TrainingJobName", "Value": "job-1"}]}
    datum = {"MetricName": named["MetricName"], "Dimensions": named["Dimensions"]}
    cloudwatch.put_metric_data(Namespace=named["Namespace"], MetricData=[
        {**datum, "Timestamp": at(seconds), "Value": value} for seconds, value in ((0, 1.0), (59, 3.0), (60, 8.0))])
    return named


def test_statistics_by_period(cloudwatch, metric):
    reply = cloudwatch.get_metric_statistics(**metric, StartTime=at(0), EndTime=at(3600), Period=60,
                                             Statistics=["SampleCount", "Average", "Sum", "Minimum", "Maximum"])
    points = sorted(reply["Datapoints"], key=lambda point: point["Timestamp"])
    assert points == [
        {"Timestamp": at(0), "SampleCount": 2.0, "Average": 2.0, "Sum": 4.0, "Minimum": 1.0, "Maximum": 3.0, "Unit": "None"},
        {"Timestamp": at(60), "SampleCount": 1.0, "Average": 8.0, "Sum": 8.0, "Minimum": 8.0, "Maximum": 8.0, "Unit": "None"}]
    assert reply["Label"] == "train:loss"


def test_percentiles(cloudwatch, metric):
    reply = cloudwatch.get_metric_statistics(**metric, StartTime=at(0), EndTime=at(3600), Period=3600, ExtendedStatistics=["p50", "p99.9"])
    assert reply["Datapoints"][0]["ExtendedStatistics"] == {"p50": 3.0, "p99.9": pytest.approx(7.99)}


def test_every_way_to_put(cloudwatch, metric):
    name = {"MetricName": "many", "Timestamp": at(0)}
    cloudwatch.put_metric_data(Namespace=metric["Namespace"], MetricData=[
        {**name, "Values": [1.0, 5.0], "Counts": [3.0, 1.0], "Unit": "Seconds"},
        {**name, "StatisticValues": {"SampleCount": 2.0, "Sum": 6.0, "Minimum": 2.0, "Maximum": 4.0}, "Unit": "Seconds"}])
    point = cloudwatch.get_metric_statistics(Namespace=metric["Namespace"], MetricName="many", StartTime=at(0), EndTime=at(60), Period=60,
                                             Statistics=["SampleCount", "Sum", "Maximum"])["Datapoints"][0]
    assert (point["SampleCount"], point["Sum"], point["Maximum"], point["Unit"]) == (6.0, 14.0, 5.0, "Seconds")


def test_a_body_large_enough_to_be_compressed(cloudwatch, metric):
    cloudwatch.put_metric_data(Namespace=metric["Namespace"], MetricData=[
        {"MetricName": f"m{number}", "Dimensions": metric["Dimensions"], "Value": number} for number in range(600)])
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=metric["Namespace"])
    assert len([one for page in pages for one in page["Metrics"]]) == 601


def test_list_metrics_filters(cloudwatch, metric):
    listed = cloudwatch.list_metrics(Namespace=metric["Namespace"], Dimensions=[{"Name": "TrainingJobName"}])
    assert listed["Metrics"] == [metric]
    assert cloudwatch.list_metrics(Namespace=metric["Namespace"], Dimensions=[{"Name": "Host"}])["Metrics"] == []


def test_metric_data_with_expressions(cloudwatch, metric):
    queries = [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}},
               {"Id": "e1", "Expression": "m1 * 2"},
               {"Id": "q1", "Expression": "SEARCH('{%s,TrainingJobName} train:loss', 'Maximum', 60)" % metric["Namespace"]}]
    reply = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=at(0), EndTime=at(3600), ScanBy="TimestampAscending")
    found = {result["Id"]: result for result in reply["MetricDataResults"]}
    assert found["m1"]["Values"] == [2.0, 8.0] and found["m1"]["Timestamps"] == [at(0), at(60)]
    assert found["e1"]["Values"] == [4.0, 16.0]
    assert found["q1"]["Values"] == [3.0, 8.0] and found["q1"]["Label"] == "train:loss"
    pages = cloudwatch.get_paginator("get_metric_data").paginate(MetricDataQueries=queries[:1], StartTime=at(0), EndTime=at(3600), MaxDatapoints=1)
    assert [value for page in pages for result in page["MetricDataResults"] for value in result["Values"]] == [8.0, 2.0]


def test_refusals(cloudwatch, metric):
    def refused(**more):
        arguments = {**metric, "StartTime": at(0), "EndTime": at(60), "Period": 60, "Statistics": ["Average"], **more}
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            cloudwatch.get_metric_statistics(**arguments)
        return caught.value.response["Error"]["Code"]

    assert refused(Period=7) == "InvalidParameterValue"
    assert refused(EndTime=at(0)) == "InvalidParameterCombination"
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException, match="unknown identifier m9"):
        cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "e1", "Expression": "m9"}], StartTime=at(0), EndTime=at(60))


def test_cli(aws, metric):
    listed = json.loads(aws("cloudwatch", "list-metrics", "--namespace", metric["Namespace"]))
    assert listed["Metrics"] == [metric]
    reply = json.loads(aws("cloudwatch", "get-metric-statistics", "--namespace", metric["Namespace"], "--metric-name", metric["MetricName"],
                           "--dimensions", "Name=TrainingJobName,Value=job-1", "--start-time", at(0).isoformat(), "--end-time", at(60).isoformat(),
                           "--period", 60, "--statistics", "Average"))
    assert reply["Datapoints"][0]["Average"] == 2.0
