"""Two hundred requests that are wrong, with the status each must get. The model is the example's CNN: one float32 input
`image` of shape (None, 32, 32, 3), one output `scores`."""

import gzip
import io
import json

import numpy as np

PREDICT = "/v1/models/m:predict"
NPY = {"Content-Type": "application/x-npy"}
RAW = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def nested(value, *shape):
    for size in reversed(shape):
        value = [value] * size
    return value


IMAGE = nested(0, 32, 32, 3)


def requests():
    """(method, path, headers, body, status)"""
    post = lambda path, body, status, headers=JSON: ("POST", path, headers, body, status)
    body = lambda value: json.dumps(value).encode()
    good = body({"instances": [IMAGE]})

    # Paths that are none, and models, versions, labels and signatures that are not there.
    for path in ["/v1/models/m:fly", "/v1/models/m", "/v1/models/m/", "/v1/models/:predict", "/v1/models/m/versions/x:predict",
                 "/v1/models/m/versions/-1:predict", "/v1/models/m/versions/:predict", "/v1/models/m/labels/:predict",
                 "/v1/models/m/versions/99999999999999999999:predict", "/v1/", "/v1/models", "/v1/m:predict", "/v1/models//:predict",
                 "/v1/models/m/versions/1", "/v1/models/m/metadata", "/v1/models/m:predict:predict", "/v1/models/m/labels/a/b:predict"]:
        yield post(path, good, 400)
    for path in ["/", "/predict", "/invocation", "/models/m:predict", "/v2/models/m:predict", "/ping", "/metrics", "/%2e%2e/etc/passwd"]:
        yield post(path, good, 404)
    for path in ["/v1/models/nobody:predict", "/v1/models/M:predict", "/v1/models/m/versions/77:predict", "/v1/models/%00:predict",
                 "/v1/models/m%2F1:predict", "/v1/models/" + "n" * 3000 + ":predict", "/v1/models/..:predict"]:
        yield post(path, good, 404)
    for path in ["/v1/models/m/labels/stable:predict", "/v1/models/m/labels/%20:predict"]:
        yield post(path, good, 400)
    for path in ["/v1/models/nobody", "/v1/models/nobody/metadata", "/v1/models/m/versions/9", "/v1/models/m/versions/9/metadata", "/nothing"]:
        yield ("GET", path, {}, None, 404)
    for path in ["/v1/models/m:predict", "/v1/models/m/metadatas", "/v1/models/m/versions/x", "/v1/nothing"]:
        yield ("GET", path, {}, None, 400)
    for method in ["PUT", "DELETE", "PATCH"]:
        yield (method, PREDICT, JSON, good, 400)
    for name in ["no", "\u0000", "serving_default ", 5, None, ["serving_default"], {"a": 1}]:
        yield post(PREDICT, body({"signature_name": name, "instances": [IMAGE]}), 400)

    # No JSON, or not enough of it.
    for text in [b"", b" ", b"\n", b"{", b"}", b"[", b"]", b"null", b"true", b"1", b'"x"', b"[]", b"[1]", b"nul", b"{]", b"{}", b'{"a"}',
                 b'{"instances"}', b'{"instances":}', b'{"instances":[}', b'{"instances":[[', b'{"instances" [1]}', b"\xff\xfe", b"\x00",
                 b'{"instances": [\x00]}', b"{'instances': [1]}", b'{"inst', b"\xef\xbb\xbf", b'{"instances":[1,]}', b'{"instances":[,1]}',
                 b'{"\xff": 1}', b'{"instances": "\xc3\x28"}', b"<xml/>", b"-", b"NaN", b'{"instances": [tru]}', b'{"instances": [nulll]}',
                 b'{"instances": [0x10]}', b'{"instances": [01]}', b'{"instances": [1.]}', b'{"instances": [.5]}', b'{"instances": [1e]}',
                 b'{"instances": [+1]}', b'{"instances": [--1]}', b'{"instances": [Infinit]}', b'{"instances": [nan]}']:
        yield post(PREDICT, text, 400)
    yield post(PREDICT, good[: len(good) // 2], 400)
    yield post(PREDICT, good[:-2], 400)
    yield post(PREDICT, b"[" * 100000, 400)
    yield post(PREDICT, b'{"instances":' + b"[" * 100000 + b"]" * 100000 + b"}", 400)
    yield post(PREDICT, b'{"a":' * 2000 + b"1" + b"}" * 2000, 400)

    # JSON of other forms than the model's.
    for value in [{"instance": [IMAGE]}, {"Instances": [IMAGE]}, {"instances": None}, {"instances": {}}, {"instances": 1}, {"instances": "x"},
                  {"instances": []}, {"instances": [[]]}, {"instances": [None]}, {"instances": [1]}, {"instances": ["x"]}, {"instances": [{}]},
                  {"instances": [True]}, {"instances": IMAGE}, {"instances": [[IMAGE]]}, {"instances": [IMAGE, []]}, {"instances": [IMAGE, 1]},
                  {"instances": [IMAGE, {"image": IMAGE, "more": 1}]}, {"instances": [{"picture": IMAGE}]}, {"instances": [{"image": 1}]},
                  {"instances": [{"image": {"b64": ""}}]}, {"instances": [{"image": {"b64": "AAAA"}}]}, {"instances": [{"image": {"b64": "*"}}]},
                  {"instances": [{"image": {"b64": 5}}]}, {"instances": [{"image": {"b65": "AAAA"}}]}, {"instances": [{"b64": "AAAA"}]},
                  {"instances": [{"b64": None}]}, {"instances": [{"image": {}}]}, {"instances": [{"image": IMAGE, "b64": "AAAA"}]},
                  {"inputs": None}, {"inputs": 1}, {"inputs": []}, {"inputs": {}}, {"inputs": "x"}, {"inputs": IMAGE}, {"inputs": {"image": []}},
                  {"inputs": {"image": IMAGE}}, {"inputs": {"image": [IMAGE, 1]}}, {"inputs": {"picture": [IMAGE]}}, {"inputs": [[[[1]]]]},
                  {"inputs": [IMAGE], "instances": [IMAGE]}, {"instances": [IMAGE], "inputs": None},
                  {"instances": [nested(0, 32, 32, 4)]}, {"instances": [nested(0, 32, 32, 2)]}, {"instances": [nested(0, 31, 32, 3)]},
                  {"instances": [nested(0, 33, 32, 3)]}, {"instances": [nested(0, 32, 32)]}, {"instances": [nested(0, 3072)]},
                  {"instances": [nested(0, 3, 32, 32)]}, {"instances": [nested("0", 32, 32, 3)]}, {"instances": [nested(None, 32, 32, 3)]},
                  {"instances": [nested(True, 32, 32, 3)]}, {"instances": [nested({}, 32, 32, 3)]}, {"instances": [nested([], 32, 32, 3)]}]:
        yield post(PREDICT, body(value), 400)
    ragged = nested(0, 32, 32, 3)
    ragged[31] = nested(0, 32, 2)
    yield post(PREDICT, body({"instances": [ragged]}), 400)

    # classify and regress.
    for method in ["classify", "regress"]:
        for value in [{}, {"examples": []}, {"examples": 1}, {"examples": [1]}, {"examples": [{}]}, {"examples": [{"x": 1}]}, {"instances": [IMAGE]}]:
            yield post(f"/v1/models/m:{method}", body(value), 400)
    yield post("/v1/models/m:regress", body({"examples": [{"image": IMAGE}]}), 400)

    # .npy and raw tensors.
    image = np.zeros((1, 32, 32, 3), np.float32)
    whole = npy(image)
    for array in [image[:0], image[0, 0], image.reshape(1, 3, 32, 32), np.zeros((1, 32, 32, 4), np.float32), np.asfortranarray(np.zeros((2, 32, 32, 4), np.float32)),
                  image.astype(np.complex64), image.astype(">c8"), image.astype("S4"), np.zeros((1, 3072), np.float32), np.zeros((), np.float32)]:
        yield post(PREDICT, npy(array), 400, NPY)
    for text in [b"", b"x", b"\x93NUMPY", whole[:9], whole[:20], whole[:127], whole[:-1], whole + b"x", whole.replace(b"32", b"99"),
                 whole.replace(b"False", b"Maybe"), whole.replace(b"'shape'", b"'shade'"), whole.replace(b"(1,", b"(-1"), b"\x93NUMPY\x09" + whole[7:],
                 whole.replace(b"<f4", b"|O8"), good]:
        yield post(PREDICT, text, 400, NPY)
    for text in [b"", b"x", b"\x00" * 12287, b"\x00" * 12289]:
        yield post(PREDICT, text, 400, RAW)

    # Encodings.
    for encoding, text in [("gzip", good), ("gzip", gzip.compress(good)[:-20]), ("gzip", b""), ("br", good), ("deflate", good), ("gzip", b"\x1f\x8b"), ("x", good)]:
        yield post(PREDICT, text, 400, {**JSON, "Content-Encoding": encoding})
    yield post(PREDICT, gzip.compress(b" " * (80 << 20)), 413, {**JSON, "Content-Encoding": "gzip"})
    yield post(PREDICT, b" " * (33 << 20), 413)

    # SageMaker's side.
    for kind in ["text/plain", "image/png", "application/xml", "", "application/x-www-form-urlencoded", "json"]:
        yield post("/invocations", good, 415, {"Content-Type": kind})
    for text in [b"", b"1,2,3", b"x", b",", b"\n"]:
        yield post("/invocations", text, 400, {"Content-Type": "text/csv"})
    for text in [b"", b"1", b"{}", b"[]", b"[1]", b"[[1]]", b"[[[[1]]]]", b'{"instances": 1}', b"{}\n{}", b"[1]\n[2]", b"[", b'"']:
        yield post("/invocations", text, 400)
    for attributes, status in [("tfs-model-name=x", 404), ("tfs-model-version=x", 400), ("tfs-model-version=9", 404), ("tfs-method=fly", 400), ("tfs-method=", 400)]:
        yield post("/invocations", good, status, {**JSON, "X-Amzn-SageMaker-Custom-Attributes": attributes})
    for method in ["GET", "PUT", "DELETE"]:
        yield (method, "/invocations", JSON, good if method != "GET" else None, 400)
