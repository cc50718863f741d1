"""S3 through boto3 and the AWS CLI, with their defaults."""
import concurrent.futures
import hashlib
import io
import json
import os
import random
import socket
import time
import urllib.error
import urllib.request

import pytest

boto3 = pytest.importorskip("boto3")
from boto3.s3.transfer import TransferConfig  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from platform_fixtures import botocore_version  # noqa: E402

MIB = 1 << 20


@pytest.fixture(scope="module")
def s3(boto):
    return boto("s3")


def code_of(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


def some_bytes(size, seed=1):
    return random.Random(seed).randbytes(size)


class TestBuckets:
    def test_life(self, s3):
        s3.create_bucket(Bucket="life-of-a-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        assert "life-of-a-bucket" in [found["Name"] for found in s3.list_buckets()["Buckets"]]
        assert s3.get_bucket_location(Bucket="life-of-a-bucket")["LocationConstraint"] == "eu-central-1"
        s3.get_waiter("bucket_exists").wait(Bucket="life-of-a-bucket")
        s3.delete_bucket(Bucket="life-of-a-bucket")
        assert code_of(s3.head_bucket, Bucket="life-of-a-bucket") == "404"

    def test_refusals(self, s3, bucket):
        again = {"LocationConstraint": s3.meta.region_name}
        assert code_of(s3.create_bucket, Bucket=bucket, CreateBucketConfiguration=again) == "BucketAlreadyOwnedByYou"
        assert code_of(s3.list_objects_v2, Bucket="absent-bucket") == "NoSuchBucket"
        s3.put_object(Bucket=bucket, Key="k")
        assert code_of(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
        rule = {"ID": "a", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}
        assert code_of(s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration={"Rules": [rule]}) == "NotImplemented"

    def test_versioning_is_refused(self, s3, bucket):
        assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
        assert code_of(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}) == "NotImplemented"

    def test_tags_and_acl(self, s3, bucket):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "1"}]
        s3.delete_bucket_tagging(Bucket=bucket)
        assert code_of(s3.get_bucket_tagging, Bucket=bucket) == "NoSuchTagSet"
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
        assert [grant["Permission"] for grant in s3.get_bucket_acl(Bucket=bucket)["Grants"]] == ["FULL_CONTROL", "READ"]


class TestObjects:
    @pytest.mark.parametrize("size", [0, 1, 4096, 256 << 10, (256 << 10) + 1, 5 * MIB + 3])
    def test_round_trip(self, s3, bucket, size):
        body = some_bytes(size)
        put = s3.put_object(Bucket=bucket, Key="k", Body=body)
        assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        if botocore_version() >= (1, 36):
            assert put["ChecksumCRC32"]
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
        assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == size

    @pytest.mark.parametrize("key", ["a b/c+d.txt", "ä/ö?&=#%", "a//b/", "~!*'()", "日本語/\U0001f600", ".", "a/../b", "k" * 1024])
    def test_keys(self, s3, bucket, key):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
        assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
        assert code_of(s3.get_object, Bucket=bucket, Key=key) == "NoSuchKey"

    @pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
    def test_checksums(self, s3, bucket, algorithm):
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert head["Checksum" + algorithm] == put["Checksum" + algorithm]
        assert s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["Body"].read() == b"hello"
        wrong = {"Checksum" + algorithm: "A" * len(put["Checksum" + algorithm].rstrip("=")) + "=" * put["Checksum" + algorithm].count("=")}
        assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"hello", **wrong) == "BadDigest"

    def test_what_is_kept_with_it(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="a/b", CacheControl="no-store", ContentEncoding="gzip",
                      ContentDisposition="attachment", Metadata={"colour": "blue"}, Tagging="a=1&b=2")
        got = s3.get_object(Bucket=bucket, Key="k")
        assert (got["ContentType"], got["CacheControl"], got["ContentEncoding"]) == ("a/b", "no-store", "gzip")
        assert got["Metadata"] == {"colour": "blue"} and got["TagCount"] == 2
        assert len(s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]) == 2
        attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag", "ObjectSize"])
        assert attributes["ObjectSize"] == 1

    def test_ranges_and_conditions(self, s3, bucket):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]
        assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=2-4")["Body"].read() == b"234"
        assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=-3", IfMatch=etag)["Body"].read() == b"789"
        assert code_of(s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-") == "InvalidRange"
        assert code_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == "304"
        assert code_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"0"') == "PreconditionFailed"

    @pytest.mark.skipif(botocore_version() < (1, 35), reason="this client knows no conditional writes")
    def test_conditional_writes(self, s3, bucket):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]
        assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"y", IfNoneMatch="*") == "PreconditionFailed"
        s3.put_object(Bucket=bucket, Key="k", Body=b"y", IfMatch=etag)

    @pytest.mark.skipif(botocore_version() < (1, 35), reason="this client knows no conditional writes")
    def test_only_one_of_many_writers_is_first(self, s3, bucket):
        def write(n):
            try:
                s3.put_object(Bucket=bucket, Key="lock", Body=str(n).encode(), IfNoneMatch="*")
                return 1
            except ClientError as refused:
                assert refused.response["Error"]["Code"] == "PreconditionFailed"
                return 0
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(write, range(24))) == 1

    @pytest.mark.skipif(botocore_version() < (1, 36), reason="this client sends trailers over TLS only")
    def test_chunked_with_trailer(self, s3, bucket):
        """What clients send over TLS: aws-chunked, the checksum behind the bytes; here over plain HTTP, unsigned."""
        body = some_bytes(3 * MIB)
        unsigned = boto3.client("s3", config=Config(s3={"payload_signing_enabled": False}))
        unsigned.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(body), ContentEncoding="gzip")
        got = s3.get_object(Bucket=bucket, Key="k")
        assert got["Body"].read() == body and got["ContentEncoding"] == "gzip"

    def test_virtual_host_style(self, server, s3, bucket, monkeypatch):
        lookup = socket.getaddrinfo  # not every resolver knows the names below localhost
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: lookup("127.0.0.1", *more, **named))
        virtual = boto3.client("s3", endpoint_url=f"http://localhost:{server.port}",
                               config=Config(s3={"addressing_style": "virtual"}))
        virtual.put_object(Bucket=bucket, Key="a/k", Body=b"x")
        assert s3.get_object(Bucket=bucket, Key="a/k")["Body"].read() == b"x"


class TestListing:
    @pytest.fixture(scope="class")
    @classmethod
    def bucket(cls, s3, boto_resource):
        s3.create_bucket(Bucket="listing", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        yield "listing"
        boto_resource("s3").Bucket("listing").objects.delete()

    @pytest.fixture(scope="class")
    @classmethod
    def keys(cls, s3, bucket):
        keys = sorted([f"d{n % 9}/{n:04}" for n in range(1200)] + ["top", "a b", "ä"])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: s3.put_object(Bucket=bucket, Key=key), keys))
        return keys

    def test_pages(self, s3, bucket, keys):
        for operation in ("list_objects_v2", "list_objects", "list_object_versions"):
            entries = []
            for page in s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 500}):
                entries += [entry["Key"] for entry in page.get("Contents", page.get("Versions", []))]
            assert entries == keys, operation

    def test_folders(self, s3, bucket, keys):
        for operation in ("list_objects_v2", "list_objects"):
            pages = s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 4})
            prefixes, entries = [], []
            for page in pages:
                prefixes += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
                entries += [found["Key"] for found in page.get("Contents", [])]
            assert prefixes == [f"d{n}/" for n in range(9)]
            assert entries == ["a b", "top", "ä"]
        assert s3.list_objects_v2(Bucket=bucket, Prefix="d3/", StartAfter="d3/0500")["KeyCount"] > 0

    def test_delete_many(self, s3, bucket, keys):
        gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys[:1000]]})
        assert len(gone["Deleted"]) == 1000 and "Errors" not in gone
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == len(keys) - 1000


class TestTransfers:
    def test_upload_and_download_files(self, s3, bucket, tmp_path):
        body = some_bytes(40 * MIB + 17)
        (tmp_path / "file").write_bytes(body)
        s3.upload_file(str(tmp_path / "file"), bucket, "big", ExtraArgs={"ContentType": "a/b"})
        head = s3.head_object(Bucket=bucket, Key="big")
        assert head["ETag"].endswith('-6"') and head["ContentType"] == "a/b" and head["ContentLength"] == len(body)
        s3.download_file(bucket, "big", str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == body
        s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy")
        buffer = io.BytesIO()
        s3.download_fileobj(bucket, "copy", buffer, Config=TransferConfig(use_threads=False))
        assert buffer.getvalue() == body

    def test_parts(self, s3, bucket):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32")["UploadId"]
        same = {"Bucket": bucket, "Key": "k", "UploadId": upload}
        first, last = some_bytes(5 * MIB), b"end"
        parts = []
        for number, body in ((2, last), (1, first)):
            put = s3.upload_part(**same, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32")
            parts.insert(0, {"PartNumber": number, "ETag": put["ETag"], "ChecksumCRC32": put["ChecksumCRC32"]})
        assert [part["PartNumber"] for part in s3.list_parts(**same)["Parts"]] == [1, 2]
        assert [found["UploadId"] for found in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
        wrong = {"Parts": list(reversed(parts))}
        assert code_of(s3.complete_multipart_upload, **same, MultipartUpload=wrong) == "InvalidPartOrder"
        done = s3.complete_multipart_upload(**same, MultipartUpload={"Parts": parts})
        assert done["ChecksumCRC32"].endswith("-2")
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == first + last
        assert s3.get_object(Bucket=bucket, Key="k", PartNumber=2)["Body"].read() == last
        assert code_of(s3.abort_multipart_upload, **same) == "NoSuchUpload"

    @pytest.mark.parametrize("signature", ["s3", "s3v4"])
    def test_presigned(self, boto, bucket, signature):
        signer = boto("s3", config=Config(signature_version=signature))
        url = signer.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b"})
        urllib.request.urlopen(urllib.request.Request(url, data=b"hello", method="PUT", headers={"Content-Type": ""}))
        url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"})
        assert urllib.request.urlopen(url).read() == b"hello"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url.replace("a%20b", "other"))
        assert refused.value.code == 403


class TestPrincipals:
    @pytest.fixture(scope="class")
    @classmethod
    def bob(cls, server, boto):
        made = server.headrace("keys", "create", f"bob{random.randrange(10 ** 9)}", "--data-dir", server.directory, "-o", "json")
        key = json.loads(made.stdout)
        return boto("s3", aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"],
                    aws_session_token=None)

    def test_each_sees_its_own(self, s3, bob, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        assert bob.list_buckets()["Buckets"] == []
        assert code_of(bob.get_object, Bucket=bucket, Key="k") == "AccessDenied"
        assert code_of(bob.put_object, Bucket=bucket, Key="k", Body=b"y") == "AccessDenied"
        assert code_of(bob.list_objects_v2, Bucket=bucket) == "AccessDenied"
        assert code_of(bob.create_bucket, Bucket=bucket,
                       CreateBucketConfiguration={"LocationConstraint": "us-west-2"}) == "BucketAlreadyExists"

    def test_acls_and_policies_let_in(self, s3, bob, bucket):
        s3.put_object(Bucket=bucket, Key="open", Body=b"x", ACL="public-read")
        assert bob.get_object(Bucket=bucket, Key="open")["Body"].read() == b"x"
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:PutObject"],
                                                          "Resource": f"arn:aws:s3:::{bucket}/inbox/*"}]}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy
        bob.put_object(Bucket=bucket, Key="inbox/k", Body=b"y")
        assert code_of(bob.put_object, Bucket=bucket, Key="k", Body=b"y") == "AccessDenied"
        assert s3.get_object(Bucket=bucket, Key="inbox/k")["Body"].read() == b"y"


class TestCli:
    def test_a_folders_life(self, aws, tmp_path):
        name = f"s3://cli-{random.randrange(10 ** 12)}"
        source, target = tmp_path / "source", tmp_path / "target"
        for path, size in (("a.txt", 10), ("sub/b c.bin", 9 * MIB), ("sub/ä", 0)):
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes(some_bytes(size))
        aws("s3", "mb", name)
        assert name.removeprefix("s3://") in aws("s3", "ls")
        aws("s3", "sync", source, name + "/data")
        assert "b c.bin" in aws("s3", "ls", name, "--recursive")
        aws("s3", "sync", name + "/data", target)
        for path in ("a.txt", "sub/b c.bin", "sub/ä"):
            assert (target / path).read_bytes() == (source / path).read_bytes()
        assert "upload" not in aws("s3", "sync", source, name + "/data")  # nothing is new
        aws("s3", "mv", name + "/data/a.txt", name + "/moved.txt")
        aws("s3", "cp", name + "/moved.txt", tmp_path / "moved")
        assert (tmp_path / "moved").read_bytes() == (source / "a.txt").read_bytes()
        url = aws("s3", "presign", name + "/moved.txt").strip()
        assert urllib.request.urlopen(url).read() == (source / "a.txt").read_bytes()
        aws("s3", "rm", name, "--recursive")
        assert aws("s3", "ls", name) == ""
        aws("s3", "rb", name)

    def test_s3api(self, aws, tmp_path):
        name = f"cli-{random.randrange(10 ** 12)}"
        aws("s3api", "create-bucket", "--bucket", name, "--create-bucket-configuration", "LocationConstraint=us-west-2")
        (tmp_path / "f").write_bytes(b"hello")
        put = json.loads(aws("s3api", "put-object", "--bucket", name, "--key", "k", "--body", tmp_path / "f"))
        assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
        assert json.loads(aws("s3api", "head-object", "--bucket", name, "--key", "k"))["ContentLength"] == 5
        aws("s3api", "delete-object", "--bucket", name, "--key", "k")
        refused = aws("s3api", "get-object", "--bucket", name, "--key", "k", tmp_path / "g", check=False)
        assert "NoSuchKey" in refused.stderr
        aws("s3", "rb", f"s3://{name}")


def memory_of(process):
    """Resident set and its peak, in MiB, of the running process."""
    lines = open(f"/proc/{process.pid}/status").read().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))}


def test_memory_does_not_grow_with_the_object(make_server, tmp_path):
    server = make_server()
    environment = server.environment
    s3 = boto3.client("s3", endpoint_url=server.url, aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                      aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"], region_name="us-west-2")
    s3.create_bucket(Bucket="memory", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="memory", Key="warm", Body=some_bytes(MIB))
    before = memory_of(server.process)["VmHWM"]
    size = 256 * MIB
    with open(tmp_path / "large", "wb") as large:
        for _ in range(size // MIB):
            large.write(b"x" * MIB)
    with open(tmp_path / "large", "rb") as large:
        s3.put_object(Bucket="memory", Key="large", Body=large)
    body = s3.get_object(Bucket="memory", Key="large")["Body"]
    assert sum(len(piece) for piece in body.iter_chunks(MIB)) == size
    assert memory_of(server.process)["VmHWM"] - before < 32


def test_acknowledged_objects_survive_kill_9(make_server):
    server = make_server()
    environment = server.environment

    def client():
        return boto3.client("s3", endpoint_url=server.url, aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"], region_name="us-west-2",
                            config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=10))
    client().create_bucket(Bucket="crash", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    acknowledged, serial = {}, 0
    for life in (0.2, 0.5, 0.35):
        s3, ends = client(), time.monotonic() + life

        def write(n):
            body = some_bytes(n * 7919 % 300_000, n)
            try:
                s3.put_object(Bucket="crash", Key=f"k{n}", Body=body)
                return n, hashlib.md5(body).hexdigest()
            except Exception:
                return None
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            running = []
            while time.monotonic() < ends:
                running.append(pool.submit(write, serial))
                serial += 1
                time.sleep(0.004)
            server.kill()
            acknowledged.update(filter(None, (done.result() for done in running)))
        server.start()
    assert acknowledged
    s3 = client()
    for n, digest in acknowledged.items():
        assert hashlib.md5(s3.get_object(Bucket="crash", Key=f"k{n}")["Body"].read()).hexdigest() == digest
