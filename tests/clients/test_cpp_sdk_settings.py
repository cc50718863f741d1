"""What the SDK in C++ makes of variables and files, against botocore on the same ones: profiles, regions, endpoints, credentials."""
import contextlib
import http.server
import json
import os
import random
import re
import subprocess
import threading
import urllib.parse
from unittest import mock

import botocore.session
import pytest
from botocore.configprovider import ConfiguredEndpointProvider

from platform_fixtures import BIN

SERVICES = {"s3": "s3", "sagemaker": "sagemaker", "sagemaker_runtime": "sagemaker-runtime", "cloudwatch": "cloudwatch",
            "cloudwatch_logs": "logs", "sts": "sts", "iam": "iam"}
RANDOM_FILES = 400


class Stand(http.server.BaseHTTPRequestHandler):
    """STS, and the credentials of a container: keys that tell what was asked by whom."""

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        for name, made_up in (("RoleSessionName", r"(botocore|headrace)-session-\d+"), ("Version", ".*")):
            if re.fullmatch(made_up, form.get(name, "")):
                form.pop(name)
        signer = re.search(r"Credential=([^/]*)/", self.headers.get("Authorization", ""))
        told = json.dumps([form, signer and signer.group(1)], sort_keys=True).replace("&", "&amp;").replace("<", "&lt;")
        action = form["Action"]
        self.answer("text/xml", f"<{action}Response><{action}Result><Credentials><AccessKeyId>{told}</AccessKeyId>"
                    "<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
                    f"</Credentials></{action}Result></{action}Response>")

    def do_GET(self):
        self.answer("application/json", json.dumps({
            "AccessKeyId": f"{self.path} {self.headers.get('Authorization')}", "SecretAccessKey": "secret", "Token": "token",
            "Expiration": "2099-01-01T00:00:00Z"}))

    def answer(self, kind, text):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def stand():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stand)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def of_sdk(cases):
    """The answers of the program under test."""
    done = subprocess.run([BIN / "sdk_settings"], input=json.dumps(cases), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def or_error(function):
    try:
        return function()
    except Exception:  # whatever botocore raises for wrong files and settings
        return "error"


def of_botocore(case):
    with mock.patch.dict(os.environ, case["environment"], clear=True):
        session = botocore.session.Session(profile=case.get("profile") or None)
        try:
            session.full_config, session.get_scoped_config()
        except Exception:
            return {"error": "error"}

        def endpoint(service):
            if session.get_config_variable("ignore_configured_endpoint_urls"):
                return None
            return ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), service).provide()

        def credentials():
            found = session.get_credentials()
            if found is None:
                return {"error": "NoCredentials"}
            frozen = found.get_frozen_credentials()
            return {"access_key": frozen.access_key, "secret_key": frozen.secret_key, "token": frozen.token or "", "method": found.method}

        def attempts():
            value = session.get_config_variable("max_attempts")
            return "error" if value is not None and value < 1 else value
        return {"region": session.get_config_variable("region"), "ca_bundle": session.get_config_variable("ca_bundle"),
                "max_attempts": or_error(attempts),
                "endpoints": {name: or_error(lambda: endpoint(service)) for name, service in SERVICES.items()},
                "credentials": or_error(credentials)}


def alike(ours, theirs):
    """Whether both say the same; of errors, that both have one."""
    if "error" in ours or "error" in theirs:
        return "error" in ours and "error" in theirs
    ours, theirs = dict(ours), dict(theirs)
    del ours["aws"]
    mine, yours = ours.pop("credentials"), theirs.pop("credentials")
    if yours == "error":
        same = mine.get("error") not in (None, "NoCredentials")
    elif "error" in yours:
        same = mine.get("error") == "NoCredentials"
    else:
        same = mine == yours
    return same and ours == theirs


def compare(cases):
    for case, ours in zip(cases, of_sdk(cases), strict=True):
        theirs = of_botocore(case)
        assert alike(ours, theirs), json.dumps({"case": case, "sdk": ours, "botocore": theirs}, indent=1) + "".join(
            f"\n--- {path}\n{open(path, errors='replace').read()}" for name, path in case["environment"].items()
            if name.endswith("_FILE") and os.path.isfile(path))


@pytest.fixture
def case(tmp_path):
    """case(config, credentials, profile="", VARIABLE=value…): files and the environment that names them."""
    count = iter(range(10 ** 6))

    def make(config=None, credentials=None, profile="", **variables):
        place = tmp_path / str(next(count))
        place.mkdir()
        for name, text in (("config", config), ("credentials", credentials)):
            if text is not None:
                (place / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return {"profile": profile, "environment": {
            "HOME": str(place), "AWS_CONFIG_FILE": str(place / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(place / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true", "PATH": os.environ["PATH"], **variables}}
    return make


KEYS = "aws_access_key_id = {0}K\naws_secret_access_key = {0}S\n"
ENVIRONMENT_KEYS = {"AWS_ACCESS_KEY_ID": "EK", "AWS_SECRET_ACCESS_KEY": "ES"}


def test_profiles_and_regions(case):
    config = "[default]\nregion = us-east-1\n[profile dev]\nregion = eu-west-1\nca_bundle = /x.pem\nmax_attempts = 7\n[profile \"two words\"]\nregion=a-1\n[other]\nregion=b-1\n"
    credentials = "[default]\n" + KEYS.format("D") + "[dev]\n" + KEYS.format("V") + "aws_session_token = T\nregion = eu-north-1\n[only]\n" + KEYS.format("O")
    compare([
        case(config, credentials), case(config), case(None, credentials), case(),
        *(case(config, credentials, AWS_PROFILE=name) for name in ("dev", "two words", "other", "only", "default", "none", "")),
        *(case(config, credentials, profile=name, **ENVIRONMENT_KEYS) for name in ("dev", "only", "none")),
        case(config, credentials, AWS_PROFILE="dev", AWS_DEFAULT_PROFILE="only"),
        case(config, credentials, AWS_DEFAULT_REGION="x-1", AWS_PROFILE="dev"),
        case(config, credentials, AWS_DEFAULT_REGION=""),
        case(config, credentials, AWS_CA_BUNDLE="/y.pem", AWS_MAX_ATTEMPTS="4"),
        case(config, credentials, AWS_MAX_ATTEMPTS="four"),
        case(config, credentials, AWS_MAX_ATTEMPTS="0"),
        case("[default]\nregion = a\n[default]\nregion = b\n", credentials), case(b"[default]\nregion = \xff\n"),
        case(config, "no section\n"), case("[profile a b]\nregion=x\n[profile 'open]\n", credentials, AWS_PROFILE="a"),
    ])


def test_paths(case):
    one = case("[default]\nregion = here\n", "[default]\n" + KEYS.format("H"))
    home = one["environment"]["HOME"]
    os.mkdir(home + "/.aws")
    os.rename(home + "/config", home + "/.aws/config")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        del one["environment"][name]
    other = {"profile": "", "environment": {**one["environment"], "AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "${HOME}/credentials"}}
    third = {"profile": "", "environment": {**other["environment"], "AWS_CONFIG_FILE": "$NOWHERE/config", "AWS_SHARED_CREDENTIALS_FILE": "$HOME/credentials"}}
    directory = {"profile": "", "environment": {**other["environment"], "AWS_CONFIG_FILE": home}}
    compare([one, other, third, directory])


def test_endpoints(case):
    config = """[default]
services = dev
endpoint_url = http://profile:1
[profile plain]
endpoint_url = http://plain:1
[profile ignoring]
endpoint_url = http://plain:1
ignore_configured_endpoint_urls = TRUE
[profile broken]
services = none
[profile flat]
services = flat
[services dev]
s3 =
  endpoint_url = http://s3:2/
  addressing_style = path
sagemaker_runtime =
    endpoint_url = http://runtime:3
sts =
  region = x
[services flat]
s3 = http://s3:4
"""
    compare([
        case(config), *(case(config, AWS_PROFILE=name) for name in ("plain", "ignoring", "broken", "flat")),
        case(config, AWS_ENDPOINT_URL="http://all:5"), case(config, AWS_ENDPOINT_URL_S3="http://own:6"),
        case(config, AWS_ENDPOINT_URL_SAGEMAKER="http://a", AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME="http://b", AWS_ENDPOINT_URL_CLOUDWATCH="http://c",
             AWS_ENDPOINT_URL_CLOUDWATCH_LOGS="http://d", AWS_ENDPOINT_URL_STS="http://e", AWS_ENDPOINT_URL_IAM="http://f"),
        case(config, AWS_ENDPOINT_URL="", AWS_ENDPOINT_URL_S3=""),
        case(config, AWS_ENDPOINT_URL="http://all:5", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true"),
        case(config, AWS_PROFILE="ignoring", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="false"),
        case(config, AWS_PROFILE="broken", AWS_ENDPOINT_URL="http://all:5"),
    ])


def test_static_keys(case):
    config, credentials = "[default]\n" + KEYS.format("C"), "[default]\n" + KEYS.format("D")
    compare([
        case(config), case(config, credentials), case(config, credentials, **ENVIRONMENT_KEYS),
        case(config, credentials, **ENVIRONMENT_KEYS, AWS_SESSION_TOKEN="T", AWS_SECURITY_TOKEN=""),
        case(**ENVIRONMENT_KEYS, AWS_SESSION_TOKEN="T", AWS_SECURITY_TOKEN="U"),
        case(config, AWS_ACCESS_KEY_ID="EK"), case(config, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="ES"),
        case(**ENVIRONMENT_KEYS, AWS_CREDENTIAL_EXPIRATION="2099-01-01T00:00:00Z"),
        case("[default]\naws_access_key_id = x\n"), case(None, "[default]\naws_access_key_id = x\n"),
        case(None, "[default]\naws_secret_access_key = x\n"),
        case(None, "[default]\n" + KEYS.format("D") + "aws_security_token = one\naws_session_token = two\n"),
    ])


def test_processes(case, tmp_path):
    def process(text, status=0):
        program = tmp_path / f"keys {random.randrange(10 ** 9)}.sh"
        program.write_text(f"#!/bin/sh\n[ \"$1\" = \"an argument\" ] || exit 9\ncat <<'X'\n{text}\nX\nexit {status}\n")
        program.chmod(0o755)
        return f"[default]\ncredential_process = \"{program}\" 'an argument'\n"
    keys = {"Version": 1, "AccessKeyId": "PK", "SecretAccessKey": "PS"}
    good = process(json.dumps({**keys, "SessionToken": "PT", "Expiration": "2099-01-01T00:00:00Z"}))
    compare([
        case(good), case(good, "[default]\n" + KEYS.format("D")), case(good + KEYS.format("C")), case(process(json.dumps(keys))),
        case(process(json.dumps({**keys, "Version": 2}))), case(process(json.dumps({"Version": 1, "AccessKeyId": "PK"}))),
        case(process(json.dumps(keys), 3)), case("[default]\ncredential_process = /no/such/program\n"), case(good, **ENVIRONMENT_KEYS),
    ])


def test_roles(case, stand):
    def role(text, credentials="[base]\n" + KEYS.format("B"), **variables):
        return case("[profile r]\nregion = us-west-2\nrole_arn = arn:aws:iam::1:role/R\n" + text, credentials, AWS_PROFILE="r", AWS_ENDPOINT_URL_STS=stand,
                    **variables)
    chain = "source_profile = middle\n[profile middle]\nrole_arn = arn:aws:iam::1:role/M\nsource_profile = base\n"
    compare([
        role("source_profile = base\n"), role("source_profile = base\nrole_session_name = me\nexternal_id = a&b\nduration_seconds = 900\n"),
        role("source_profile = base\nduration_seconds = long\n"), role(chain), role("source_profile = r\n" + KEYS.format("R")),
        role("source_profile = r\n"), role("source_profile = none\n"), role(""), role("source_profile = base\ncredential_source = Environment\n"),
        role("source_profile = middle\n[profile middle]\nrole_arn = x\nsource_profile = r\n"),
        role("source_profile = empty\n[profile empty]\nregion = x\n"),
        role("credential_source = Environment\n", None), role("credential_source = Nowhere\n"),
        role("credential_source = environment\n"),
        role("credential_source = EcsContainer\n", AWS_CONTAINER_CREDENTIALS_FULL_URI=stand + "/keys"),
        role("credential_source = EcsContainer\n"),
        role("source_profile = base\n", **ENVIRONMENT_KEYS),
        case("[profile r]\nregion = us-west-2\nrole_arn = arn:aws:iam::1:role/R\ncredential_source = Environment\n", profile="r",
             AWS_ENDPOINT_URL_STS=stand, **ENVIRONMENT_KEYS),
    ])


def test_web_identities_and_containers(case, stand, tmp_path):
    (tmp_path / "token").write_text("web token")
    (tmp_path / "lines").write_text("a\nb")
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/W", "AWS_ENDPOINT_URL_STS": stand,
           "AWS_DEFAULT_REGION": "us-west-2"}
    container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": stand + "/container?x=1"}
    profile = f"[default]\nregion = us-west-2\nrole_arn = arn:aws:iam::1:role/P\nweb_identity_token_file = {tmp_path}/token\nrole_session_name = me\n"
    compare([
        case(**web), case(**web, AWS_ROLE_SESSION_NAME="mine"), case(profile, AWS_ENDPOINT_URL_STS=stand),
        case(profile, AWS_ENDPOINT_URL_STS=stand, AWS_ROLE_ARN="arn:aws:iam::1:role/E"),
        case(profile, profile="default", AWS_ENDPOINT_URL_STS=stand, AWS_ROLE_ARN="arn:aws:iam::1:role/E"),
        case(**{**web, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "none")}), case(**{**web, "AWS_ROLE_ARN": ""}),
        case(**container), case(**container, AWS_CONTAINER_AUTHORIZATION_TOKEN="Basic abc"),
        case(**container, AWS_CONTAINER_AUTHORIZATION_TOKEN="x", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "token")),
        case(**container, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "lines")),
        case(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://localhost@192.0.2.1/x"), case(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://192.0.2.1/x"),
        case("[default]\n" + KEYS.format("C"), **container), case(None, "[default]\n" + KEYS.format("C"), **container),
    ])


def random_file(generator):
    """A file that is nearly well-formed, or not at all."""
    names = ["default", "profile dev", "profile 'a b'", "dev", "DEFAULT", "services dev", "services", "profile", "sso-session x", "x]y", " default "]
    options = ["region", "Region", "output", "services", "endpoint_url", "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "s3", "ca_bundle"]
    values = ["us-west-2", "dev", "", "http://h:1/?a=b", "a : b", "x ; y", "# no", "[z]", "  spaced  ", "\tt", "ü", "%(region)s"]
    lines = []
    for _ in range(generator.randrange(1, 14)):
        kind = generator.random()
        indent = generator.choice(["", "", "", "", " ", "  ", "\t"])
        if kind < 0.25:
            lines.append(f"{indent}[{generator.choice(names)}]" + generator.choice(["", "", " ", "x", " # c"]))
        elif kind < 0.75:
            delimiter = generator.choice(["=", " = ", ":", " : ", "= ", " "])
            lines.append(indent + generator.choice(options) + delimiter + generator.choice(values))
        elif kind < 0.9:
            lines.append(generator.choice(["  endpoint_url = http://n:1", "  nested", "\tregion=in", "   # c", "    a = b"]))
        else:
            lines.append(generator.choice(["", "  ", "# comment", "; comment", "= nothing", ": nothing", "loose", "\x0c"]))
    return generator.choice(["", "[default]\n", "[default]\n"]) + generator.choice(["\n", "\n", "\r\n", "\r"]).join(lines)


@pytest.mark.parametrize("seed", range(2))
def test_random_files(case, seed):
    generator = random.Random(seed)
    compare([case(random_file(generator), random_file(generator) if generator.random() < 0.5 else None,
                  **generator.choice([{}, {}, {"AWS_PROFILE": "dev"}])) for _ in range(RANDOM_FILES)])


def test_addresses_of_aws():
    """Of every service in regions of every partition that the SDK knows, as clients of botocore have them."""
    session = botocore.session.Session()
    regions = ["us-east-1", "us-west-2", "eu-central-1", "cn-north-1", "us-gov-west-1"]
    wanted, cases = [], []
    for region in regions:
        cases.append({"profile": "", "environment": {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_DEFAULT_REGION": region}})
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, clear=True))
            wanted.append({name: session.create_client(service, region_name=region).meta.endpoint_url for name, service in SERVICES.items()})
    wanted[0]["s3"] = "https://s3.us-east-1.amazonaws.com"  # botocore still says s3.amazonaws.com, which is the same
    assert [answer["aws"] for answer in of_sdk(cases)] == wanted
