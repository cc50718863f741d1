"""The AWS CLI over every operation that docs/api-coverage.md says is here. Its own code in this process: a start of the
program for each of the calls would take a minute; other tests run it as a program."""
import datetime
import io
import json
import pathlib
import re
import time
import urllib.request
import uuid
from contextlib import redirect_stderr, redirect_stdout

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECTIONS = {"STS": "sts", "IAM": "iam", "S3": "s3", "SageMaker": "sagemaker", "CloudWatch Logs": "logs", "CloudWatch": "monitoring"}
HOSTING = re.compile("Model|Endpoint|TransformJob")  # tests/clients/test_hosting.py, test_transform.py
TRUST = '{"Version": "2012-10-17", "Statement": []}'
POLICY = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


@pytest.fixture(scope="module")
def cli(server):
    """cli("s3api", "list-buckets"): the parsed answer, {} for none."""
    clidriver = pytest.importorskip("awscli.clidriver")  # looks at the environment, which `server` has just made

    def run(*arguments):
        output, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            code = clidriver.create_clidriver().main([str(argument) for argument in arguments] + ["--output", "json"])
        assert code == 0, f"aws {' '.join(map(str, arguments))}: {errors.getvalue()}"
        return json.loads(output.getvalue() or "{}")
    return run


def documented(section):
    """The operations that the section's table calls done or partial."""
    text = (ROOT / "docs/api-coverage.md").read_text()
    table = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.S | re.M).group(1)
    rows = re.findall(r"^\| ([^|]+) \| (done|partial) \|", table, re.M)
    return {name.strip() for names, _ in rows for name in names.split(",") if not HOSTING.search(name)}


def answered(server, service):
    """The operations that the server has answered with success."""
    text = urllib.request.urlopen(server.url + "/metrics").read().decode()
    return set(re.findall(rf'headrace_http_requests_total{{service="{service}",operation="(\w+)",status="2\d\d"}}', text))


def check(server, section):
    assert documented(section) - answered(server, SECTIONS[section]) == set()


def test_sts(server, cli):
    account = cli("sts", "get-caller-identity")["Account"]
    role = f"arn:aws:iam::{account}:role/service-role/AmazonSageMaker-ExecutionRole-headrace"
    assert cli("sts", "assume-role", "--role-arn", role, "--role-session-name", "cli")["Credentials"]["SessionToken"]
    assert cli("sts", "get-session-token")["Credentials"]["SecretAccessKey"]
    check(server, "STS")


def test_iam(server, cli):
    made = cli("iam", "create-role", "--role-name", "CliRole", "--assume-role-policy-document", TRUST)["Role"]
    assert cli("iam", "get-role", "--role-name", "CliRole")["Role"]["Arn"] == made["Arn"]
    assert "CliRole" in [role["RoleName"] for role in cli("iam", "list-roles")["Roles"]]
    cli("iam", "attach-role-policy", "--role-name", "CliRole", "--policy-arn", POLICY)
    assert len(cli("iam", "list-attached-role-policies", "--role-name", "CliRole")["AttachedPolicies"]) == 1
    simulated = cli("iam", "simulate-principal-policy", "--policy-source-arn", made["Arn"], "--action-names", "s3:GetObject")
    assert simulated["EvaluationResults"][0]["EvalDecision"] == "allowed"
    cli("iam", "detach-role-policy", "--role-name", "CliRole", "--policy-arn", POLICY)
    cli("iam", "delete-role", "--role-name", "CliRole")
    check(server, "IAM")


@pytest.fixture
def bucket(cli):
    name = f"cli-{uuid.uuid4()}"
    cli("s3api", "create-bucket", "--bucket", name, "--create-bucket-configuration", "LocationConstraint=us-west-2")
    return name


def test_s3_buckets(cli, bucket):
    one = ("--bucket", bucket)
    assert bucket in [found["Name"] for found in cli("s3api", "list-buckets")["Buckets"]]
    cli("s3api", "head-bucket", *one)
    assert cli("s3api", "get-bucket-location", *one)["LocationConstraint"] == "us-west-2"
    cli("s3api", "put-bucket-versioning", *one, "--versioning-configuration", "Status=Suspended")
    assert cli("s3api", "get-bucket-versioning", *one)["Status"] == "Suspended"
    cli("s3api", "put-bucket-acl", *one, "--acl", "private")
    assert len(cli("s3api", "get-bucket-acl", *one)["Grants"]) == 1
    cli("s3api", "put-bucket-tagging", *one, "--tagging", "TagSet=[{Key=a,Value=1}]")
    assert cli("s3api", "get-bucket-tagging", *one)["TagSet"] == [{"Key": "a", "Value": "1"}]
    cli("s3api", "delete-bucket-tagging", *one)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]}
    cli("s3api", "put-bucket-policy", *one, "--policy", json.dumps(policy))
    assert json.loads(cli("s3api", "get-bucket-policy", *one)["Policy"]) == policy
    assert cli("s3api", "get-bucket-policy-status", *one)["PolicyStatus"]["IsPublic"] is True
    cli("s3api", "delete-bucket-policy", *one)
    rule = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": False}]}
    cli("s3api", "put-bucket-encryption", *one, "--server-side-encryption-configuration", json.dumps(rule))
    assert cli("s3api", "get-bucket-encryption", *one)["ServerSideEncryptionConfiguration"] == rule
    cli("s3api", "delete-bucket-encryption", *one)
    cli("s3api", "put-public-access-block", *one, "--public-access-block-configuration", "BlockPublicAcls=true")
    assert cli("s3api", "get-public-access-block", *one)["PublicAccessBlockConfiguration"]["BlockPublicAcls"] is True
    cli("s3api", "delete-public-access-block", *one)
    cli("s3api", "put-bucket-ownership-controls", *one, "--ownership-controls", "Rules=[{ObjectOwnership=ObjectWriter}]")
    assert cli("s3api", "get-bucket-ownership-controls", *one)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "ObjectWriter"}]
    cli("s3api", "delete-bucket-ownership-controls", *one)
    for operation in ("notification-configuration", "logging", "accelerate-configuration"):
        cli("s3api", f"get-bucket-{operation}", *one)
    assert cli("s3api", "get-bucket-request-payment", *one)["Payer"] == "BucketOwner"
    cli("s3api", "delete-bucket", *one)


def test_s3_objects(cli, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"hello")
    one = ("--bucket", bucket, "--key", "a b/ä")
    cli("s3api", "put-object", *one, "--body", tmp_path / "f", "--content-type", "text/plain")
    assert cli("s3api", "head-object", *one)["ContentType"] == "text/plain"
    assert cli("s3api", "get-object", *one, "--range", "bytes=1-2", tmp_path / "g")["ContentLength"] == 2
    assert (tmp_path / "g").read_bytes() == b"el"
    assert cli("s3api", "get-object-attributes", *one, "--object-attributes", "ObjectSize")["ObjectSize"] == 5
    cli("s3api", "put-object-tagging", *one, "--tagging", "TagSet=[{Key=a,Value=1}]")
    assert cli("s3api", "get-object-tagging", *one)["TagSet"] == [{"Key": "a", "Value": "1"}]
    cli("s3api", "delete-object-tagging", *one)
    cli("s3api", "put-object-acl", *one, "--acl", "public-read")
    assert len(cli("s3api", "get-object-acl", *one)["Grants"]) == 2
    cli("s3api", "copy-object", "--bucket", bucket, "--key", "copy", "--copy-source", f"{bucket}/a b/ä")
    for operation in ("list-objects", "list-objects-v2"):
        assert [found["Key"] for found in cli("s3api", operation, "--bucket", bucket)["Contents"]] == ["a b/ä", "copy"]
    assert len(cli("s3api", "list-object-versions", "--bucket", bucket)["Versions"]) == 2
    cli("s3api", "delete-object", *one)
    assert len(cli("s3api", "delete-objects", "--bucket", bucket, "--delete", "Objects=[{Key=copy},{Key=absent}]")["Deleted"]) == 2
    cli("s3api", "delete-bucket", "--bucket", bucket)


def test_s3_multipart(server, cli, bucket, tmp_path):
    (tmp_path / "part").write_bytes(b"x" * (5 << 20))
    cli("s3api", "put-object", "--bucket", bucket, "--key", "source", "--body", tmp_path / "part")
    one = ("--bucket", bucket, "--key", "large")
    upload = ("--upload-id", cli("s3api", "create-multipart-upload", *one)["UploadId"])
    first = cli("s3api", "upload-part", *one, *upload, "--part-number", 1, "--body", tmp_path / "part")["ETag"]
    second = cli("s3api", "upload-part-copy", *one, *upload, "--part-number", 2, "--copy-source", f"{bucket}/source")["CopyPartResult"]["ETag"]
    assert len(cli("s3api", "list-parts", *one, *upload)["Parts"]) == 2
    assert len(cli("s3api", "list-multipart-uploads", "--bucket", bucket)["Uploads"]) == 1
    parts = {"Parts": [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]}
    assert cli("s3api", "complete-multipart-upload", *one, *upload, "--multipart-upload", json.dumps(parts))["ETag"].endswith('-2"')
    assert cli("s3api", "head-object", *one)["ContentLength"] == 10 << 20
    other = cli("s3api", "create-multipart-upload", *one)["UploadId"]
    cli("s3api", "abort-multipart-upload", *one, "--upload-id", other)
    check(server, "S3")


def job_request(name, bucket, script):
    return json.dumps({
        "TrainingJobName": name, "RoleArn": "arn:aws:iam::123456789012:role/MyRole", "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "AlgorithmSpecification": {"TrainingImage": "headrace", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/sh", "-c", script]},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}, "StoppingCondition": {"MaxRuntimeInSeconds": 600}})


def test_sagemaker(server, cli, bucket):
    name = f"cli-{uuid.uuid4()}"
    arn = cli("sagemaker", "create-training-job", "--cli-input-json", job_request(name, bucket, "trap 'exit 0' TERM; while :; do sleep 0.1; done"))["TrainingJobArn"]
    one = ("--training-job-name", name)
    cli("sagemaker", "update-training-job", *one, "--remote-debug-config", "EnableRemoteDebug=false")
    cli("sagemaker", "add-tags", "--resource-arn", arn, "--tags", "Key=a,Value=1")
    assert cli("sagemaker", "list-tags", "--resource-arn", arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    cli("sagemaker", "delete-tags", "--resource-arn", arn, "--tag-keys", "a")
    assert name in [job["TrainingJobName"] for job in cli("sagemaker", "list-training-jobs", "--name-contains", name)["TrainingJobSummaries"]]
    cli("sagemaker", "stop-training-job", *one)
    for _ in range(600):
        status = cli("sagemaker", "describe-training-job", *one)["TrainingJobStatus"]
        if status not in ("InProgress", "Stopping"):
            break
        time.sleep(0.1)
    assert status == "Stopped"
    cli("sagemaker", "wait", "training-job-completed-or-stopped", *one)
    cli("sagemaker", "delete-training-job", *one)
    # There are no notebook instances: the answer says so, in the service's words.
    with pytest.raises(AssertionError, match="RecordNotFound"):
        cli("sagemaker", "describe-notebook-instance", "--notebook-instance-name", "absent")
    assert documented("SageMaker") - answered(server, "sagemaker") == {"DescribeNotebookInstance"}


def test_logs(server, cli):
    group = ("--log-group-name", f"/cli/{uuid.uuid4()}")
    stream = ("--log-stream-name", "s")
    cli("logs", "create-log-group", *group)
    cli("logs", "create-log-stream", *group, *stream)
    now = int(time.time() * 1000)
    cli("logs", "put-log-events", *group, *stream, "--log-events", json.dumps([{"timestamp": now, "message": "hello"}]))
    assert cli("logs", "get-log-events", *group, *stream)["events"][0]["message"] == "hello"
    assert cli("logs", "filter-log-events", *group, "--filter-pattern", "hello")["events"]
    assert len(cli("logs", "describe-log-streams", *group)["logStreams"]) == 1
    cli("logs", "put-retention-policy", *group, "--retention-in-days", 30)
    assert cli("logs", "describe-log-groups", "--log-group-name-prefix", group[1])["logGroups"][0]["retentionInDays"] == 30
    cli("logs", "delete-retention-policy", *group)
    arn = cli("logs", "describe-log-groups", "--log-group-name-prefix", group[1])["logGroups"][0]["logGroupArn"]
    cli("logs", "tag-resource", "--resource-arn", arn, "--tags", "a=1,b=2")
    cli("logs", "untag-resource", "--resource-arn", arn, "--tag-keys", "a")
    assert cli("logs", "list-tags-for-resource", "--resource-arn", arn)["tags"] == {"b": "2"}
    cli("logs", "tag-log-group", *group, "--tags", "c=3")
    cli("logs", "untag-log-group", *group, "--tags", "b")
    assert cli("logs", "list-tags-log-group", *group)["tags"] == {"c": "3"}
    cli("logs", "delete-log-stream", *group, *stream)
    cli("logs", "delete-log-group", *group)
    check(server, "CloudWatch Logs")


def test_cloudwatch(server, cli):
    named = ("--namespace", "cli", "--metric-name", "loss")
    cli("cloudwatch", "put-metric-data", *named, "--value", 0.5, "--dimensions", "Job=a")
    assert cli("cloudwatch", "list-metrics", "--namespace", "cli")["Metrics"][0]["Dimensions"] == [{"Name": "Job", "Value": "a"}]
    now = datetime.datetime.now(datetime.timezone.utc)
    interval = ("--start-time", (now - datetime.timedelta(minutes=10)).isoformat(), "--end-time", (now + datetime.timedelta(minutes=10)).isoformat())
    points = cli("cloudwatch", "get-metric-statistics", *named, "--dimensions", "Name=Job,Value=a", *interval, "--period", 60, "--statistics", "Average")
    assert points["Datapoints"][0]["Average"] == 0.5
    queries = [{"Id": "e1", "Expression": "SEARCH('{cli,Job} loss', 'Average', 60)"}]
    assert cli("cloudwatch", "get-metric-data", *interval, "--metric-data-queries", json.dumps(queries))["MetricDataResults"][0]["Values"] == [0.5]
    check(server, "CloudWatch")
