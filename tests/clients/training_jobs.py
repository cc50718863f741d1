"""Jobs in Pipe mode from a program's text, through boto3."""
import io
import json
import pathlib
import tarfile
import textwrap
import time
import uuid

LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingJobs:
    """Starts jobs whose program is a text, and looks at what has become of them."""

    def __init__(self, server, boto):
        self.server, self.boto = server, boto
        self.s3, self.sagemaker, self.logs = boto("s3"), boto("sagemaker"), boto("logs")
        self.bucket = f"pipe-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": self.s3.meta.region_name})

    def put(self, key, data):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

    def start(self, program, text, channels, hyperparameters=(), metrics=()):
        source = io.BytesIO()
        with tarfile.open(fileobj=source, mode="w:gz") as archive:
            data = textwrap.dedent(text).encode()
            info = tarfile.TarInfo(program)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        name = f"pipe-{uuid.uuid4()}"
        self.put(f"{name}.tar.gz", source.getvalue())
        values = {**dict(hyperparameters), "sagemaker_program": program,
                  "sagemaker_submit_directory": f"s3://{self.bucket}/{name}.tar.gz"}
        self.sagemaker.create_training_job(
            TrainingJobName=name, RoleArn="arn:aws:iam::123456789012:role/MyRole",
            OutputDataConfig={"S3OutputPath": f"s3://{self.bucket}/out"}, StoppingCondition={"MaxRuntimeInSeconds": 600},
            AlgorithmSpecification={"TrainingImage": "headrace", "TrainingInputMode": "Pipe",
                                    "MetricDefinitions": list(metrics)},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            HyperParameters={key: json.dumps(value) for key, value in values.items()},
            InputDataConfig=[{"ChannelName": channel, "DataSource": {"S3DataSource": {
                "S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/{prefix}"}}, **more} for channel, prefix, more in channels])
        return name

    def wait(self, name, condition=lambda job: job["TrainingJobStatus"] not in ("InProgress", "Stopping")):
        deadline = time.monotonic() + 600
        while not condition(job := self.sagemaker.describe_training_job(TrainingJobName=name)):
            assert time.monotonic() < deadline, job
            time.sleep(0.1)
        return job

    def log(self, name):
        events = self.logs.filter_log_events(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")["events"]
        return [event["message"] for event in events]

    def directory(self, name):
        return next(pathlib.Path(self.server.directory).glob(f"jobs/*/{name}"))
