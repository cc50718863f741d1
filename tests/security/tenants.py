"""Two principals of a server and short ways to act as one of them: `owner` is the server's first principal, whose jobs run on
every machine; others are made."""
import io
import json
import tarfile
import time
import uuid

import boto3
from botocore.config import Config

ROLE = "arn:aws:iam::000000000000:role/r"
REGION = "us-west-2"
IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:1.15.2-cpu-py3"
SERVING_IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15-cpu"
ENDED = ("Completed", "Failed", "Stopped")


class Tenant:
    def __init__(self, server, access_key_id, secret_access_key, session_token=None, name="default"):
        self.server, self.name = server, name
        self.key = (access_key_id, secret_access_key, session_token)

    @staticmethod
    def owner(server):
        environment = server.environment
        return Tenant(server, environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])

    @staticmethod
    def new(server, name):
        made = json.loads(server.headrace("keys", "create", name, "--data-dir", server.directory, "-o", "json").stdout)
        return Tenant(server, made["access_key_id"], made["secret_access_key"], name=name)

    def client(self, service):
        access_key_id, secret, token = self.key
        return boto3.client(service, endpoint_url=self.server.url, region_name=REGION, aws_access_key_id=access_key_id,
                            aws_secret_access_key=secret, aws_session_token=token,
                            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}))

    def bucket(self, **options):
        name = f"{self.name}-{uuid.uuid4().hex[:8]}"
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}, **options)
        return name

    def request(self, script, **members):
        """A training job that runs a shell script; `members` are the request's."""
        return {"TrainingJobName": f"j-{uuid.uuid4().hex[:10]}", "RoleArn": ROLE,
                "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File",
                                           "ContainerEntrypoint": ["/bin/sh", "-c"], "ContainerArguments": [script]},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
                "StoppingCondition": {"MaxRuntimeInSeconds": 120}, **members}

    def start(self, script, **members):
        request = self.request(script, **members)
        self.client("sagemaker").create_training_job(**request)
        return request["TrainingJobName"]

    def describe(self, job):
        return self.client("sagemaker").describe_training_job(TrainingJobName=job)

    def wait(self, job, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            described = self.describe(job)
            if described["TrainingJobStatus"] in ENDED:
                return described
            time.sleep(0.1)
        raise AssertionError(f"{job} does not end: {described['SecondaryStatus']}")

    def wait_for_line(self, job, text, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any(text in line for line in self.log(job)):
                return
            time.sleep(0.1)
        raise AssertionError(f"{job} never said {text!r}: {self.log(job)}")

    def log(self, job):
        logs = self.client("logs")
        try:
            events = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=job + "/")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]


def channel(uri, data_type="S3Prefix", **members):
    source = {"S3DataType": data_type, "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    attributes = members.pop("AttributeNames", None)
    if attributes:
        source["AttributeNames"] = attributes
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}, **members}


def archive(**files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue()
