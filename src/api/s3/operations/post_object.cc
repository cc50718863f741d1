#include "api/s3/access.h"
#include "api/s3/encryption.h"
#include "api/s3/names.h"
#include "api/s3/object_headers.h"
#include "api/s3/operations.h"
#include "api/s3/post_policy.h"
#include "api/s3/receive.h"
#include "api/s3/tagging.h"
#include "aws/header_text.h"
#include "aws/payload.h"
#include "aws/post_form.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

struct Form {
  FormFields fields;  // with ${filename} replaced
  std::string Get(std::string_view name) const {
    for (const auto& [field, value] : fields)
      if (field == name) return value;
    return {};
  }
};

Form Expanded(const aws::PostForm& form) {
  constexpr std::string_view kVariable = "${filename}";
  Form expanded{form.fields};
  for (auto& [name, value] : expanded.fields)
    for (size_t at = value.find(kVariable); at != std::string::npos;
         at = value.find(kVariable, at + form.filename.size()))
      value.replace(at, kVariable.size(), form.filename);
  return expanded;
}

std::string LocationOf(const Exchange& exchange, const store::Object& object) {
  return fmt::format("{}/{}/{}", exchange.call.endpoint, object.bucket, http::PercentEncode(object.key, true));
}

bool IsWebAddress(std::string_view text) {
  return (text.starts_with("http://") || text.starts_with("https://")) && aws::IsHeaderText(text) &&
         text.find_first_of(" \t") == std::string_view::npos;
}

http::Response Redirected(std::string target, const store::Object& object) {
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += fmt::format("bucket={}&key={}&etag={}", http::PercentEncode(object.bucket, false),
                        http::PercentEncode(object.key, false), http::PercentEncode(Quoted(object.etag), false));
  http::Response response = Empty(303);
  response.headers.Set("Location", std::move(target));
  return response;
}

http::Response Created(const Exchange& exchange, const store::Object& object) {
  aws::XmlWriter xml(aws::Unspeakable::kReferred);
  xml.Open("PostResponse").Element("Location", LocationOf(exchange, object)).Element("Bucket", object.bucket);
  xml.Element("Key", object.key).Element("ETag", Quoted(object.etag));
  http::Response response = Xml(xml.Finish());
  response.status = 201;
  return response;
}

http::Response AnswerTo(const Exchange& exchange, const Form& form, const store::Object& object) {
  std::string redirect = form.Get("success_action_redirect");
  if (redirect.empty()) redirect = form.Get("redirect");
  if (IsWebAddress(redirect)) return Redirected(std::move(redirect), object);
  const std::string status = form.Get("success_action_status");
  http::Response response = status == "201" ? Created(exchange, object) : Empty(status == "200" ? 200 : 204);
  response.headers.Set("Location", LocationOf(exchange, object));
  response.headers.Set("ETag", Quoted(object.etag));
  WriteChecksums(object.info.checksums, object.info.checksum_type, response);
  WriteEncryption(object.info, response);
  return response;
}

// The key and the policy; both are known before the file is read.
Reply<SizeRange> Judge(Exchange& exchange, Form& form) {
  exchange.key = form.Get("key");
  if (exchange.key.empty())
    return InvalidArgument("key", "",
                           "Bucket POST must contain a field named 'key'.  If it is specified, please check the order "
                           "of the fields.");
  S3_TRY(CheckKey(exchange.key));
  FormFields judged = form.fields;
  std::erase_if(judged, [](const auto& field) { return field.first == "bucket"; });
  judged.emplace_back("bucket", exchange.bucket);
  return CheckPostPolicy(exchange.call.form_policy, judged, exchange.call.now);
}

Reply<void> Prepare(const Exchange& exchange, const Form& form, store::ObjectInfo& info) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:PutObject"));
  S3_ASSIGN(info, ReadObjectInfo(exchange, bucket));
  if (const std::string tagging = form.Get("tagging"); !tagging.empty()) {
    S3_ASSIGN(info.tags, ReadTaggingDocument(tagging, 10));
  }
  return {};
}

Outcome Finish(Exchange& exchange, const Form& form, store::ObjectInfo info, store::BlobWriter writer) {
  if (const auto checksum = aws::PayloadReader::Of(exchange.request).checksum()) {
    info.checksums[std::string(aws::ChecksumName(checksum->algorithm))] = checksum->base64;
    info.checksum_type = "FULL_OBJECT";
  }
  const auto object = exchange.objects.Commit(std::move(writer), exchange.bucket, exchange.key, std::move(info));
  if (!object && object.error().code() == ErrorCode::kNotFound) return NoSuchBucket(exchange.bucket);
  if (!object) return StoreFailure(object.error());
  return AnswerTo(exchange, form, *object);
}

}  // namespace

http::Task<Outcome> PostObject(Exchange& exchange) {
  if (exchange.call.form == nullptr) {
    ServiceError error{"PreconditionFailed",
                       "At least one of the pre-conditions you specified did not hold",
                       412,
                       {{"Condition", "Bucket POST must be of the enclosure-type multipart/form-data"}},
                       {}};
    co_return Refusal(std::move(error));
  }
  Form form = Expanded(*exchange.call.form);
  const auto range = Judge(exchange, form);
  if (!range) co_return Refusal(range.error());
  aws::PayloadReader::Of(exchange.request).ComputeOneAtLeast(aws::ChecksumAlgorithm::kCrc64Nvme);
  store::ObjectInfo info;
  const std::function<Reply<void>()> prepare = [&] { return Prepare(exchange, form, info); };
  const std::function<Outcome(store::BlobWriter)> finish = [&](store::BlobWriter writer) {
    return Finish(exchange, form, std::move(info), std::move(writer));
  };
  auto outcome = co_await ReceiveUnannounced(exchange, *range, prepare, finish);
  co_return outcome;
}

}  // namespace headrace::api::s3
