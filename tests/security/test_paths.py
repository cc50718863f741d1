"""Paths in requests that lead out of the job: refused when the request comes, with the field and the value."""
import json
import uuid

import botocore.exceptions
import pytest

from isolation import Tenant, jobs


@pytest.fixture(scope="module")
def mallory(server):
    return Tenant(server, "paths-" + uuid.uuid4().hex[:8])


def refused(tenant, **changes):
    """Why a job with these changes to an honest request is refused; "" when it is not."""
    request = {
        "TrainingJobName": "job-" + uuid.uuid4().hex[:12], "RoleArn": jobs.ROLE,
        "AlgorithmSpecification": {"TrainingImage": "any:latest", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/true"]},
        "OutputDataConfig": {"S3OutputPath": f"s3://{tenant.bucket}/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60}}
    request.update(changes)
    try:
        tenant.client("sagemaker").create_training_job(**request)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException", error
        return error.response["Error"]["Message"]
    assert jobs.wait(tenant.client("sagemaker"), request["TrainingJobName"])
    return ""


@pytest.mark.parametrize("path", ["/opt/ml/../../../../..", "/opt/ml/../../../../../tls", "/opt/ml/..", "/opt/ml/./code",
                                  "/opt/ml//code", "/opt/ml/", "/etc", "../code", "file:///etc"])
def test_the_submit_directory_lies_in_s3_or_below_opt_ml(mallory, path):
    for value in (json.dumps(path), path):  # the toolkit takes both
        said = refused(mallory, HyperParameters={"sagemaker_submit_directory": value, "sagemaker_program": '"x.sh"'})
        assert "hyperParameters.sagemaker_submit_directory" in said and path in said


@pytest.mark.parametrize("program", ["../x.sh", "/bin/sh", "a/../../x.sh", "a//x.sh"])
def test_the_entry_point_lies_below_its_source(mallory, program):
    said = refused(mallory, HyperParameters={"sagemaker_submit_directory": f'"s3://{mallory.bucket}/x"',
                                             "sagemaker_program": json.dumps(program)})
    assert "hyperParameters.sagemaker_program" in said and program in said


@pytest.mark.parametrize("path", ["/", "/etc", "/usr/lib", "/proc/1", "/opt/headrace/tools", "/opt/ml", "/opt/ml/../..",
                                  "/opt/ml/a//b", "/x/../../../oldroot/tmp", "checkpoints", "/dev/shm", "/run"])
def test_checkpoints_cover_nothing_of_the_systems(mallory, path):
    said = refused(mallory, CheckpointConfig={"S3Uri": f"s3://{mallory.bucket}/c", "LocalPath": path})
    assert "checkpointConfig.localPath" in said and path in said


@pytest.mark.parametrize("name", [".", ".."])
def test_a_channel_is_a_directory_of_its_own(mallory, name):
    said = refused(mallory, InputDataConfig=[{"ChannelName": name, "DataSource": {
        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{mallory.bucket}/d"}}}])
    assert "inputDataConfig.1.member.channelName" in said


@pytest.mark.parametrize("program", ["/opt/ml/../../bin/sh", "../run.sh", "/bin//sh"])
def test_container_entry_points_take_no_detours(mallory, program):
    said = refused(mallory, AlgorithmSpecification={"TrainingImage": "any", "TrainingInputMode": "File",
                                                    "ContainerEntrypoint": [program, "../an/argument"]})
    assert "containerEntrypoint.1.member" in said and program in said


def test_texts_with_a_nul_are_refused(mallory):
    assert "environment.NAME" in refused(mallory, Environment={"NAME": "a\0b"})
    assert "containerEntrypoint.3.member" in refused(
        mallory, AlgorithmSpecification={"TrainingImage": "any", "TrainingInputMode": "File",
                                         "ContainerEntrypoint": ["/bin/sh", "-c", "true\0false"]})


def test_all_violations_are_named_at_once(mallory):
    said = refused(mallory, HyperParameters={"sagemaker_submit_directory": '"/opt/ml/.."'},
                   CheckpointConfig={"S3Uri": f"s3://{mallory.bucket}/c", "LocalPath": "/etc"})
    assert "sagemaker_submit_directory" in said and "localPath" in said


@pytest.mark.parametrize("path", ["/opt/ml/checkpoints/", "/opt/ml/model/ckpt", "/tmp/ckpt", "/root/ckpt", "/ckpt"])
def test_checkpoints_wherever_they_do_no_harm(mallory, path):
    """With the slash at the end that SageMaker's own default has."""
    prefix = uuid.uuid4().hex
    s3 = mallory.client("s3")
    s3.put_object(Bucket=mallory.bucket, Key=f"{prefix}/before", Body=b"restored")
    job, lines = mallory.shell(f"cat {path}/before; echo kept > {path}/after",
                               CheckpointConfig={"S3Uri": f"s3://{mallory.bucket}/{prefix}", "LocalPath": path})
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines)
    assert "restored" in lines
    assert s3.get_object(Bucket=mallory.bucket, Key=f"{prefix}/after")["Body"].read() == b"kept\n"


def test_a_source_that_a_channel_brings(mallory):
    """What is right of the same kind: a directory below /opt/ml."""
    mallory.client("s3").put_object(Bucket=mallory.bucket, Key="code/deep/run.sh", Body=b"echo from a channel")
    name = jobs.create(mallory.client("sagemaker"), mallory.bucket, "/opt/ml/input/data/code", "./deep/run.sh",
                       channels=[("code", f"s3://{mallory.bucket}/code/")])
    job = jobs.wait(mallory.client("sagemaker"), name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "from a channel" in jobs.log_lines(mallory.client("logs"), name)
