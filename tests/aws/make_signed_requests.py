"""Records what botocore signs and sends, as golden vectors for src/aws/botocore_test.cc.

usage: build/venv/boto/bin/python tests/aws/make_signed_requests.py > src/aws/testdata/botocore_requests.json
"""
import base64
import json
import sys
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

KEYS = {"aws_access_key_id": "AKIAGOLDEN", "aws_secret_access_key": "golden/secret+key"}
SESSION = {**KEYS, "aws_access_key_id": "ASIAGOLDEN", "aws_session_token": "token/with+signs=="}
recorded = []


class Raw:
    def stream(self, *_, **__):
        yield b""


def text_of(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def record(name, method, url, headers=(), body=b""):
    parts = urlsplit(url)
    fields = [[text_of(key), text_of(value)] for key, value in headers]
    if not any(key.lower() == "host" for key, _ in fields):
        fields.append(["Host", parts.netloc])
    recorded.append({"name": name, "method": method, "path": parts.path or "/", "query": parts.query,
                     "headers": fields, "body": base64.b64encode(body).decode()})


def call(name, service, operation, arguments, endpoint="http://127.0.0.1:4567", credentials=KEYS, **config):
    client = boto3.client(service, region_name="us-west-2", endpoint_url=endpoint, config=Config(**config), **credentials)

    def capture(request, **_):
        body = request.body
        if body is None:
            body = b""
        elif hasattr(body, "read"):
            body = body.read()
        record(name, request.method, request.url, request.headers.items(), body.encode() if isinstance(body, str) else body)
        return AWSResponse(request.url, 204, {}, Raw())

    client.meta.events.register("before-send", capture)
    try:
        getattr(client, operation)(**arguments)
    except Exception as problem:  # the empty answer may not parse; the request has been recorded
        print(f"{name}: {problem!r}", file=sys.stderr)


def presign(name, operation, arguments, method="GET", credentials=KEYS, headers=(), host="127.0.0.1", **config):
    client = boto3.client("s3", region_name="us-west-2", endpoint_url=f"http://{host}:4567",
                          config=Config(**config), **credentials)
    record(name, method, client.generate_presigned_url(operation, Params=arguments, ExpiresIn=3600), headers)


def main():
    key = "a b/c+d~é/(x)*!'=&?.txt"
    call("sagemaker json", "sagemaker", "describe_training_job", {"TrainingJobName": "job"})
    call("sagemaker json, session", "sagemaker", "describe_training_job", {"TrainingJobName": "job"}, credentials=SESSION)
    call("logs json", "logs", "get_log_events", {"logGroupName": "/aws/g", "logStreamName": "ä"})
    call("cloudwatch json", "cloudwatch", "list_metrics", {"Namespace": "n"})
    call("cloudwatch gzip", "cloudwatch", "put_metric_data",
         {"Namespace": "n", "MetricData": [{"MetricName": "m" * 200, "Value": float(i)} for i in range(100)]})
    call("sts query", "sts", "get_caller_identity", {})
    call("iam query", "iam", "get_role", {"RoleName": "a+b=c,d@e"})
    call("runtime", "sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"[1, 2]", "ContentType": "application/json"})
    for endpoint, kind in (("http://127.0.0.1:4567", "http"), ("https://127.0.0.1:4567", "https")):
        call(f"s3 put, {kind}", "s3", "put_object", {"Bucket": "b", "Key": key, "Body": b"x" * 3000, "Metadata": {"a": " b  c "}},
             endpoint=endpoint)
        call(f"s3 put sha256, {kind}", "s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x" * 3000, "ChecksumAlgorithm": "SHA256"},
             endpoint=endpoint)
        call(f"s3 put gzip, {kind}", "s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x" * 30, "ContentEncoding": "gzip"},
             endpoint=endpoint, credentials=SESSION)
    call("s3 put, nothing extra", "s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"xyz"}, request_checksum_calculation="when_required")
    call("s3 list", "s3", "list_objects_v2", {"Bucket": "b", "Prefix": "a+b/ c%é", "Delimiter": "/", "MaxKeys": 5})
    call("s3 list buckets", "s3", "list_buckets", {})
    call("s3 get", "s3", "get_object", {"Bucket": "b", "Key": key, "Range": "bytes=0-9"})
    call("s3 copy", "s3", "copy_object", {"Bucket": "b", "Key": "k2", "CopySource": {"Bucket": "b", "Key": key}})
    call("s3 delete many", "s3", "delete_objects", {"Bucket": "b", "Delete": {"Objects": [{"Key": key}]}})
    call("s3 part", "s3", "upload_part", {"Bucket": "b", "Key": key, "PartNumber": 1, "UploadId": "u+/=", "Body": b"p" * 100})
    call("s3 complete", "s3", "complete_multipart_upload",
         {"Bucket": "b", "Key": key, "UploadId": "u", "ChecksumCRC32": "AAAAAA==", "ChecksumType": "FULL_OBJECT",
          "MultipartUpload": {"Parts": [{"ETag": '"e"', "PartNumber": 1}]}})
    call("s3 virtual host", "s3", "get_object", {"Bucket": "bucket", "Key": key}, endpoint="http://localhost:4567", s3={"addressing_style": "virtual"})
    for version, kind in (("s3v4", "v4"), ("s3", "v2")):
        options = {"signature_version": version}
        presign(f"presigned get, {kind}", "get_object", {"Bucket": "b", "Key": key}, **options)
        presign(f"presigned get with answers, {kind}", "get_object",
                {"Bucket": "b", "Key": key, "ResponseContentType": "text/plain; x=y", "ResponseContentDisposition": "attachment; filename=\"a b\""}, **options)
        presign(f"presigned session, {kind}", "get_object", {"Bucket": "b", "Key": key}, credentials=SESSION, **options)
        presign(f"presigned part, {kind}", "upload_part", {"Bucket": "b", "Key": key, "PartNumber": 3, "UploadId": "u+/="}, method="PUT", **options)
        presign(f"presigned put, {kind}", "put_object", {"Bucket": "b", "Key": key, "ContentType": "text/plain"}, method="PUT",
                headers=[("Content-Type", "text/plain")], **options)
        presign(f"presigned list, {kind}", "list_objects_v2", {"Bucket": "b", "Prefix": "a+b/ c"}, **options)
    presign("presigned put with metadata, v2", "put_object", {"Bucket": "b", "Key": key, "Metadata": {"a": "b c"}}, method="PUT", signature_version="s3")
    presign("presigned virtual host, v2", "get_object", {"Bucket": "bucket", "Key": key}, host="localhost", signature_version="s3",
            s3={"addressing_style": "virtual"})
    presign("presigned virtual host, v4", "get_object", {"Bucket": "bucket", "Key": key}, host="localhost", signature_version="s3v4",
            s3={"addressing_style": "virtual"})
    json.dump(recorded, sys.stdout, indent=1)
    print()


main()
