#include "api/s3/copy_source.h"

#include "api/s3/access.h"
#include "api/s3/conditions.h"
#include "api/s3/names.h"
#include "api/s3/url_decoding.h"

namespace headrace::api::s3 {

Reply<CopySource> ParseCopySource(std::string_view header) {
  const std::string_view whole = header;
  const auto refused = [&] {
    return InvalidArgument("x-amz-copy-source", whole,
                           "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  };
  constexpr std::string_view kVersion = "?versionId=";
  std::optional<std::string> version;
  if (const size_t question = header.find(kVersion); question != std::string_view::npos) {
    version = DecodeUrlText(header.substr(question + kVersion.size()), Plus::kIsBlank);
    header = header.substr(0, question);
    if (!version || version->empty())
      return InvalidArgument("x-amz-copy-source", whole, "Version id cannot be the empty string");
  }
  auto decoded = DecodeUrlText(header, Plus::kIsBlank);
  if (!decoded) return InvalidArgument("x-amz-copy-source", whole, "Invalid copy source encoding.");
  std::string path = std::move(*decoded);
  if (path.starts_with("arn:")) return NotImplemented("x-amz-copy-source with an ARN");
  if (path.starts_with('/')) path.erase(0, 1);
  const size_t slash = path.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == path.size()) return refused();
  CopySource source{path.substr(0, slash), path.substr(slash + 1)};
  S3_TRY(CheckKey(source.key));
  if (version && *version != "null") return NoSuchVersion(source.key, *version);
  return source;
}

Reply<store::Object> FindCopySource(const Exchange& exchange) {
  S3_ASSIGN(const CopySource source, ParseCopySource(exchange.Header("x-amz-copy-source")));
  S3_ASSIGN(const store::Bucket bucket, LookUpBucket(exchange, source.bucket));
  const std::string expected = exchange.Header("x-amz-source-expected-bucket-owner");
  if (!expected.empty() && expected != bucket.owner) return AccessDenied();
  Exchange look{exchange.call, exchange.request, exchange.objects, exchange.pool, source.bucket, source.key, {}, {}};
  S3_ASSIGN(store::Object object, ObjectFor(look, bucket, "s3:GetObject"));
  S3_TRY(CheckReadConditions(exchange, object, "x-amz-copy-source-"));
  return object;
}

}  // namespace headrace::api::s3
