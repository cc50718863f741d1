"""Checksums that S3 makes, keeps and wants: by default, of parts, of copies; and conditional completions."""
import base64
import hashlib

import pytest

pytest.importorskip("boto3")
from platform_fixtures import botocore_version  # noqa: E402

MIB = 1 << 20
CONDITIONAL = pytest.mark.skipif(botocore_version() < (1, 36), reason="this client knows no conditional completions and no types of checksums")


@pytest.fixture(scope="module")
def s3(boto):
    return boto("s3")


def sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def start(s3, bucket, bodies, key="k", **more):
    """An upload with its parts: the arguments of what follows, and what completes it."""
    same = {"Bucket": bucket, "Key": key}
    same["UploadId"] = s3.create_multipart_upload(**same, **more)["UploadId"]
    algorithm = {"ChecksumAlgorithm": more["ChecksumAlgorithm"]} if "ChecksumAlgorithm" in more else {}
    parts = []
    for number, body in enumerate(bodies, 1):
        part = s3.upload_part(**same, PartNumber=number, Body=body, **algorithm)
        parts.append({"PartNumber": number, **{name: value for name, value in part.items() if name == "ETag" or name.startswith("Checksum")}})
    return same, parts


def test_composite_checksums_are_kept_by_part(s3, bucket, refusal):
    bodies = [b"a" * (5 * MIB), b"b" * (5 * MIB), b"end"]
    same, parts = start(s3, bucket, bodies, ChecksumAlgorithm="SHA256")
    bare = [{name: part[name] for name in ("PartNumber", "ETag")} for part in parts]
    assert refusal(s3.complete_multipart_upload, **same, MultipartUpload={"Parts": bare}) == "InvalidRequest"
    done = s3.complete_multipart_upload(**same, MultipartUpload={"Parts": parts})
    whole = sha256(b"".join(hashlib.sha256(body).digest() for body in bodies)) + "-3"
    assert done["ChecksumSHA256"] == whole
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumSHA256"] == whole
    for read in (s3.get_object, s3.head_object):
        for number, body in enumerate(bodies, 1):
            told = read(Bucket=bucket, Key="k", PartNumber=number, ChecksumMode="ENABLED")
            assert told["ChecksumSHA256"] == sha256(body) and told["PartsCount"] == 3
    wanted = {"Bucket": bucket, "Key": "k", "ObjectAttributes": ["ObjectParts", "Checksum"]}
    told = s3.get_object_attributes(**wanted)
    assert told["Checksum"]["ChecksumSHA256"] + "-3" == whole  # here without the number
    told = told["ObjectParts"]
    assert told["TotalPartsCount"] == 3 and not told["IsTruncated"]
    assert [(part["PartNumber"], part["Size"], part["ChecksumSHA256"]) for part in told["Parts"]] == \
        [(number, len(body), sha256(body)) for number, body in enumerate(bodies, 1)]
    page = s3.get_object_attributes(**wanted, MaxParts=1, PartNumberMarker=1)["ObjectParts"]
    assert [part["PartNumber"] for part in page["Parts"]] == [2] and page["IsTruncated"] and page["NextPartNumberMarker"] == 2


def test_a_checksum_comes_by_itself(boto, s3, bucket):
    from botocore.config import Config
    quiet = boto("s3", config=Config(request_checksum_calculation="when_required")) if botocore_version() >= (1, 36) else s3
    quiet.put_object(Bucket=bucket, Key="k", Body=b"123456789")
    headers = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-checksum-crc64nvme"] == "rosUhgp5mIg="  # CRC-64/NVME of these digits: AE8B14860A799888
    assert headers["x-amz-checksum-type"] == "FULL_OBJECT"
    same, parts = start(quiet, bucket, [b"a" * (5 * MIB), b"end"], key="m")
    bare = [{name: part[name] for name in ("PartNumber", "ETag")} for part in parts]
    quiet.complete_multipart_upload(**same, MultipartUpload={"Parts": bare})
    headers = s3.head_object(Bucket=bucket, Key="m", ChecksumMode="ENABLED")["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-checksum-type"] == "FULL_OBJECT" and headers["x-amz-checksum-crc64nvme"]
    told = s3.get_object_attributes(Bucket=bucket, Key="m", ObjectAttributes=["ObjectParts"])["ObjectParts"]
    assert told["TotalPartsCount"] == 2 and "Parts" not in told


def test_copies_with_another_checksum(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", ChecksumAlgorithm="SHA256")
    assert copied["CopyObjectResult"]["ChecksumSHA256"] == sha256(b"hello")
    assert s3.head_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")["ChecksumSHA256"] == sha256(b"hello")


@CONDITIONAL
def test_another_write_wins_against_a_conditional_completion(s3, bucket, refusal):
    def complete(upload, **condition):
        same, parts = upload
        return refusal(s3.complete_multipart_upload, **same, MultipartUpload={"Parts": parts}, **condition)

    upload = start(s3, bucket, [b"x"])
    assert complete(upload, IfMatch='"0"') == "NoSuchKey"
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"other")["ETag"]
    assert complete(upload, IfNoneMatch="*") == "PreconditionFailed"
    assert complete(upload, IfMatch='"0"') == "PreconditionFailed"
    assert complete(upload, IfMatch=etag) == "ConditionalRequestConflict"
    s3.delete_object(Bucket=bucket, Key="k")
    assert complete(upload, IfNoneMatch="*") == "ConditionalRequestConflict"
    same, parts = start(s3, bucket, [b"x"])
    s3.complete_multipart_upload(**same, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
