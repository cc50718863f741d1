"""What the platform reads, writes and deletes for an account takes the permission that the account's own request to S3 would
take: through every member of a request that names an object, in every spelling, at the time of the act."""
import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from tenants import SERVING_IMAGE, ROLE, Tenant, archive, channel

SECRET = "private words of alice"


@pytest.fixture(scope="module")
def mallory(server):
    return Tenant.owner(server)


@pytest.fixture(scope="module")
def alice(server):
    return Tenant.new(server, "alice-of-objects")


@pytest.fixture(scope="module")
def mallorys(mallory):
    return mallory.bucket()


def spellings(bucket, key):
    return [f"s3://{bucket}/{key}", f"https://s3/{bucket}/{key}", f"https://127.0.0.1:4567/{bucket}/{key}",
            f"https://s3.us-west-2.amazonaws.com/{bucket}/{key}", f"https://{bucket}.s3.us-west-2.amazonaws.com/{key}",
            f"https://{bucket}.s3.amazonaws.com/{key}", f"https://{bucket}.localhost:4567/{key}",
            f"https://S3/{bucket.replace('-', '%2D')}/{key}"]


def deny(alice, bucket, action="s3:GetObject", resource="*"):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": action,
                                                      "Resource": f"arn:aws:s3:::{bucket}/{resource}"}]}
    alice.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def allow(tenant, bucket, *actions):
    statement = [{"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]
    tenant.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement}))


@pytest.fixture(scope="module", params=["private", "public-read", "public-read-write", "denied"])
def alices(request, alice):
    """A bucket of alice's with two private objects, one of them an archive."""
    bucket = alice.bucket(ACL="public-read" if request.param == "denied" else request.param)
    s3 = alice.client("s3")
    s3.put_object(Bucket=bucket, Key="p/one", Body=SECRET.encode())
    s3.put_object(Bucket=bucket, Key="p/two.tar.gz", Body=archive(run__sh="echo " + SECRET))
    if request.param == "denied":
        s3.put_object_acl(Bucket=bucket, Key="p/one", ACL="public-read")
        s3.put_object_acl(Bucket=bucket, Key="p/two.tar.gz", ACL="public-read")
        deny(alice, bucket)
    yield bucket
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix="p/")["Contents"]] == ["p/one", "p/two.tar.gz"]


def is_refused(mallory, **members):
    """Refused when it is made; or the job fails and has learned nothing."""
    script = "cat /opt/ml/input/data/train/* /opt/ml/input/data/train_0 /opt/ml/checkpoints/* /opt/ml/code/*; rm -rf /opt/ml/checkpoints/*; sleep 1"
    try:
        job = mallory.start(script, **members)
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "ValidationException", refused
        return
    ended = mallory.wait(job)
    assert ended["TrainingJobStatus"] == "Failed" and "denied" in ended["FailureReason"], ended.get("FailureReason")
    assert not any(SECRET in line for line in mallory.log(job))


def output(bucket, key="out"):
    return {"S3OutputPath": f"s3://{bucket}/{key}"}


def test_s3_itself_refuses(mallory, alices):
    for attempt in (mallory.client("s3").get_object, ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt(Bucket=alices, Key="p/one")


def test_channels(mallory, mallorys, alices):
    for key in ("p/one", "p/"):
        for uri in spellings(alices, key):
            is_refused(mallory, InputDataConfig=[channel(uri)], OutputDataConfig=output(mallorys))


def test_manifests_and_their_entries(mallory, mallorys, alices):
    s3 = mallory.client("s3")
    for uri in (f"s3://{alices}/p/", f"https://s3/{alices}/p/", f"https://{alices}.s3.amazonaws.com/p/"):
        s3.put_object(Bucket=mallorys, Key="manifest", Body=json.dumps([{"prefix": uri}, "one"]))
        is_refused(mallory, InputDataConfig=[channel(f"s3://{mallorys}/manifest", "ManifestFile")], OutputDataConfig=output(mallorys))
        s3.put_object(Bucket=mallorys, Key="augmented", Body=json.dumps({"image-ref": uri + "one"}))
        pipe = channel(f"s3://{mallorys}/augmented", "AugmentedManifestFile", AttributeNames=["image-ref"], InputMode="Pipe")
        is_refused(mallory, InputDataConfig=[pipe], OutputDataConfig=output(mallorys))
    is_refused(mallory, InputDataConfig=[channel(f"s3://{alices}/p/one", "ManifestFile")], OutputDataConfig=output(mallorys))


def test_sources(mallory, mallorys, alices):
    for uri in spellings(alices, "p/two.tar.gz"):
        is_refused(mallory, OutputDataConfig=output(mallorys),
                   HyperParameters={"sagemaker_program": '"run.sh"', "sagemaker_submit_directory": json.dumps(uri)})


def test_checkpoints(mallory, mallorys, alices):
    """Restored, uploaded, and deleted when the job deletes them."""
    for uri in spellings(alices, "p"):
        is_refused(mallory, OutputDataConfig=output(mallorys), CheckpointConfig={"S3Uri": uri})


def test_outputs(mallory, alices, alice, request):
    if "public-read-write" in request.node.name:
        pytest.skip("everybody may write there")
    for uri in spellings(alices, "p"):
        with pytest.raises(ClientError, match="ValidationException"):
            mallory.start("true", OutputDataConfig={"S3OutputPath": uri})


def test_models(mallory, alices):
    sagemaker = mallory.client("sagemaker")
    for uri in spellings(alices, "p/two.tar.gz"):
        container = {"Image": SERVING_IMAGE, "ModelDataUrl": uri}
        source = {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}
        below = {"S3Uri": uri.replace("p/two.tar.gz", "p/"), "S3DataType": "S3Prefix", "CompressionType": "None"}
        for each in (container, {"Image": SERVING_IMAGE, "ModelDataSource": {"S3DataSource": source}},
                     {"Image": SERVING_IMAGE, "ModelDataSource": {"S3DataSource": below}}):
            with pytest.raises(ClientError, match="ValidationException.*denied"):
                sagemaker.create_model(ModelName=f"m-{uuid.uuid4().hex[:8]}", ExecutionRoleArn=ROLE, PrimaryContainer=each)


@pytest.fixture(scope="module")
def model(mallory, mallorys):
    mallory.client("s3").put_object(Bucket=mallorys, Key="model.tar.gz", Body=archive(nothing="x"))
    mallory.client("s3").put_object(Bucket=mallorys, Key="in/a", Body=b"1\n")
    name = f"m-{uuid.uuid4().hex[:8]}"
    mallory.client("sagemaker").create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={
        "Image": SERVING_IMAGE, "ModelDataUrl": f"s3://{mallorys}/model.tar.gz"})
    return name


def transform(mallory, model, uri, to, data_type="S3Prefix"):
    name = f"t-{uuid.uuid4().hex[:8]}"
    mallory.client("sagemaker").create_transform_job(
        TransformJobName=name, ModelName=model, TransformOutput={"S3OutputPath": to},
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri}}},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1})
    return name


def transform_end(mallory, name):
    for _ in range(600):
        job = mallory.client("sagemaker").describe_transform_job(TransformJobName=name)
        if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped"):
            return job
        time.sleep(0.1)
    raise AssertionError("the transform job does not end")


def test_transforms(mallory, mallorys, model, alices, request):
    for uri in spellings(alices, "p/"):
        with pytest.raises(ClientError, match="ValidationException"):
            transform(mallory, model, uri, f"s3://{mallorys}/out")
        if "public-read-write" not in request.node.name:
            with pytest.raises(ClientError, match="ValidationException"):
                transform(mallory, model, f"s3://{mallorys}/in/", uri)
    mallory.client("s3").put_object(Bucket=mallorys, Key="m", Body=json.dumps([{"prefix": f"https://s3/{alices}/p/"}, "one"]))
    job = transform_end(mallory, transform(mallory, model, f"s3://{mallorys}/m", f"s3://{mallorys}/out", "ManifestFile"))
    assert job["TransformJobStatus"] == "Failed" and "denied" in job["FailureReason"]


def test_what_is_public_is_read_in_every_spelling(mallory, mallorys, alice):
    bucket = alice.bucket()
    alice.client("s3").put_object(Bucket=bucket, Key="open", Body=b"words for everybody", ACL="public-read")
    allow(alice, bucket, "s3:ListBucket")
    channels = [{**channel(uri), "ChannelName": f"c{i}"} for i, uri in enumerate(spellings(bucket, "open"))]
    job = mallory.start("cat /opt/ml/input/data/*/open", InputDataConfig=channels, OutputDataConfig=output(mallorys))
    ended = mallory.wait(job)
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")
    assert sum(line.count("words for everybody") for line in mallory.log(job)) == len(channels)


def test_a_source_is_read_in_every_spelling(mallory, mallorys):
    mallory.client("s3").put_object(Bucket=mallorys, Key="source.tar.gz", Body=archive(run__sh="echo the program ran\n"))
    for uri in spellings(mallorys, "source.tar.gz"):
        request = mallory.request("", OutputDataConfig=output(mallorys), HyperParameters={
            "sagemaker_program": '"run.sh"', "sagemaker_submit_directory": json.dumps(uri)})
        del request["AlgorithmSpecification"]["ContainerEntrypoint"], request["AlgorithmSpecification"]["ContainerArguments"]
        mallory.client("sagemaker").create_training_job(**request)
        ended = mallory.wait(request["TrainingJobName"])
        assert ended["TrainingJobStatus"] == "Completed", (uri, ended.get("FailureReason"))


def test_an_own_policy_that_denies_wins(alice, mallory):
    """It binds the platform as it binds the owner."""
    bucket = mallory.bucket()
    mallory.client("s3").put_object(Bucket=bucket, Key="kept/one", Body=b"x")
    deny(mallory, bucket, "s3:PutObject", "out/*")
    with pytest.raises(ClientError, match="ValidationException.*s3:PutObject"):
        mallory.start("true", OutputDataConfig=output(bucket))
    deny(mallory, bucket, "s3:DeleteObject", "kept/*")
    job = mallory.start("rm -f /opt/ml/checkpoints/*; sleep 3", OutputDataConfig=output(bucket),
                        CheckpointConfig={"S3Uri": f"s3://{bucket}/kept"})
    ended = mallory.wait(job)
    assert ended["TrainingJobStatus"] == "Failed" and "s3:DeleteObject" in ended["FailureReason"]
    assert mallory.client("s3").get_object(Bucket=bucket, Key="kept/one")["Body"].read() == b"x"


def test_checkpoints_ask_again_while_the_job_runs(mallory, mallorys, alice):
    bucket = alice.bucket()
    s3 = alice.client("s3")
    allow(alice, bucket, "s3:*")
    s3.put_object(Bucket=bucket, Key="c/one", Body=SECRET.encode())
    job = mallory.start("cat /opt/ml/checkpoints/one; echo; echo program runs; until [ -e /opt/ml/checkpoints/go ]; do sleep 0.2; date > "
                        "/opt/ml/checkpoints/beat; done", OutputDataConfig=output(mallorys), CheckpointConfig={"S3Uri": f"https://s3/{bucket}/c"})
    mallory.wait_for_line(job, "program runs")
    assert any(SECRET in line for line in mallory.log(job)), mallory.log(job)  # while the policy allowed it
    s3.delete_bucket_policy(Bucket=bucket)
    mallory.client("sagemaker").stop_training_job(TrainingJobName=job)
    mallory.wait(job)
    assert s3.get_object(Bucket=bucket, Key="c/one")["Body"].read().decode() == SECRET


def test_checkpoints_are_not_deleted_once_the_permission_is_gone(mallory, mallorys, alice):
    bucket = alice.bucket()
    s3 = alice.client("s3")
    allow(alice, bucket, "s3:*")
    s3.put_object(Bucket=bucket, Key="c/one", Body=SECRET.encode())
    job = mallory.start("echo program runs; sleep 4; rm -f /opt/ml/checkpoints/*; sleep 4", OutputDataConfig=output(mallorys),
                        CheckpointConfig={"S3Uri": f"s3://{bucket}/c"})
    mallory.wait_for_line(job, "program runs")
    s3.delete_bucket_policy(Bucket=bucket)
    ended = mallory.wait(job)
    assert ended["TrainingJobStatus"] == "Failed" and "denied" in ended["FailureReason"]
    assert s3.get_object(Bucket=bucket, Key="c/one")["Body"].read().decode() == SECRET


def test_models_ask_again_when_they_are_fetched(mallory, alice):
    bucket = alice.bucket()
    s3 = alice.client("s3")
    allow(alice, bucket, "s3:GetObject", "s3:ListBucket")
    s3.put_object(Bucket=bucket, Key="m.tar.gz", Body=archive(nothing="x"))
    sagemaker, name = mallory.client("sagemaker"), f"m-{uuid.uuid4().hex[:8]}"
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE,
                           PrimaryContainer={"Image": SERVING_IMAGE, "ModelDataUrl": f"https://s3/{bucket}/m.tar.gz"})
    s3.delete_bucket_policy(Bucket=bucket)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[
        {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    for _ in range(300):
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        if endpoint["EndpointStatus"] != "Creating":
            break
        time.sleep(0.1)
    assert endpoint["EndpointStatus"] == "Failed" and "denied" in endpoint["FailureReason"]
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize("uri", ["https://sagemaker.us-west-2.amazonaws.com/b/k", "https://user@s3/b/k", "https://s3/b/k?versionId=1",
                                 "https://s3//k", "s3://b%2Fc/k", "https://s3/a%2Fb/k"])
def test_what_is_no_s3_uri_is_refused_with_the_remedy(mallory, mallorys, uri):
    for members in ({"InputDataConfig": [channel(uri)], "OutputDataConfig": output(mallorys)}, {"OutputDataConfig": {"S3OutputPath": uri}},
                    {"CheckpointConfig": {"S3Uri": uri}, "OutputDataConfig": output(mallorys)},
                    {"HyperParameters": {"sagemaker_submit_directory": json.dumps(uri)}, "OutputDataConfig": output(mallorys)}):
        with pytest.raises(ClientError, match="ValidationException.*s3://BUCKET/KEY"):
            mallory.start("true", **members)
