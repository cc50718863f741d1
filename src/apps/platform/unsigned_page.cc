#include "apps/platform/unsigned_page.h"

namespace headrace::apps {
namespace {

std::string HtmlEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
      escaped += fmt::format("&#{};", static_cast<int>(c));
    else
      escaped += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return escaped;
}

constexpr const char* kPage = R"page(<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Headrace</title>
<style>body{{font:1em/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}}pre{{background:#eee;padding:1em;overflow:auto}}</style>
<h1>Headrace</h1>
<p><code>{}</code> is not for everybody: the request must be signed. <a href="/">The console</a> signs what its pages ask.</p>
<p>This address speaks the protocols of S3, SageMaker, CloudWatch, CloudWatch Logs, STS and IAM. It is for boto3, the AWS CLI
and the SageMaker SDKs, with requests that are signed. In a shell on this machine:</p>
<pre>eval "$({})"
aws s3 ls
aws sagemaker list-training-jobs</pre>
<p>Without a signature there are only <a href="/healthz">/healthz</a> and <a href="/metrics">/metrics</a>.</p>
</html>
)page";

}  // namespace

bool IsFromBrowser(const http::Request& request) {
  return (request.method == "GET" || request.method == "HEAD") && !request.headers.Has("Authorization") &&
         request.query.find("Signature=") == std::string::npos &&
         request.headers.Get("Accept").find("text/html") != std::string::npos;
}

http::Response UnsignedPage(const http::Request& request, const std::string& command) {
  const std::string path(std::string_view(request.path).substr(0, 200));
  std::string page = fmt::format(fmt::runtime(kPage), HtmlEscaped(path), HtmlEscaped(command));
  const size_t size = page.size();
  http::Response response = http::TextResponse(403, "text/html; charset=utf-8", std::move(page));
  response.headers.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  response.headers.Set("X-Content-Type-Options", "nosniff");
  if (request.method == "HEAD") response.content_length = size;
  return response;
}

}  // namespace headrace::apps
