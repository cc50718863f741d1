"""One S3 request signed by hand, for header values that boto3 would not send."""
import datetime
import hashlib
import hmac
import http.client
from urllib.parse import quote, urlsplit


class Signer:
    def __init__(self, environment):
        self.host = urlsplit(environment["AWS_ENDPOINT_URL"]).netloc
        self.key, self.secret = environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
        self.region = environment.get("AWS_DEFAULT_REGION", "us-west-2")

    def signing_key(self, day, service="s3"):
        secret = ("AWS4" + self.secret).encode()
        for part in (day, self.region, service, "aws4_request"):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        return secret

    def request(self, method, path, query=(), headers=(), body=b""):
        """path: percent-encoded; header values str or bytes. Returns status, [(name, value)], body."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        raw = lambda value: value if isinstance(value, bytes) else value.encode()
        fields = [("host", self.host), ("x-amz-date", now), ("x-amz-content-sha256", digest), *((name.lower(), value) for name, value in headers)]
        names = sorted({name for name, _ in fields})
        lines = b"".join(n.encode() + b":" + b",".join(b" ".join(raw(v).split()) for k, v in fields if k == n) + b"\n" for n in names)
        asked = "&".join(sorted(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in query))
        canonical = b"\n".join([method.encode(), path.encode(), asked.encode(), lines, ";".join(names).encode(), digest.encode()])
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
        signature = hmac.new(self.signing_key(now[:8]), text.encode(), hashlib.sha256).hexdigest()
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.putrequest(method, path + ("?" + asked if asked else ""), skip_host=True, skip_accept_encoding=True)
        for name, value in fields:
            connection.putheader(name, value)
        connection.putheader("Authorization", f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return found


def code(body):
    return body.split(b"<Code>")[1].split(b"</Code>")[0].decode() if b"<Code>" in body else ""
