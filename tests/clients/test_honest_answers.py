"""What a request asks for is done, or refused when it is made, or named in the log as kept without effect; and the tables of
docs/api-coverage.md know every member that this boto3 can send."""
import pathlib
import re
import sys
import uuid

import boto3
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/security"))
from tenants import REGION, ROLE, SERVING_IMAGE, Tenant, archive  # noqa: E402

OPERATIONS = ["CreateTrainingJob", "CreateModel", "CreateEndpointConfig", "CreateTransformJob"]


def table(operation):
    """{member: effect} of the documentation."""
    text = (ROOT / "docs/api-coverage.md").read_text()
    part = text.split(f"\n### {operation}\n", 1)[1].split("\n#", 1)[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (done|refused|without effect) \|", part, re.M))


def members(shape, path=""):
    if shape.type_name == "list":
        yield from members(shape.member, path + "[]")
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            below = f"{path}.{name}" if path else name
            yield below
            yield from members(member, below)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_tables_know_every_member(operation):
    known = table(operation)
    model = boto3.client("sagemaker", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b").meta.service_model
    def covered(path):
        path = re.sub(r"^Containers(\[\])?", "PrimaryContainer", path)
        return any(path == each or re.match(re.escape(each) + r"[.\[]", path) or re.match(re.escape(path) + r"[.\[]", each) for each in known)
    assert [path for path in members(model.operation_model(operation).input_shape) if not covered(path)] == []


@pytest.fixture(scope="module")
def tenant(server):
    return Tenant.owner(server)


@pytest.fixture(scope="module")
def bucket(tenant):
    return tenant.bucket()


def job(tenant, bucket, **more):
    return tenant.start("true", **{"OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"}, **more})


REFUSED = {
    "mpi options": {"HyperParameters": {"sagemaker_mpi_enabled": "true", "sagemaker_mpi_custom_mpi_options": "\"--hostfile mine\""}},
    "smdistributed": {"HyperParameters": {"sagemaker_distributed_dataparallel_enabled": "true"}},
    "XLA": {"HyperParameters": {"sagemaker_pytorch_xla_multi_worker_enabled": "true"}},
    "tensorboard": {"TensorBoardOutputConfig": {"S3OutputPath": "s3://anywhere/tb"}},
    "rules": {"DebugRuleConfigurations": [{"RuleConfigurationName": "r", "RuleEvaluatorImage": "i"}]},
    "collections": {"DebugHookConfig": {"S3OutputPath": "s3://anywhere/", "CollectionConfigurations": [{"CollectionName": "losses"}]}},
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_here_is_refused_when_it_is_asked_for(tenant, bucket, what):
    with pytest.raises(Exception, match=r"ValidationException.*Value .* at '.*Member is not supported: \w+"):
        job(tenant, bucket, **REFUSED[what])


WITHOUT = {
    "EnableManagedSpotTraining": {"EnableManagedSpotTraining": True, "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
    "ResourceConfig.KeepAlivePeriodInSeconds": {"ResourceConfig": {
        "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, "KeepAlivePeriodInSeconds": 60}},
    "VpcConfig": {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
    "EnableInterContainerTrafficEncryption": {"EnableInterContainerTrafficEncryption": True},
    "ExperimentConfig": {"ExperimentConfig": {"ExperimentName": "e"}},
    "DebugHookConfig.S3OutputPath": {"DebugHookConfig": {"S3OutputPath": "s3://anywhere/"}},
    "HyperParameters.sagemaker_parameter_server_enabled": {"HyperParameters": {"sagemaker_parameter_server_enabled": "true"}},
    "HyperParameters.sagemaker_mpi_enabled": {"HyperParameters": {
        "sagemaker_mpi_enabled": "true", "sagemaker_mpi_num_of_processes_per_host": "1"}},
}


def test_what_has_no_effect_is_in_the_jobs_log(tenant, bucket):
    jobs = {member: job(tenant, bucket, **request) for member, request in WITHOUT.items()}
    for member, name in jobs.items():
        ended = tenant.wait(name)
        assert ended["TrainingJobStatus"] == "Completed", (member, ended.get("FailureReason"))
        said = [line for line in tenant.log(name) if "kept without effect: " in line]
        assert any(line.startswith(f"[headrace] kept without effect: {member}: ") for line in said), (member, said)


def test_what_is_done_is_not_talked_about(tenant, bucket):
    name = job(tenant, bucket, Environment={"A": "b"}, RetryStrategy={"MaximumRetryAttempts": 2})
    tenant.wait(name)
    assert [line for line in tenant.log(name) if "without effect" in line] == []


def test_a_variant_named_twice_is_refused(tenant, bucket):
    tenant.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=archive(nothing="x"))
    sagemaker, name = tenant.client("sagemaker"), f"m-{uuid.uuid4().hex[:8]}"
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={
        "Image": SERVING_IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"})
    variant = {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    with pytest.raises(Exception, match="ValidationException.*productionVariants.2.member.variantName.*unique"):
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant, variant])
    with pytest.raises(Exception, match="ValidationException.*manifestS3Uri"):
        source = {"S3Uri": f"s3://{bucket}/", "S3DataType": "S3Prefix", "CompressionType": "None", "ManifestS3Uri": f"s3://{bucket}/m"}
        sagemaker.create_model(ModelName=name + "2", ExecutionRoleArn=ROLE, PrimaryContainer={
            "Image": SERVING_IMAGE, "ModelDataSource": {"S3DataSource": source}})
