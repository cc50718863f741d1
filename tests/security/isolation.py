"""A tenant of a platform under attack: an account of its own, its clients, and what it runs."""
import io
import json
import pathlib
import sys
import tarfile
import time
import uuid

import boto3
import botocore.config

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
import jobs  # noqa: E402

IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:2.0-cpu"
REGION = "us-west-2"


class Tenant:
    def __init__(self, server, name=None):
        """name: of a new principal; None: the owner of the server."""
        self.server = server
        if name is None:
            self.keys = json.loads((server.directory / "keys").read_text())
        else:
            self.keys = json.loads(server.headrace("keys", "create", name, "--data-dir", server.directory, "-o", "json").stdout)
        self.account = self.keys.get("account_id")
        self.bucket = "b-" + uuid.uuid4().hex[:16]
        self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def client(self, service, keys=None):
        keys = keys or self.keys
        return boto3.client(service, endpoint_url=self.server.url, region_name=REGION,
                            aws_access_key_id=keys["access_key_id"], aws_secret_access_key=keys["secret_access_key"],
                            aws_session_token=keys.get("session_token"),
                            config=botocore.config.Config(retries={"max_attempts": 0}))

    def start(self, program, files, **more):
        """A training job of this tenant; its name."""
        source = jobs.upload_source(self.client("s3"), self.bucket, files)
        return jobs.create(self.client("sagemaker"), self.bucket, source, program, **more)

    def run(self, program, files, **more):
        """The job at its end, with the lines of its log."""
        name = self.start(program, files, **more)
        job = jobs.wait(self.client("sagemaker"), name)
        return job, jobs.log_lines(self.client("logs"), name)

    def shell(self, script, **more):
        return self.run("run.sh", {"run.sh": script}, **more)

    def endpoint(self, name, archive, environment=None, instances=1):
        sagemaker = self.client("sagemaker")
        self.client("s3").put_object(Bucket=self.bucket, Key=name + ".tar.gz", Body=archive)
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=jobs.ROLE, PrimaryContainer={
            "Image": IMAGE, "ModelDataUrl": f"s3://{self.bucket}/{name}.tar.gz", "Environment": environment or {}})
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[
            {"VariantName": "v", "ModelName": name, "InitialInstanceCount": instances, "InstanceType": "ml.m5.large"}])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.await_endpoint(name)

    def await_endpoint(self, name, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            endpoint = self.client("sagemaker").describe_endpoint(EndpointName=name)
            if endpoint["EndpointStatus"] in ("InService", "Failed"):
                return endpoint
            assert time.monotonic() < deadline, endpoint
            time.sleep(0.05)

    def invoke(self, name, body):
        answer = self.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=body, ContentType="application/json")
        return json.loads(answer["Body"].read())


def archive_of(directory, prefix):
    """A model.tar.gz of the files below a directory."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(directory, prefix)
    return packed.getvalue()
