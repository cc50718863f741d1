"""Small training jobs of plain boto3, for scenarios."""
import io
import json
import tarfile
import time
import uuid

TERMINAL = {"Completed", "Failed", "Stopped"}
ROLE = "arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole-headrace"


def upload_source(s3, bucket, files):
    """Puts a sourcedir.tar.gz of {name: text}; returns its URI."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            info.mode = 0o755
            archive.addfile(info, io.BytesIO(text.encode()))
    key = f"source/{uuid.uuid4().hex}/sourcedir.tar.gz"
    s3.put_object(Bucket=bucket, Key=key, Body=data.getvalue())
    return f"s3://{bucket}/{key}"


def create(sagemaker, bucket, source, program, name=None, channels=(), metrics=(), hyperparameters=None, **more):
    name = name or "job-" + uuid.uuid4().hex[:12]
    if channels:
        more["InputDataConfig"] = [
            {"ChannelName": channel, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
            for channel, uri in channels]
    values = {**(hyperparameters or {}), "sagemaker_program": program, "sagemaker_submit_directory": source}
    sagemaker.create_training_job(**{
        "TrainingJobName": name, "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "000000000000.dkr.ecr.us-west-2.amazonaws.com/any:latest",
                                   "TrainingInputMode": "File", "MetricDefinitions": list(metrics)},
        "HyperParameters": {key: json.dumps(value) for key, value in values.items()},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600}, **more})
    return name


def wait(sagemaker, name, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in TERMINAL:
            return job
        assert time.monotonic() < deadline, f"{name} is still {job['TrainingJobStatus']}/{job['SecondaryStatus']}"
        time.sleep(0.05)


def log_lines(logs, name):
    """All messages of the job's streams, in order."""
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name + "/")["logStreams"]
    lines = []
    for stream in streams:
        token = None
        while True:
            page = logs.get_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"],
                                       startFromHead=True, **({"nextToken": token} if token else {}))
            lines += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == token:
                break
            token = page["nextForwardToken"]
    return lines
