"""Text in header fields, copy sources, dates and listings, as S3 reads and writes them."""
import datetime
import email.header
import urllib.error
import urllib.request

import pytest

pytest.importorskip("boto3")
from s3_signing import Signer, code  # noqa: E402


@pytest.fixture(scope="module")
def s3(boto):
    return boto("s3")


@pytest.fixture(scope="module")
def signer(server):
    return Signer(server.environment)


def decoded(value):
    assert value.isascii()
    return "".join(text.decode(charset or "ascii") if isinstance(text, bytes) else text for text, charset in email.header.decode_header(value))


@pytest.mark.parametrize("value", ["Zürich 東京", "plain ascii", "東" * 60, "=?UTF-8?B?WsO8cmljaA==?="])
def test_metadata(signer, bucket, value):
    assert signer.request("PUT", f"/{bucket}/k", headers=[("x-amz-meta-city", value.encode())], body=b"x")[0] == 200
    for method in ("GET", "HEAD"):
        found = dict((name.lower(), text) for name, text in signer.request(method, f"/{bucket}/k")[1])["x-amz-meta-city"]
        assert decoded(found) == decoded(value) if value.isascii() else decoded(found) == value
        assert not value.isascii() or found == value


def test_other_fields_are_ascii(signer, bucket):
    value = "attachment; filename=Zürich 東京"
    fields = [(name, value.encode()) for name in ("content-disposition", "cache-control", "content-language")]
    assert signer.request("PUT", f"/{bucket}/k", headers=fields, body=b"x")[0] == 200
    found = dict((name.lower(), text) for name, text in signer.request("GET", f"/{bucket}/k")[1])
    for name, _ in fields:
        assert decoded(found[name]) == value


def test_overrides(signer, bucket):
    signer.request("PUT", f"/{bucket}/k", body=b"x")
    status, fields, _ = signer.request("GET", f"/{bucket}/k", query=[("response-content-disposition", "Zürich")])
    assert status == 200 and decoded(dict(fields)["Content-Disposition"]) == "Zürich"
    for value in ("東京", "a\r\nx-evil: 1"):
        assert code(signer.request("GET", f"/{bucket}/k", query=[("response-content-disposition", value)])[2]) == "InvalidArgument"


@pytest.mark.parametrize("name, value", [("x-amz-meta-a\r\nx-evil", "1"), ("x-amz-meta-a", "1\r\nx-evil: 1"), ("x-amz-website-redirect-location", "/\r\nx-evil: 1")])
def test_presigned_parameters_split_no_response(server, signer, bucket, name, value):
    """Of presigned URLs, x-amz-* parameters become header fields: their names and values may hold anything."""
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    request = AWSRequest("PUT", f"{server.url}/{bucket}/k", params={name: value})
    S3SigV4QueryAuth(Credentials(signer.key, signer.secret), "s3", signer.region, expires=60).add_auth(request)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(request.prepare().url, data=b"x", method="PUT", headers={"Content-Type": ""}))
    assert (refused.value.code, code(refused.value.read())) == (400, "InvalidArgument")


def test_copy_sources(signer, bucket):
    for key in ("my%20file.txt", "c%2B%2B", "%25"):
        signer.request("PUT", f"/{bucket}/{key}", body=b"x")
    for source, wanted in ((f"{bucket}/my+file.txt", ""), (f"{bucket}%2Fmy+file.txt", ""), (f"/{bucket}/my%20file.txt", ""),
                           (f"{bucket}/c%2B%2B", ""), (f"{bucket}/c++", "NoSuchKey"), (f"{bucket}/%", "InvalidArgument"), (f"{bucket}/%25", "")):
        assert code(signer.request("PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", source)])[2]) == wanted, source


def test_control_characters_in_keys(signer, s3, bucket):
    key = "a\x01b"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]  # boto3 asks for URL encoding
    assert b"<Key>a&#x1;b</Key>" in signer.request("GET", f"/{bucket}", query=[("list-type", "2")])[2]


def test_dates(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["LastModified"] == modified
    assert s3.list_object_versions(Bucket=bucket)["Versions"][0]["LastModified"] == modified
    future = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    assert s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=future)["Body"].read() == b"x"


def test_copies_onto_themselves(s3, bucket, refusal):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    copy = {"Bucket": bucket, "Key": "k", "CopySource": {"Bucket": bucket, "Key": "k"}}
    assert refusal(s3.copy_object, **copy) == "InvalidRequest"
    s3.copy_object(**copy, StorageClass="STANDARD_IA")
    assert s3.head_object(Bucket=bucket, Key="k")["StorageClass"] == "STANDARD_IA"
    s3.copy_object(**copy, StorageClass="STANDARD")
    s3.copy_object(**copy, MetadataDirective="REPLACE", Metadata={"a": "b"})
    s3.copy_object(**copy, ServerSideEncryption="AES256")
    s3.copy_object(**copy, WebsiteRedirectLocation="/there")
    assert s3.head_object(Bucket=bucket, Key="k")["WebsiteRedirectLocation"] == "/there"
