"""Hosting through boto3: models, configurations, endpoints and invocations; updates and crashes under load; nothing left."""
import io
import json
import os
import pathlib
import signal
import struct
import subprocess
import tarfile
import threading
import time
import uuid

import botocore.config
import botocore.exceptions
import pytest

from platform_fixtures import BIN

ROLE = "arn:aws:iam::123456789012:role/service-role/MyRole"
IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15-cpu"
ClientError = botocore.exceptions.ClientError


def name(kind="e"):
    return f"{kind}-{uuid.uuid4().hex[:20]}"


def read_npy(path):
    """A float32 .npy as nested lists."""
    data = path.read_bytes()
    size = struct.unpack("<H", data[8:10])[0]
    shape = eval(data[10:10 + size].decode())["shape"]  # written by our own tool
    values = list(struct.unpack(f"<{(len(data) - 10 - size) // 4}f", data[10 + size:]))
    for dim in reversed(shape[1:]):
        values = [values[i:i + dim] for i in range(0, len(values), dim)]
    return values


def archive(files, links=()):
    """A tar.gz of {name: bytes}."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for path, target in links:
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return packed.getvalue()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    subprocess.run([BIN / "export_models", directory], check=True)
    return directory


def tree(directory, prefix):
    return {prefix + str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def images(exported):
    return read_npy(exported / "cnn/inputs.npy"), read_npy(exported / "cnn/scores.npy")


@pytest.fixture(scope="module")
def bucket(boto, exported):
    """Model archives of several layouts."""
    s3, bucket = boto("s3"), f"models-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    put = lambda key, data: s3.put_object(Bucket=bucket, Key=key, Body=data)  # noqa: E731
    cnn = exported / "cnn/1"
    put("cnn.tar.gz", archive(tree(cnn, "1/")))
    put("servo.tar.gz", archive(tree(cnn, "export/Servo/1/")))
    put("two.tar.gz", archive({**tree(cnn, "cnn/1/"), **tree(exported / "everything/1", "everything/3/")}))
    put("none.tar.gz", archive({"saved_model.txt": b"no model"}))
    put("broken.tar.gz", archive({"1/saved_model.pb": b"\x08\x01 no such thing"}))
    put("garbage.tar.gz", os.urandom(10_000))
    put("outside.tar.gz", archive({**tree(cnn, "1/"), "../../../../outside": b"x"}))
    put("link.tar.gz", archive(tree(cnn, "1/"), links=[("1/assets", "/etc")]))
    put("script.tar.gz", archive({**tree(cnn, "1/"), "code/inference.py": b"def handler(data, context): ..."}))
    for path, data in tree(cnn, "unpacked/1/").items():
        put(path, data)
    return bucket


@pytest.fixture(scope="module")
def sagemaker(boto):
    return boto("sagemaker")


@pytest.fixture(scope="module")
def runtime(boto):
    return boto("sagemaker-runtime", config=botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=32))


@pytest.fixture(scope="module")
def hosting(server, sagemaker, bucket):
    return Hosting(server, sagemaker, bucket)


class Hosting:
    """Short ways to make and await things."""

    def __init__(self, server, sagemaker, bucket):
        self.server, self.sagemaker, self.bucket = server, sagemaker, bucket

    def model(self, key="cnn.tar.gz", **environment):
        model = name("m")
        self.sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer={
            "Image": IMAGE, "ModelDataUrl": f"s3://{self.bucket}/{key}", "Environment": environment})
        return model

    def config(self, *variants, key="cnn.tar.gz", **more):
        config = name("c")
        variants = variants or [{}]
        self.sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[
            {"VariantName": "AllTraffic", "ModelName": variant.pop("ModelName", None) or self.model(key),
             "InitialInstanceCount": 1, "InstanceType": "ml.m4.xlarge", **variant} for variant in map(dict, variants)], **more)
        return config

    def create(self, *variants, wait="InService", **more):
        endpoint = name()
        self.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=self.config(*variants, **more))
        if wait:
            self.wait(endpoint, wait)
        return endpoint

    def describe(self, endpoint):
        return self.sagemaker.describe_endpoint(EndpointName=endpoint)

    def wait(self, endpoint, wanted="InService", seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            described = self.describe(endpoint)
            if described["EndpointStatus"] == wanted:
                return described
            if described["EndpointStatus"] in ("Failed", "InService") or time.monotonic() > deadline:
                raise AssertionError(f"{endpoint}: wanted {wanted}, found {described}")
            time.sleep(0.01)

    def delete(self, endpoint):
        self.sagemaker.delete_endpoint(EndpointName=endpoint)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.describe(endpoint)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ValidationException"
                assert "Could not find endpoint" in error.response["Error"]["Message"]
                return
            time.sleep(0.01)
        raise AssertionError(f"{endpoint} is still there: {self.describe(endpoint)}")

    def processes(self, endpoint):
        """The model servers of an endpoint: not the sandboxes around them."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
                if len(arguments) < 2 or arguments[1] != b"model-server" or f"/{endpoint}/".encode() not in \
                        (entry / "mountinfo").read_bytes() + b" ".join(arguments):
                    continue
                found.append(int(entry.name))
            except OSError:
                continue
        return found

    def await_processes(self, endpoint, count):
        deadline = time.monotonic() + 5
        while len(self.processes(endpoint)) != count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.processes(endpoint)) == count

    def all_processes(self):
        shown = subprocess.run(["ps", "-eo", "ppid,pid,args"], capture_output=True, text=True).stdout
        return [line for line in shown.splitlines() if "model-server" in line and str(self.server.directory) in line]

    def files(self, endpoint):
        return list((self.server.directory / "endpoints").glob(f"*/{endpoint}"))

    def assert_gone(self, endpoint):
        deadline = time.monotonic() + 5
        while (self.processes(endpoint) or self.files(endpoint)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.processes(endpoint) == [] and self.files(endpoint) == []


def predict(runtime, endpoint, instances, **more):
    reply = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Accept="application/json",
                                    Body=json.dumps(instances), **more)
    return json.loads(reply["Body"].read())["predictions"], reply


def near(found, wanted):
    return len(found) == len(wanted) and all(abs(a - b) < 1e-4 for row, other in zip(found, wanted) for a, b in zip(row, other))


class Load:
    """Clients that ask without pause; every failure is kept."""

    def __init__(self, runtime, endpoint, image, clients=4, **more):
        self.failures, self.answers, self.stop = [], 0, threading.Event()
        self.body = json.dumps([image])
        self.ask = lambda: runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=self.body, **more)
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def run(self):
        while not self.stop.is_set():
            try:
                self.ask()["Body"].read()
                self.answers += 1
            except Exception as error:  # noqa: BLE001: whatever a client may see
                self.failures.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"] + ": " + refused.value.response["Error"]["Message"]


# ---- the straight line

def test_create_predict_delete(hosting, sagemaker, runtime, images):
    model = name("m")
    arn = sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, Tags=[{"Key": "Project", "Value": "cifar10"}],
                                 PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{hosting.bucket}/cnn.tar.gz",
                                                   "Environment": {"SAGEMAKER_TFS_NGINX_LOGLEVEL": "info"}})["ModelArn"]
    assert arn.endswith(f":model/{model}")
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "Project", "Value": "cifar10"}]
    described = sagemaker.describe_model(ModelName=model)
    assert described["PrimaryContainer"]["Image"] == IMAGE and described["ExecutionRoleArn"] == ROLE and described["CreationTime"]

    endpoint = name()
    sagemaker.create_endpoint_config(EndpointConfigName=endpoint, ProductionVariants=[
        {"VariantName": "AllTraffic", "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m4.xlarge", "InitialVariantWeight": 1}])
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint)
    assert config["ProductionVariants"][0]["ModelName"] == model
    arn = sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint,
                                    Tags=[{"Key": "a", "Value": "b"}])["EndpointArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    described = hosting.wait(endpoint)
    variant = described["ProductionVariants"][0]
    assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 1 and variant["CurrentWeight"] == 1
    assert variant["DeployedImages"][0]["SpecifiedImage"] == IMAGE

    found, reply = predict(runtime, endpoint, images[0][:20])
    assert near(found, images[1][:20])
    assert reply["ContentType"] == "application/json" and reply["InvokedProductionVariant"] == "AllTraffic"

    # The SDK deletes the configuration first, others the model: the endpoint has all it needs.
    sagemaker.delete_endpoint_config(EndpointConfigName=endpoint)
    sagemaker.delete_model(ModelName=model)
    assert near(predict(runtime, endpoint, images[0][:2])[0], images[1][:2])
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)
    assert f"Endpoint {endpoint} of account" in refusal(runtime.invoke_endpoint, EndpointName=endpoint, Body=b"x")
    # The same name again.
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=hosting.config())
    hosting.wait(endpoint)
    hosting.delete(endpoint)


@pytest.mark.parametrize("key", ["servo.tar.gz", "two.tar.gz"])
def test_layouts_of_archives(hosting, runtime, images, key):
    endpoint = hosting.create(key=key)
    assert near(predict(runtime, endpoint, images[0][:2])[0], images[1][:2])
    hosting.delete(endpoint)


def test_a_model_by_name_and_a_default_model(hosting, runtime, images, exported):
    everything = read_npy(exported / "everything/inputs.npy")[:2]
    endpoint = hosting.create({"ModelName": hosting.model("two.tar.gz", SAGEMAKER_TFS_DEFAULT_MODEL_NAME="everything")})
    assert len(predict(runtime, endpoint, everything)[0]) == 2
    found, reply = predict(runtime, endpoint, images[0][:2], CustomAttributes="tfs-model-name=cnn")
    assert near(found, images[1][:2])
    hosting.delete(endpoint)


def test_a_model_that_is_not_packed(hosting, sagemaker, runtime, images):
    model = name("m")
    sagemaker.create_model(ModelName=model, PrimaryContainer={"Image": IMAGE, "ModelDataSource": {"S3DataSource": {
        "S3Uri": f"s3://{hosting.bucket}/unpacked/", "S3DataType": "S3Prefix", "CompressionType": "None"}}}, ExecutionRoleArn=ROLE)
    endpoint = hosting.create({"ModelName": model})
    assert near(predict(runtime, endpoint, images[0][:2])[0], images[1][:2])
    hosting.delete(endpoint)


# ---- refusals

def test_what_create_model_refuses(hosting, sagemaker):
    model, url = name("m"), f"s3://{hosting.bucket}/cnn.tar.gz"
    create = lambda **container: refusal(  # noqa: E731
        sagemaker.create_model, ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, **container})
    assert "primaryContainer.modelDataUrl" in create()
    assert f"Could not find model data at s3://{hosting.bucket}/nothing.tar.gz" in create(ModelDataUrl=f"s3://{hosting.bucket}/nothing.tar.gz")
    assert "Could not find model data" in create(ModelDataUrl="s3://no-such-bucket-anywhere/m.tar.gz")
    assert "primaryContainer.image" in create(Image="123.dkr.ecr.us-west-2.amazonaws.com/sklearn:1", ModelDataUrl=url)
    assert "primaryContainer.mode" in create(Mode="MultiModel", ModelDataUrl=url)
    assert "pipelines" in refusal(sagemaker.create_model, ModelName=model, ExecutionRoleArn=ROLE,
                                  Containers=[{"Image": IMAGE, "ModelDataUrl": url}] * 2)
    assert "'modelName' failed to satisfy constraint" in refusal(sagemaker.create_model, ModelName="a b", ExecutionRoleArn=ROLE,
                                                                 PrimaryContainer={"Image": IMAGE, "ModelDataUrl": url})
    taken = hosting.model()
    assert "Cannot create already existing model" in refusal(sagemaker.create_model, ModelName=taken, ExecutionRoleArn=ROLE,
                                                             PrimaryContainer={"Image": IMAGE, "ModelDataUrl": url})
    for operation in (sagemaker.describe_model, sagemaker.delete_model):
        assert refusal(operation, ModelName=model).startswith("ValidationException: Could not find model \"arn:")


def test_what_create_endpoint_config_refuses(hosting, sagemaker):
    model = hosting.model()
    plain = {"VariantName": "a", "ModelName": model, "InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1}
    create = lambda variant=plain, **more: refusal(  # noqa: E731
        sagemaker.create_endpoint_config, EndpointConfigName=name("c"), ProductionVariants=[variant], **more)
    assert "Could not find model" in create({**plain, "ModelName": "no-such-model"})
    assert "serverlessConfig" in create({**plain, "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}})
    assert "instanceType" in create({**plain, "InstanceType": "ml.nothing.xlarge"})
    assert "acceleratorType" in create({**plain, "AcceleratorType": "ml.eia2.medium"})
    assert "asyncInferenceConfig" in create(AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://b/k"}})
    assert "routingConfig.routingStrategy" in create({**plain, "RoutingConfig": {"RoutingStrategy": "ROUND_ROBIN"}})
    assert "shadowProductionVariants" in create(ShadowProductionVariants=[{**plain, "VariantName": "b"}])
    assert "dataCaptureConfig.enableCapture" in create(DataCaptureConfig={
        "EnableCapture": True, "InitialSamplingPercentage": 1, "DestinationS3Uri": "s3://b/k", "CaptureOptions": [{"CaptureMode": "Input"}]})
    assert "unique among the variants" in refusal(sagemaker.create_endpoint_config, EndpointConfigName=name("c"), ProductionVariants=[plain, plain])
    config = hosting.config()
    assert "Cannot create already existing endpoint configuration" in refusal(
        sagemaker.create_endpoint_config, EndpointConfigName=config, ProductionVariants=[plain])
    assert "Could not find endpoint configuration" in refusal(sagemaker.describe_endpoint_config, EndpointConfigName="none")
    assert "Could not find endpoint configuration" in refusal(sagemaker.delete_endpoint_config, EndpointConfigName="none")


def test_what_endpoints_refuse(hosting, sagemaker):
    assert "Could not find endpoint configuration" in refusal(sagemaker.create_endpoint, EndpointName=name(), EndpointConfigName="none")
    assert "ResourceLimitExceeded" in refusal(sagemaker.create_endpoint, EndpointName=name(),
                                              EndpointConfigName=hosting.config({"InitialInstanceCount": 1000}))
    for operation in (sagemaker.describe_endpoint, sagemaker.delete_endpoint):
        assert refusal(operation, EndpointName="none").startswith("ValidationException: Could not find endpoint \"arn:")
    assert "Could not find endpoint" in refusal(sagemaker.update_endpoint, EndpointName="none", EndpointConfigName="none")
    endpoint = hosting.create()
    assert "Cannot create already existing endpoint" in refusal(sagemaker.create_endpoint, EndpointName=endpoint, EndpointConfigName=hosting.config())
    assert "Could not find endpoint configuration" in refusal(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName="none")
    assert "name a variant" in refusal(sagemaker.update_endpoint_weights_and_capacities, EndpointName=endpoint,
                                       DesiredWeightsAndCapacities=[{"VariantName": "x", "DesiredWeight": 1}])
    hosting.delete(endpoint)


@pytest.mark.parametrize("key, reason", [
    ("none.tar.gz", "no directory NAME/NUMBER with a saved_model.pb"),
    ("broken.tar.gz", "did not pass the ping health check"),
    ("garbage.tar.gz", "not a readable tar archive"),
    ("outside.tar.gz", "leads out of the directory"),
    ("link.tar.gz", "link that leads outside"),
    ("script.tar.gz", "inference.py"),
])
def test_models_that_cannot_be_served(hosting, sagemaker, runtime, key, reason):
    endpoint = hosting.create(key=key, wait="Failed")
    described = hosting.describe(endpoint)
    assert reason in described["FailureReason"] and len(described["FailureReason"]) <= 1024
    assert "not found" in refusal(runtime.invoke_endpoint, EndpointName=endpoint, Body=b"[]")
    assert "Cannot update endpoint" in refusal(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=hosting.config())
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)
    assert not list(hosting.server.directory.parent.rglob("outside"))


# ---- listings

def test_listings(hosting, sagemaker):
    mark = uuid.uuid4().hex[:8]
    models = [f"{mark}-{i}" for i in range(5)]
    for model in models:
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE,
                               PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{hosting.bucket}/cnn.tar.gz"})
    pages = sagemaker.get_paginator("list_models").paginate(NameContains=mark, SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2})
    pages = [[model["ModelName"] for model in page["Models"]] for page in pages]
    assert pages == [models[:2], models[2:4], models[4:]]
    newest_first = sagemaker.list_models(NameContains=mark)["Models"]
    assert [model["ModelName"] for model in newest_first] == models[::-1]
    config = hosting.config()
    assert [each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs(NameContains=config)["EndpointConfigs"]] == [config]
    endpoint = hosting.create()
    assert [each["EndpointName"] for each in sagemaker.list_endpoints(NameContains=endpoint, StatusEquals="InService")["Endpoints"]] == [endpoint]
    assert sagemaker.list_endpoints(NameContains=endpoint, StatusEquals="Failed")["Endpoints"] == []
    hosting.delete(endpoint)


class Several:
    """Models, configurations and endpoints of one mark, made before and after a moment in whole seconds: clients send no less."""

    def __init__(self, hosting, sagemaker):
        self.mark = uuid.uuid4().hex[:8]
        self.early, self.late = [f"{self.mark}-{i}" for i in "cab"], [f"{self.mark}-{i}" for i in "ed"]
        self.broken = self.late[-1]
        for each in self.early:
            self.make(hosting, sagemaker, each)
        self.moment = self.whole_second()
        for each in self.late:
            self.make(hosting, sagemaker, each)
        for each in self.early + self.late:
            hosting.wait(each, "Failed" if each == self.broken else "InService")
        self.changed, self.later_moment = self.early[0], self.whole_second()
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=self.changed, DesiredWeightsAndCapacities=[
            {"VariantName": "AllTraffic", "DesiredWeight": 2}])
        hosting.wait(self.changed)

    def make(self, hosting, sagemaker, each):
        key = "broken.tar.gz" if each == self.broken else "cnn.tar.gz"
        sagemaker.create_model(ModelName=each, ExecutionRoleArn=ROLE, PrimaryContainer={
            "Image": IMAGE, "ModelDataUrl": f"s3://{hosting.bucket}/{key}"})
        sagemaker.create_endpoint_config(EndpointConfigName=each, ProductionVariants=[
            {"VariantName": "AllTraffic", "ModelName": each, "InitialInstanceCount": 1, "InstanceType": "ml.m4.xlarge"}])
        sagemaker.create_endpoint(EndpointName=each, EndpointConfigName=each)

    @staticmethod
    def whole_second():
        moment = int(time.time()) + 1
        time.sleep(moment + 0.02 - time.time())
        return moment


@pytest.fixture(scope="module")
def several(hosting, sagemaker):
    several = Several(hosting, sagemaker)
    yield several
    for each in several.early + several.late:
        hosting.delete(each)


@pytest.mark.parametrize("operation", ["list_models", "list_endpoint_configs", "list_endpoints"])
def test_every_filter_of_a_listing(several, sagemaker, operation):
    member, name_of = {"list_models": ("Models", "ModelName"), "list_endpoint_configs": ("EndpointConfigs", "EndpointConfigName"),
                       "list_endpoints": ("Endpoints", "EndpointName")}[operation]
    everything = several.early + several.late

    def found(**filters):
        reply = getattr(sagemaker, operation)(**{"NameContains": several.mark, **filters})
        assert "NextToken" not in reply
        return [each[name_of] for each in reply[member]]

    assert found() == everything[::-1]  # the newest first
    assert found(SortOrder="Ascending") == found(SortBy="CreationTime", SortOrder="Ascending") == everything
    assert found(SortBy="Name") == sorted(everything, reverse=True)
    assert found(SortBy="Name", SortOrder="Ascending") == sorted(everything)
    assert found(NameContains=several.early[0]) == [several.early[0]] and found(NameContains="no-such-" + several.mark) == []
    assert found(CreationTimeAfter=several.moment, SortOrder="Ascending") == several.late
    assert found(CreationTimeBefore=several.moment, SortOrder="Ascending") == several.early
    assert found(CreationTimeAfter=several.moment, CreationTimeBefore=several.moment) == []

    for sort_by in ("Name", "CreationTime"):
        for order in ("Ascending", "Descending"):
            arguments = {"NameContains": several.mark, "SortBy": sort_by, "SortOrder": order}
            pages = getattr(sagemaker, operation)
            shown, token, sizes = [], {}, []
            while token is not None:
                reply = pages(MaxResults=2, **arguments, **token)
                shown += [each[name_of] for each in reply[member]]
                sizes.append(len(reply[member]))
                token = {"NextToken": reply["NextToken"]} if "NextToken" in reply else None
            assert sizes == [2, 2, 1] and shown == found(SortBy=sort_by, SortOrder=order)
    assert "ValidationException" in refusal(getattr(sagemaker, operation), NextToken="no such token")
    assert "'maxResults'" in refusal(getattr(sagemaker, operation), MaxResults=101)
    assert "'sortBy'" in refusal(getattr(sagemaker, operation), SortBy="Size")


def test_filters_that_only_endpoints_have(several, sagemaker):
    def found(**filters):
        return [each["EndpointName"] for each in sagemaker.list_endpoints(NameContains=several.mark, **filters)["Endpoints"]]

    everything = several.early + several.late
    assert found(StatusEquals="Failed") == [several.broken]
    assert found(StatusEquals="InService", SortOrder="Ascending") == [each for each in everything if each != several.broken]
    assert found(StatusEquals="Creating") == []
    assert found(SortBy="Status", SortOrder="Ascending")[0] == found(SortBy="Status")[-1] == several.broken
    assert found(LastModifiedTimeAfter=several.later_moment) == [several.changed]
    assert sorted(found(LastModifiedTimeBefore=several.later_moment)) == sorted(each for each in everything if each != several.changed)
    assert found(LastModifiedTimeAfter=several.later_moment, CreationTimeAfter=several.moment) == []
    assert "'statusEquals'" in refusal(sagemaker.list_endpoints, StatusEquals="Gone")


# ---- invocations

@pytest.fixture(scope="module")
def endpoint(hosting):
    endpoint = hosting.create()
    yield endpoint
    hosting.delete(endpoint)


def test_errors_of_the_model(runtime, endpoint, server):
    with pytest.raises(ClientError) as refused:
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=b"[[1, 2")
    response = refused.value.response
    assert response["Error"]["Code"] == "ModelError" and response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 400 and response["OriginalMessage"]
    assert response["LogStreamArn"].split("log-stream:")[1].startswith("AllTraffic/i-")
    assert "Received client error (400) from primary with message" in response["Error"]["Message"]
    assert "Unsupported Media Type" in refusal(runtime.invoke_endpoint, EndpointName=endpoint, ContentType="image/png", Body=b"x")
    assert refusal(runtime.invoke_endpoint, EndpointName=endpoint, ContentType="application/json", Body=b" " * 6291457) == \
        "413: HTTP content length exceeded 6291456 bytes."
    assert "'inferenceId'" in refusal(runtime.invoke_endpoint, EndpointName=endpoint, InferenceId="a" * 65, Body=b"x")
    assert "one model" in refusal(runtime.invoke_endpoint, EndpointName=endpoint, TargetModel="m.tar.gz", Body=b"x")
    assert "Could not find variant" in refusal(runtime.invoke_endpoint, EndpointName=endpoint, TargetVariant="Other", Body=b"x")


def test_headers_of_an_invocation(runtime, endpoint, images):
    ask = lambda **more: predict(runtime, endpoint, images[0][:1], **more)[1]  # noqa: E731
    assert ask(TargetVariant="AllTraffic")["InvokedProductionVariant"] == "AllTraffic"
    assert ask(InferenceId="an id of our own", CustomAttributes="a" * 1024)["ContentType"] == "application/json"

    def refused(**arguments):
        with pytest.raises(ClientError) as error:
            runtime.invoke_endpoint(**{"EndpointName": endpoint, "Body": b"[]", **arguments})
        response = error.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400 and response["Error"]["Code"] == "ValidationError"
        return response["Error"]["Message"]

    assert "found 1025 bytes, wanted at most 1024" in refused(CustomAttributes="a" * 1025)
    assert f"Could not find variant \"Other\" for endpoint {endpoint} of account" in refused(TargetVariant="Other")
    assert "'targetVariant'" in refused(TargetVariant="no_name")
    assert "'accept'" in refused(Accept="a" * 1025) and "'contentType'" in refused(ContentType="a" * 1025)
    assert "'endpointName'" in refused(EndpointName="no_name")
    assert "Endpoint none of account" in refused(EndpointName="none")


def test_other_operations_are_refused_by_name(runtime, endpoint):
    unknown = "UnknownOperationException: {}: not implemented by Headrace"
    assert refusal(runtime.invoke_endpoint_async, EndpointName=endpoint, InputLocation="s3://b/k").startswith(
        unknown.format("InvokeEndpointAsync"))
    assert refusal(runtime.invoke_endpoint_with_response_stream, EndpointName=endpoint, Body=b"[]").startswith(
        unknown.format("InvokeEndpointWithResponseStream"))


def test_an_endpoint_that_is_not_in_service_is_not_found(hosting, runtime, sagemaker, images):
    endpoint = hosting.create(wait=None)
    not_found = f"ValidationError: Endpoint {endpoint} of account"
    assert refusal(runtime.invoke_endpoint, EndpointName=endpoint, Body=b"[]").startswith(not_found)
    hosting.wait(endpoint)
    predict(runtime, endpoint, images[0][:1])
    sagemaker.delete_endpoint(EndpointName=endpoint)
    for _ in range(500):  # its thread has still to hear of it
        try:
            predict(runtime, endpoint, images[0][:1])
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationError" and f"Endpoint {endpoint} of account" in str(error)
            break
        time.sleep(0.01)
    else:
        raise AssertionError("a deleted endpoint answers")
    hosting.assert_gone(endpoint)


def test_other_forms_of_bodies(runtime, endpoint, images):
    body = "\n".join(json.dumps(image) for image in images[0][:2]).encode()
    reply = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/jsonlines", Accept="application/jsonlines", Body=body)
    assert near(json.loads(reply["Body"].read())["predictions"], images[1][:2])
    assert reply["ContentType"] == "application/jsonlines"


def test_metrics_and_logs(boto, server, runtime, hosting, images):
    endpoint = hosting.create()
    for _ in range(3):
        predict(runtime, endpoint, images[0][:1])
    refusal(runtime.invoke_endpoint, EndpointName=endpoint, ContentType="application/json", Body=b"{")
    cloudwatch, logs = boto("cloudwatch"), boto("logs")
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]

    def total(metric, statistic="Sum"):
        now = time.time()
        points = cloudwatch.get_metric_statistics(Namespace="AWS/SageMaker", MetricName=metric, Dimensions=dimensions, Period=60,
                                                  StartTime=now - 600, EndTime=now + 60, Statistics=[statistic])["Datapoints"]
        return sum(point[statistic] for point in points)

    deadline = time.monotonic() + 10
    while total("Invocations") < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert total("Invocations") == total("InvocationsPerInstance") == 4
    assert total("Invocation4XXErrors") == total("InvocationModelErrors") == 1 and total("Invocation5XXErrors") == 0
    assert total("ModelLatency", "SampleCount") == total("OverheadLatency", "SampleCount") == 4
    assert 0 < total("ModelLatency") < 60e6
    streams = logs.describe_log_streams(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}", logStreamNamePrefix="AllTraffic/")["logStreams"]
    assert len(streams) == 1
    events = logs.filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}", logStreamNamePrefix="AllTraffic/")["events"]
    assert any("available" in event["message"] for event in events), events
    hosting.delete(endpoint)


def test_what_instances_use(boto, runtime, hosting, images):
    endpoint = hosting.create({"InitialInstanceCount": 2})
    cloudwatch, begin = boto("cloudwatch"), time.time()
    with Load(runtime, endpoint, images[0][0], clients=2) as load:
        found, deadline = [], time.monotonic() + 30
        while not found and time.monotonic() < deadline:
            time.sleep(0.2)
            found = cloudwatch.list_metrics(Namespace="/aws/sagemaker/Endpoints",
                                            Dimensions=[{"Name": "EndpointName", "Value": endpoint}])["Metrics"]
    assert load.failures == []
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]
    assert sorted(each["MetricName"] for each in found) == ["CPUUtilization", "DiskUtilization", "MemoryUtilization"]
    for each in found:
        assert sorted(each["Dimensions"], key=lambda one: one["Name"]) == dimensions
        points = cloudwatch.get_metric_statistics(
            Namespace="/aws/sagemaker/Endpoints", MetricName=each["MetricName"], Dimensions=dimensions, Period=60, StartTime=begin - 60,
            EndTime=time.time() + 60, Statistics=["SampleCount", "Minimum", "Maximum"], Unit="Percent")["Datapoints"]
        assert sum(point["SampleCount"] for point in points) == 2  # one an instance
        most = 100 * os.cpu_count() + 5 if each["MetricName"] == "CPUUtilization" else 100
        assert all(0 < point["Minimum"] <= point["Maximum"] <= most for point in points), (each, points)
    hosting.delete(endpoint)


def test_requests_that_find_no_instance_are_errors(boto, hosting, images):
    """The only instance is killed, and each that follows, for the 30 seconds that a request waits."""
    endpoint = hosting.create()
    stop = threading.Event()

    def kill():
        for process in hosting.processes(endpoint):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def keep_down():
        while not stop.is_set():
            kill()
            time.sleep(0.01)

    patient = boto("sagemaker-runtime", config=botocore.config.Config(retries={"max_attempts": 0}, read_timeout=90))
    thread = threading.Thread(target=keep_down)
    kill()
    thread.start()
    try:
        assert refusal(patient.invoke_endpoint, EndpointName=endpoint, ContentType="application/json",
                       Body=json.dumps(images[0][:1])).startswith(f"ServiceUnavailable: Endpoint {endpoint} has no instance that serves")
    finally:
        stop.set()
        thread.join()
    cloudwatch, now = boto("cloudwatch"), time.time()

    def total(metric):
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker", MetricName=metric, Period=60, StartTime=now - 600, EndTime=now + 60, Statistics=["Sum"],
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}])["Datapoints"]
        return sum(point["Sum"] for point in points)

    deadline = time.monotonic() + 10
    while total("Invocations") < 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [total(metric) for metric in ("Invocations", "Invocation5XXErrors", "InvocationModelErrors", "Invocation4XXErrors")] == [1, 1, 1, 0]
    hosting.delete(endpoint)


def test_variants_share_by_weight(hosting, runtime, sagemaker, images):
    endpoint = hosting.create({"VariantName": "a", "InitialVariantWeight": 3}, {"VariantName": "b", "InitialVariantWeight": 1})
    ask = lambda **more: predict(runtime, endpoint, images[0][:1], **more)[1]["InvokedProductionVariant"]  # noqa: E731
    answered = [ask() for _ in range(40)]
    assert 28 <= answered.count("a") <= 32
    assert ask(TargetVariant="b") == "b"
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[
        {"VariantName": "a", "DesiredWeight": 0}, {"VariantName": "b", "DesiredInstanceCount": 2}])
    described = hosting.wait(endpoint)
    assert [(variant["CurrentWeight"], variant["CurrentInstanceCount"]) for variant in described["ProductionVariants"]] == [(0, 1), (1, 2)]
    assert {ask() for _ in range(10)} == {"b"}
    assert len(hosting.processes(endpoint)) == 3
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[
        {"VariantName": "b", "DesiredInstanceCount": 1}])
    hosting.wait(endpoint)
    hosting.await_processes(endpoint, 2)
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)


@pytest.mark.parametrize("strategy", ["RANDOM", "LEAST_OUTSTANDING_REQUESTS"])
def test_a_routing_strategy_is_kept_and_in_force(hosting, runtime, sagemaker, images, strategy):
    """One of two instances is stopped. By load the other one answers on; at random all clients soon wait for the one that
    is stopped, until somebody notices that it hangs, which takes more than four seconds."""
    routing = {"RoutingStrategy": strategy}
    config = hosting.config({"InitialInstanceCount": 2, "RoutingConfig": routing})
    assert sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]["RoutingConfig"] == routing
    endpoint = name()
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    assert hosting.wait(endpoint)["ProductionVariants"][0]["RoutingConfig"] == routing
    with Load(runtime, endpoint, images[0][0], clients=8) as load:
        os.kill(hosting.processes(endpoint)[0], signal.SIGSTOP)
        begin, before = time.monotonic(), load.answers
        last, still_since = before, begin
        while time.monotonic() < begin + 4 and time.monotonic() < still_since + 0.5 and load.answers < before + 2000:
            time.sleep(0.01)
            if load.answers != last:
                last, still_since = load.answers, time.monotonic()
        stands_still = time.monotonic() >= still_since + 0.5
        for process in hosting.processes(endpoint):
            os.kill(process, signal.SIGCONT)
    assert load.failures == [] and stands_still == (strategy == "RANDOM"), (before, last)
    hosting.delete(endpoint)


# ---- updates and crashes

def test_an_update_under_load_fails_no_request(hosting, runtime, sagemaker, images):
    endpoint = hosting.create()
    with Load(runtime, endpoint, images[0][0]) as load:
        for key in ("servo.tar.gz", "cnn.tar.gz"):
            before = load.answers
            sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=hosting.config({"InitialInstanceCount": 2}, key=key))
            assert hosting.describe(endpoint)["EndpointStatus"] in ("Updating", "InService")
            hosting.wait(endpoint)
            while load.answers < before + 50:
                time.sleep(0.01)
    assert load.failures == [] and load.answers > 100
    hosting.await_processes(endpoint, 2)
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)


def test_an_update_that_cannot_serve_goes_back(hosting, runtime, sagemaker, images):
    endpoint = hosting.create()
    before = hosting.describe(endpoint)["EndpointConfigName"]
    with Load(runtime, endpoint, images[0][0], clients=2) as load:
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=hosting.config(key="broken.tar.gz"))
        described = hosting.wait(endpoint)
    assert "ping health check" in described["FailureReason"] and described["EndpointConfigName"] == before
    assert load.failures == []
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=hosting.config())
    assert "FailureReason" not in hosting.wait(endpoint)
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)


def test_a_killed_model_server_is_started_again_and_its_requests_are_asked_again(hosting, runtime, images):
    endpoint = hosting.create()
    with Load(runtime, endpoint, images[0][0], clients=3) as load:
        for _ in range(3):
            while not hosting.processes(endpoint):
                time.sleep(0.01)
            before = load.answers
            for process in hosting.processes(endpoint):
                os.kill(process, signal.SIGKILL)
            while load.answers < before + 20 and not load.failures:
                time.sleep(0.01)
    assert load.failures == []
    assert hosting.describe(endpoint)["EndpointStatus"] == "InService"
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)


def test_a_model_server_that_hangs_is_replaced(hosting, runtime, images):
    endpoint = hosting.create()
    hung = hosting.processes(endpoint)
    assert len(hung) == 1
    os.kill(hung[0], signal.SIGSTOP)
    deadline = time.monotonic() + 40
    while hosting.processes(endpoint) in (hung, []) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert hosting.processes(endpoint) not in (hung, [])
    assert near(predict(runtime, endpoint, images[0][:1])[0], images[1][:1])
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)


def test_one_that_hangs_keeps_nobody_waiting(hosting):
    """Beside a stopped instance others are started again, and the endpoint can be deleted when all are stopped."""
    endpoint = hosting.create({"VariantName": "a"}, {"VariantName": "b"})
    hung, other = hosting.processes(endpoint)
    os.kill(hung, signal.SIGSTOP)
    for _ in range(5):  # with the pauses between them, until a ping to the one that hangs is on its way
        os.kill(other, signal.SIGKILL)
        deadline, others = time.monotonic() + 30, []
        while others in ([], [other]) and time.monotonic() < deadline:
            time.sleep(0.02)
            others = [process for process in hosting.processes(endpoint) if process != hung]
        assert others not in ([], [other])
        other = others[0]
    for process in hosting.processes(endpoint):
        os.kill(process, signal.SIGSTOP)
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)


def test_capacity_that_does_not_come_up_is_taken_back(hosting, runtime, sagemaker, images):
    endpoint = hosting.create({"InitialVariantWeight": 2})
    files = list(hosting.files(endpoint)[0].rglob("saved_model.pb"))
    assert len(files) == 1
    whole = files[0].read_bytes()
    files[0].write_bytes(b"\x08\x01 no such thing")
    more = lambda: sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[  # noqa: E731
        {"VariantName": "AllTraffic", "DesiredInstanceCount": 2, "DesiredWeight": 1}])
    with Load(runtime, endpoint, images[0][0], clients=2) as load:
        more()
        described = hosting.wait(endpoint)
        before = load.answers
        while load.answers < before + 10 and not load.failures:
            time.sleep(0.01)
    assert load.failures == []
    variant = described["ProductionVariants"][0]
    assert "did not pass the ping health check" in described["FailureReason"]
    assert [variant[which] for which in ("CurrentInstanceCount", "DesiredInstanceCount", "CurrentWeight", "DesiredWeight")] == [1, 1, 2, 2]
    hosting.await_processes(endpoint, 1)
    files[0].write_bytes(whole)
    more()
    described = hosting.wait(endpoint)
    assert "FailureReason" not in described and described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    hosting.await_processes(endpoint, 2)
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)


def test_deletion_in_every_state(hosting, sagemaker):
    creating = hosting.create(wait=None)
    hosting.delete(creating)
    updating = hosting.create()
    sagemaker.update_endpoint(EndpointName=updating, EndpointConfigName=hosting.config(key="servo.tar.gz"))
    assert "Cannot update in-progress endpoint" in refusal(sagemaker.update_endpoint, EndpointName=updating, EndpointConfigName=hosting.config())
    hosting.delete(updating)
    twice = hosting.create()
    sagemaker.delete_endpoint(EndpointName=twice)
    try:
        sagemaker.delete_endpoint(EndpointName=twice)
    except ClientError as error:  # it was that quick
        assert "Could not find endpoint" in str(error)
    for endpoint in (creating, updating, twice):
        hosting.assert_gone(endpoint)


def test_endpoints_come_back_with_the_server(make_server, exported):
    """Stopped, and killed: nothing is left running, and the next start serves again."""
    import boto3
    server = make_server()
    session = boto3.Session(aws_access_key_id=server.environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=server.environment["AWS_SECRET_ACCESS_KEY"], region_name="us-west-2")
    client = lambda service: session.client(service, endpoint_url=server.url)  # noqa: E731
    s3, sagemaker = client("s3"), client("sagemaker")
    s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="models", Key="cnn.tar.gz", Body=archive(tree(exported / "cnn/1", "1/")))
    hosting = Hosting(server, sagemaker, "models")
    endpoint = hosting.create()
    image = read_npy(exported / "cnn/inputs.npy")[:1]
    for end in (server.stop, server.kill):
        port = server.port
        end()
        hosting.await_processes(endpoint, 0)
        server.start(port)
        assert hosting.describe(endpoint)["EndpointStatus"] == "InService"
        assert len(predict(client("sagemaker-runtime"), endpoint, image)[0]) == 1  # waits until the model is there
    hosting.delete(endpoint)
    hosting.assert_gone(endpoint)


def test_creation_is_quick(hosting, sagemaker):
    """No limit is asserted; the time is shown."""
    config = hosting.config()
    times = []
    for _ in range(3):
        endpoint = name()
        begin = time.monotonic()
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        described = hosting.wait(endpoint)
        times.append((described["LastModifiedTime"] - described["CreationTime"]).total_seconds())
        assert time.monotonic() - begin < 30
        hosting.delete(endpoint)
    print("create to InService, seconds:", times)
