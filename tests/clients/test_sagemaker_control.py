"""SageMaker's training job operations through boto3 and the AWS CLI: what is asked, refused, listed. Whether jobs run is
for other tests."""
import json
import uuid

import botocore.config
import botocore.exceptions
import pytest


@pytest.fixture
def sagemaker(boto):
    return boto("sagemaker")


@pytest.fixture(scope="session")
def bucket(boto):
    s3, name = boto("s3"), f"tests-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name}) \
        if s3.meta.region_name != "us-east-1" else s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="data/train/part-0", Body=b"1")
    return name


@pytest.fixture
def request_of(bucket):
    """request_of(name): what a job needs at least, with a command that ends at once."""
    return lambda name, **more: {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": "headrace", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/true"],
                                   "MetricDefinitions": [{"Name": "train:loss", "Regex": r"loss: ([0-9\.]+)"}]},
        "RoleArn": "arn:aws:iam::123456789012:role/service-role/MyRole",
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/data"}}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600}, **more}


def name():
    return f"job-{uuid.uuid4()}"


def test_create_describe_and_tags(sagemaker, request_of, bucket):
    job = name()
    arn = sagemaker.create_training_job(**request_of(job, Tags=[{"Key": "Project", "Value": "cifar10"}], HyperParameters={"epochs": "10"}))["TrainingJobArn"]
    assert arn.endswith(f":training-job/{job}")
    described = sagemaker.describe_training_job(TrainingJobName=job)
    assert described["TrainingJobArn"] == arn
    assert described["TrainingJobStatus"] in ("InProgress", "Completed", "Failed")
    assert described["HyperParameters"] == {"epochs": "10"}
    assert described["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{bucket}/out/{job}/output/model.tar.gz"
    assert described["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is True
    for transition in described["SecondaryStatusTransitions"]:
        assert transition["Status"] and transition["StatusMessage"] and transition["StartTime"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["Project"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="already exists"):
        sagemaker.create_training_job(**request_of(job))


def test_every_violation_in_one_message(boto, request_of):
    lax = boto("sagemaker", config=botocore.config.Config(parameter_validation=False))
    request = request_of("not a name", HyperParameters={"k": "x" * 2501})
    del request["RoleArn"]
    request["AlgorithmSpecification"]["MetricDefinitions"].append({"Name": "bad", "Regex": "loss: ("})
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        lax.create_training_job(**request)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith("4 validation errors detected: Value 'not a name' at 'trainingJobName' failed to satisfy constraint: ")
    for path in ("'hyperParameters'", "Value null at 'roleArn'", "'algorithmSpecification.metricDefinitions.2.member.regex'"):
        assert path in error["Message"]


def test_missing_input(sagemaker, request_of, bucket):
    request = request_of(name())
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{bucket}/absent"
    with pytest.raises(botocore.exceptions.ClientError, match=f'No S3 objects found under S3 URL "s3://{bucket}/absent" given in input data source.'):
        sagemaker.create_training_job(**request)


def test_jobs_that_are_not_there(sagemaker):
    for call in (sagemaker.describe_training_job, sagemaker.stop_training_job):
        with pytest.raises(botocore.exceptions.ClientError, match="Requested resource not found.") as caught:
            call(TrainingJobName="absent")
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(botocore.exceptions.ClientError, match="RecordNotFound"):
        sagemaker.describe_notebook_instance(NotebookInstanceName="absent")


def test_listing(sagemaker, request_of):
    prefix = f"list-{uuid.uuid4().hex[:8]}"
    for number in range(5):
        sagemaker.create_training_job(**request_of(f"{prefix}-{number}"))
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=prefix, SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2})
    assert [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]] == [f"{prefix}-{number}" for number in (4, 3, 2, 1, 0)]


def test_cli(aws, sagemaker, request_of):
    job = name()
    aws("sagemaker", "create-training-job", "--cli-input-json", json.dumps(request_of(job)))
    assert json.loads(aws("sagemaker", "describe-training-job", "--training-job-name", job))["TrainingJobName"] == job
    refused = aws("sagemaker", "describe-training-job", "--training-job-name", "absent", check=False)
    assert refused.returncode != 0 and "Requested resource not found." in refused.stderr
