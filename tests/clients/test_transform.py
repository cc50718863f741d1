"""Batch transform through boto3 on real models: splits, strategies, filters, joins, failures, stops and a killed server."""
import gzip
import json
import os
import signal
import struct
import time
import uuid

import boto3
import pytest

from test_hosting import (ROLE, Hosting, archive, bucket, exported, hosting, images, name, near, predict, read_npy,  # noqa: F401
                          refusal, runtime, sagemaker, tree)

RESOURCES = {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1}
IMAGE_BYTES = 32 * 32 * 3 * 4


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def tfrecord(data):
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", crc32c(length)) + data + struct.pack("<I", crc32c(data))


def recordio(data):
    return struct.pack("<II", 0xCED7230A, len(data)) + data + bytes(-len(data) % 4)


def flat(values):
    return [number for value in values for number in flat(value)] if isinstance(values, list) else [values]


def csv(image):
    return ",".join(map(repr, flat(image)))


def raw(image):
    return struct.pack(f"<{IMAGE_BYTES // 4}f", *flat(image))


class Transforms:
    """Short ways to run jobs."""

    def __init__(self, sagemaker, s3, bucket, logs):
        self.sagemaker, self.s3, self.bucket, self.logs = sagemaker, s3, bucket, logs

    def put(self, **objects):
        """The prefix below which they lie: {name: bytes}, __ in a name is a dot and ___ a slash."""
        prefix = f"in/{uuid.uuid4().hex}/"
        for key, body in objects.items():
            self.s3.put_object(Bucket=self.bucket, Key=prefix + key.replace("___", "/").replace("__", "."), Body=body)
        return prefix

    def start(self, model, source, kind="application/json", split="None", output=None, uri=None, data_type="S3Prefix", accept=None,
              assemble="None", compression="None", resources=RESOURCES, tags=(), **more):
        job = name("t")
        output = output or f"s3://{self.bucket}/out/{job}"
        arn = self.sagemaker.create_transform_job(
            TransformJobName=job, ModelName=model, TransformResources=resources, Tags=list(tags),
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri or f"s3://{self.bucket}/{source}"}},
                            "ContentType": kind, "SplitType": split, "CompressionType": compression},
            TransformOutput={"S3OutputPath": output, "AssembleWith": assemble, **({"Accept": accept} if accept else {})}, **more)
        assert arn["TransformJobArn"].endswith(f":transform-job/{job}")
        return job

    def describe(self, job):
        return self.sagemaker.describe_transform_job(TransformJobName=job)

    def wait(self, job, wanted="Completed", seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            described = self.describe(job)
            if described["TransformJobStatus"] not in ("InProgress", "Stopping"):
                assert described["TransformJobStatus"] == wanted, described
                return described
            assert time.monotonic() < deadline, described
            time.sleep(0.02)

    def run(self, *arguments, wanted="Completed", **more):
        job = self.start(*arguments, **more)
        return job, self.wait(job, wanted)

    def outputs(self, job):
        """{key behind the job's prefix: bytes}"""
        prefix = f"out/{job}/"
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {entry["Key"][len(prefix):]: self.s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read() for entry in listed}

    def lines(self, job, data):
        group = "/aws/sagemaker/TransformJobs"
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job + "/")["logStreams"]
        return [event["message"] for stream in streams if stream["logStreamName"].endswith("/data-log") == data
                for event in self.logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)["events"]]


@pytest.fixture(scope="module")
def transforms(sagemaker, boto, bucket):  # noqa: F811
    return Transforms(sagemaker, boto("s3"), bucket, boto("logs"))


@pytest.fixture(scope="module")
def model(hosting):  # noqa: F811
    return hosting.model()


def predictions(*outputs):
    """The rows of answers, one after the other."""
    return [row for output in outputs for row in json.loads(output)["predictions"]]


def documents(text):
    """JSON documents one behind the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        found.append(document)
        while at < len(text) and text[at].isspace():
            at += 1
    return found


# ---- the straight line

def test_whole_objects_are_answered_as_an_endpoint_answers(transforms, hosting, runtime, model, images):  # noqa: F811
    body = json.dumps(images[0][:20])
    prefix = transforms.put(a__json=body, deeper___b__json=json.dumps(images[0][20:22]))
    job, described = transforms.run(model, prefix, tags=[{"Key": "Project", "Value": "cifar10"}])
    outputs = transforms.outputs(job)
    assert set(outputs) == {"a.json.out", "deeper/b.json.out"}
    assert near(predictions(outputs["a.json.out"]), images[1][:20]) and near(predictions(outputs["deeper/b.json.out"]), images[1][20:22])
    endpoint = hosting.create()
    assert predictions(outputs["a.json.out"]) == predict(runtime, endpoint, images[0][:20])[0]
    hosting.delete(endpoint)

    assert described["ModelName"] == model and described["TransformResources"] == RESOURCES
    assert described["TransformInput"]["SplitType"] == "None" and described["DataProcessing"]["JoinSource"] == "None"
    assert described["CreationTime"] <= described["TransformStartTime"] <= described["TransformEndTime"]
    assert "FailureReason" not in described
    assert transforms.sagemaker.list_tags(ResourceArn=described["TransformJobArn"])["Tags"] == [{"Key": "Project", "Value": "cifar10"}]
    assert any("available" in line for line in transforms.lines(job, data=False))
    assert "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in transforms.lines(job, data=True)[0]
    listed = transforms.sagemaker.list_transform_jobs(NameContains=job, StatusEquals="Completed")["TransformJobSummaries"]
    assert [entry["TransformJobName"] for entry in listed] == [job] and listed[0]["TransformEndTime"] == described["TransformEndTime"]
    hosting.assert_gone(job)
    assert list((hosting.server.directory / "transforms").glob(f"*/{job}")) == []


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_lines_of_csv_in_order(transforms, model, images, strategy):  # noqa: F811
    """Several requests at a time, several instances: the order of the lines stays."""
    body = "\n".join(csv(image) for image in images[0]) + "\n"
    prefix = transforms.put(images__csv=body)
    job, _ = transforms.run(model, prefix, kind="text/csv", split="Line", assemble="Line", BatchStrategy=strategy, MaxPayloadInMB=1,
                            MaxConcurrentTransforms=8, resources={**RESOURCES, "InstanceCount": 2})
    text = transforms.outputs(job)["images.csv.out"].decode()
    answers = documents(text)
    assert len(answers) == len(images[0]) if strategy == "SingleRecord" else len(answers) < len(images[0]) // 2
    assert near([row for answer in answers for row in answer["predictions"]], images[1])
    assert text.endswith("\n")


@pytest.mark.parametrize("split,frame", [("TFRecord", tfrecord), ("RecordIO", recordio)])
def test_binary_records(transforms, model, images, split, frame):  # noqa: F811
    prefix = transforms.put(records=b"".join(frame(raw(image)) for image in images[0][:10]))
    job, _ = transforms.run(model, prefix, kind="application/octet-stream", accept="application/octet-stream", split=split,
                            BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    output = transforms.outputs(job)["records.out"]
    scores = struct.unpack(f"<{len(output) // 4}f", output)
    assert near([scores[i:i + 10] for i in range(0, len(scores), 10)], images[1][:10])


def test_gzip_and_manifests(transforms, model, images):  # noqa: F811
    prefix = transforms.put(a__gz=gzip.compress(json.dumps(images[0][:2]).encode()), sub___b__gz=gzip.compress(json.dumps(images[0][2:3]).encode()),
                            c__gz=b"is not named")
    manifest = transforms.put(manifest=json.dumps([{"prefix": f"s3://{transforms.bucket}/{prefix}"}, "a.gz", "sub/b.gz"]))
    job, _ = transforms.run(model, manifest + "manifest", compression="Gzip", data_type="ManifestFile")
    outputs = transforms.outputs(job)
    assert set(outputs) == {"a.gz.out", "sub/b.gz.out"}
    assert near(predictions(outputs["a.gz.out"], outputs["sub/b.gz.out"]), images[1][:3])


# ---- filters and joins

def test_csv_is_filtered_and_joined(transforms, model, images):  # noqa: F811
    body = "\n".join(f'"id, {i}",{csv(image)}' for i, image in enumerate(images[0][:8]))
    prefix = transforms.put(x__csv=body)
    job, _ = transforms.run(model, prefix, kind="text/csv", accept="text/csv", split="Line", assemble="Line", MaxPayloadInMB=1,
                            DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-2,-1]"})
    lines = transforms.outputs(job)["x.csv.out"].decode().splitlines()
    assert [line[:len('"id, 0"')] for line in lines] == [f'"id, {i}"' for i in range(8)]
    assert near([list(map(float, line.split('",')[1].split(","))) for line in lines], [row[-2:] for row in images[1][:8]])


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_json_lines_are_filtered_and_joined(transforms, model, images, strategy):  # noqa: F811
    rows = (lambda image: [image]) if strategy == "SingleRecord" else (lambda image: image)  # a line alone is a list of rows
    records = [{"id": i, "image": rows(image), "more": {"a": "b"}} for i, image in enumerate(images[0][:6])]
    prefix = transforms.put(x__jsonl="\n".join(map(json.dumps, records)))
    job, described = transforms.run(model, prefix, kind="application/jsonlines", accept="application/jsonlines", split="Line", assemble="Line",
                                    BatchStrategy=strategy, MaxConcurrentTransforms=2,
                                    DataProcessing={"InputFilter": "$.image", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"})
    found = [json.loads(line) for line in transforms.outputs(job)["x.jsonl.out"].decode().splitlines()]
    assert [record["id"] for record in found] == list(range(6)) and set(found[0]) == {"id", "SageMakerOutput"}
    assert near([record["SageMakerOutput"]["predictions"][0] for record in found], images[1][:6])
    assert described["DataProcessing"]["InputFilter"] == "$.image"


def test_a_json_document_is_joined(transforms, model, images):  # noqa: F811
    prefix = transforms.put(a__json=json.dumps({"data": {"instances": images[0][:3]}, "name": "three"}))
    job, _ = transforms.run(model, prefix, accept="application/json", DataProcessing={"InputFilter": "$.data", "JoinSource": "Input"})
    found = json.loads(transforms.outputs(job)["a.json.out"])
    assert list(found) == ["data", "name", "SageMakerOutput"] and near(found["SageMakerOutput"]["predictions"], images[1][:3])
    job, _ = transforms.run(model, prefix, DataProcessing={"InputFilter": "$.data", "OutputFilter": "$.predictions[0][-1]"})
    assert abs(json.loads(transforms.outputs(job)["a.json.out"]) - images[1][0][-1]) < 1e-4


# ---- failures

def test_a_record_that_fails_is_named_and_other_objects_are_stored(transforms, model, images):  # noqa: F811
    good = [csv(image) for image in images[0][:3]]
    prefix = transforms.put(bad__csv="\n".join([good[0], good[1], "1,2,3", good[2]]), good__csv="\n".join(good))
    job, described = transforms.run(model, prefix, kind="text/csv", split="Line", assemble="Line", BatchStrategy="SingleRecord",
                                    wanted="Failed")
    reason = described["FailureReason"]
    assert reason.startswith(f"ClientError: s3://{transforms.bucket}/{prefix}bad.csv: record 3: Bad HTTP status received from algorithm: 400")
    assert "text/csv: line 1" in reason and reason.endswith("See job logs for more information")
    assert set(transforms.outputs(job)) == {"good.csv.out"}
    assert any(f"{transforms.bucket}/{prefix}bad.csv: ClientError: record 3: " in line for line in transforms.lines(job, data=True))
    listed = transforms.sagemaker.list_transform_jobs(NameContains=job)["TransformJobSummaries"]
    assert listed[0]["FailureReason"] == reason


def test_other_failures(transforms, hosting, model, images):  # noqa: F811
    large = transforms.put(large="x" * (1 << 20) + "y")
    assert "more than MaxPayloadInMB allows" in transforms.run(model, large, MaxPayloadInMB=1, wanted="Failed")[1]["FailureReason"]
    broken = transforms.put(records=tfrecord(raw(images[0][0]))[:-5])
    reason = transforms.run(model, broken, split="TFRecord", kind="application/octet-stream", BatchStrategy="SingleRecord",
                            wanted="Failed")[1]["FailureReason"]
    assert "record 1 at byte 0 is truncated" in reason
    plain = transforms.put(plain=b"no gzip")
    assert "no valid gzip data" in transforms.run(model, plain, compression="Gzip", wanted="Failed")[1]["FailureReason"]
    data = transforms.put(a__json=json.dumps(images[0][:1]))
    reason = transforms.run(hosting.model("broken.tar.gz"), data, wanted="Failed")[1]["FailureReason"]
    assert reason.startswith("AlgorithmError: The model server ended: ")
    reason = transforms.run(model, data, DataProcessing={"OutputFilter": "$.nothing"}, wanted="Failed")[1]["FailureReason"]
    assert "OutputFilter: there is no member 'nothing' in an object" in reason
    job, described = transforms.run(model, data, output="s3://no-such-bucket-anywhere/x", wanted="Failed")
    assert "the bucket 'no-such-bucket-anywhere' does not exist" in described["FailureReason"]


def test_refusals(transforms, sagemaker, model):  # noqa: F811
    prefix = transforms.put(a=b"x")
    start = lambda model=model, source=prefix, **more: refusal(transforms.start, model=model, source=source, **more)  # noqa: E731
    assert "ValidationException: Could not find model \"arn:" in start(model="no-such-model")
    assert "No S3 objects found under S3 URL" in start(source="nothing/here")
    assert "'transformInput.dataSource.s3DataSource.s3DataType'" in start(data_type="AugmentedManifestFile")
    assert "'maxPayloadInMB'" in start(MaxPayloadInMB=101)
    assert "MaxConcurrentTransforms * MaxPayloadInMB must be less than or equal to 100" in start(MaxPayloadInMB=26, MaxConcurrentTransforms=4)
    assert "'dataProcessing.inputFilter'" in start(DataProcessing={"InputFilter": "$..a"})
    assert "'transformInput.contentType'" in start(kind="image/png", DataProcessing={"JoinSource": "Input"})
    assert "'transformOutput.accept'" in start(kind="text/csv", accept="application/json", DataProcessing={"JoinSource": "Input"})
    assert "'dataCaptureConfig'" in start(DataCaptureConfig={"DestinationS3Uri": "s3://x/y"})
    assert start(resources={**RESOURCES, "InstanceCount": 21}).startswith("ResourceLimitExceeded: ")
    for operation in (sagemaker.describe_transform_job, sagemaker.stop_transform_job):
        assert refusal(operation, TransformJobName="none") == "ValidationException: Could not find requested job with name: none"
    job, _ = transforms.run(model, prefix, wanted="Failed")
    assert "ValidationException: The request was rejected because the transform job is in status Failed." in refusal(
        sagemaker.stop_transform_job, TransformJobName=job)
    described = transforms.describe(job)
    again = {key: described[key] for key in ("TransformJobName", "ModelName", "TransformInput", "TransformOutput", "TransformResources")}
    assert "ResourceInUse: Job name must be unique" in refusal(sagemaker.create_transform_job, **again)


# ---- stopping, and the server's end

def many_lines(image, count):
    line = csv(image) + "\n"
    return line * count


def test_stopping(transforms, hosting, model, images):  # noqa: F811
    prefix = transforms.put(a__csv=many_lines(images[0][0], 1500))
    job = transforms.start(model, prefix, kind="text/csv", split="Line", BatchStrategy="SingleRecord")
    while "TransformStartTime" not in transforms.describe(job):
        time.sleep(0.01)
    transforms.sagemaker.stop_transform_job(TransformJobName=job)
    assert transforms.describe(job)["TransformJobStatus"] in ("Stopping", "Stopped")
    described = transforms.wait(job, "Stopped")
    assert described["TransformEndTime"] >= described["TransformStartTime"]
    assert transforms.outputs(job) == {}
    hosting.assert_gone(job)


def test_what_instances_use(transforms, boto, model, images):  # noqa: F811
    """The job is stopped once both of its instances have told: they do after five seconds, whatever a machine does in them."""
    cloudwatch, begin, space = boto("cloudwatch"), time.time(), "/aws/sagemaker/TransformJobs"
    prefix = transforms.put(first__csv=many_lines(images[0][0], 400))
    for i in range(60):
        transforms.s3.copy_object(Bucket=transforms.bucket, Key=f"{prefix}{i}.csv",
                                  CopySource={"Bucket": transforms.bucket, "Key": f"{prefix}first.csv"})
    job = transforms.start(model, prefix, kind="text/csv", split="Line", BatchStrategy="SingleRecord",
                           resources={**RESOURCES, "InstanceCount": 2})
    found = []
    while len(found) < 4:
        assert transforms.describe(job)["TransformJobStatus"] == "InProgress"
        time.sleep(0.1)
        found = [each for each in cloudwatch.list_metrics(Namespace=space)["Metrics"]
                 if each["Dimensions"][0]["Value"].startswith(job + "/")]
    transforms.sagemaker.stop_transform_job(TransformJobName=job)
    transforms.wait(job, "Stopped")

    streams = transforms.logs.describe_log_streams(logGroupName=space, logStreamNamePrefix=job + "/")["logStreams"]
    hosts = {stream["logStreamName"].removesuffix("/data-log").rpartition("-")[0] for stream in streams}
    assert len(hosts) == 2 and all(host.startswith(job + "/i-0") for host in hosts)
    assert all(each["Dimensions"] == [{"Name": "Host", "Value": each["Dimensions"][0]["Value"]}] for each in found)
    assert sorted((each["MetricName"], each["Dimensions"][0]["Value"]) for each in found) == [
        (metric, host) for metric in ("CPUUtilization", "MemoryUtilization") for host in sorted(hosts)]
    for each in found:
        points = cloudwatch.get_metric_statistics(
            **each, Period=60, StartTime=begin - 60, EndTime=time.time() + 60, Statistics=["Minimum", "Maximum"], Unit="Percent")["Datapoints"]
        most = 100 * os.cpu_count() + 5 if each["MetricName"] == "CPUUtilization" else 100
        assert points and all(0 < point["Minimum"] <= point["Maximum"] <= most for point in points), (each, points)


def test_a_killed_model_server_is_asked_again(transforms, hosting, model, images):  # noqa: F811
    prefix = transforms.put(a__csv=many_lines(images[0][0], 600))
    job = transforms.start(model, prefix, kind="text/csv", split="Line", BatchStrategy="SingleRecord", assemble="Line", MaxConcurrentTransforms=2)
    for _ in range(2):
        before = []
        while not before and transforms.describe(job)["TransformJobStatus"] == "InProgress":
            before = hosting.processes(job)
        time.sleep(0.1)
        for process in before:
            os.kill(process, signal.SIGKILL)
        while set(hosting.processes(job)) & set(before):
            time.sleep(0.01)
    transforms.wait(job)
    answers = documents(transforms.outputs(job)["a.csv.out"].decode())
    assert near([answer["predictions"][0] for answer in answers], [images[1][0]] * 600)
    assert any("it is started again" in line for line in transforms.lines(job, data=False))
    hosting.assert_gone(job)


def test_a_killed_server_goes_on(make_server, exported, images):  # noqa: F811
    server = make_server()
    session = boto3.Session(aws_access_key_id=server.environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=server.environment["AWS_SECRET_ACCESS_KEY"], region_name="us-west-2")
    client = lambda service: session.client(service, endpoint_url=server.url)  # noqa: E731
    s3, sagemaker = client("s3"), client("sagemaker")  # noqa: F811
    s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="models", Key="cnn.tar.gz", Body=archive(tree(exported / "cnn/1", "1/")))
    transforms = Transforms(sagemaker, s3, "models", client("logs"))
    hosting = Hosting(server, sagemaker, "models")  # noqa: F811
    prefix = transforms.put(**{f"p{i}__csv": many_lines(images[0][i], 400) for i in range(3)})
    # The outputs come to lie below the inputs: what has come since the start is no input.
    job = transforms.start(hosting.model(), prefix, kind="text/csv", split="Line", BatchStrategy="SingleRecord", assemble="Line",
                           output=f"s3://models/{prefix}")
    listed = lambda: {entry["Key"][len(prefix):] for entry in s3.list_objects_v2(Bucket="models", Prefix=prefix)["Contents"]}  # noqa: E731
    while "p0.csv.out" not in listed():
        time.sleep(0.01)
    first = s3.head_object(Bucket="models", Key=prefix + "p0.csv.out")["LastModified"]
    port = server.port
    server.kill()
    hosting.await_processes(job, 0)
    server.start(port)
    described = transforms.wait(job)
    assert described["TransformStartTime"] < described["TransformEndTime"]
    assert listed() == {f"p{i}.csv{end}" for i in range(3) for end in ("", ".out")}
    for i in range(3):
        answers = documents(s3.get_object(Bucket="models", Key=f"{prefix}p{i}.csv.out")["Body"].read().decode())
        assert near([answer["predictions"][0] for answer in answers], [images[1][i]] * 400)
    assert s3.head_object(Bucket="models", Key=prefix + "p0.csv.out")["LastModified"] == first  # not done twice
    hosting.assert_gone(job)
