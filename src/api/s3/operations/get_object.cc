#include "api/s3/access.h"
#include "api/s3/conditions.h"
#include "api/s3/object_headers.h"
#include "api/s3/operations.h"

namespace headrace::api::s3 {
namespace {

// What of the object a GET or HEAD is about.
struct Selection {
  ByteRange range;
  bool partial = false;
  size_t parts = 0;  // with partNumber: of how many
  int part = 0;      // with partNumber
};

Reply<Selection> SelectPart(const store::Object& object, size_t number) {
  const auto& sizes = object.info.part_sizes;
  const size_t parts = std::max<size_t>(sizes.size(), 1);
  if (number == 0 || number > parts)
    return aws::Refuse("InvalidPartNumber", "The requested partnumber is not satisfiable", 416);
  Selection selection{{0, object.size}, object.size > 0, sizes.size(), static_cast<int>(number)};
  if (sizes.empty()) return selection;
  for (size_t i = 0; i + 1 < number; ++i) selection.range.first += sizes[i];
  selection.range.size = sizes[number - 1];
  return selection;
}

Reply<Selection> Select(const Exchange& exchange, const store::Object& object) {
  const std::string* range = exchange.request.headers.Find("Range");
  if (exchange.Parameter("partNumber") != nullptr) {
    if (range != nullptr) return InvalidRequest("Cannot specify both Range header and partNumber query parameter");
    S3_ASSIGN(const size_t number, CountParameter(exchange, "partNumber", 10'001));
    return SelectPart(object, number);
  }
  Selection selection{{0, object.size}, false, 0, 0};
  if (range == nullptr) return selection;
  // If-Range with another ETag asks for the whole object.
  if (const std::string* same = exchange.request.headers.Find("If-Range");
      same != nullptr && Unquoted(*same) != object.etag)
    return selection;
  S3_ASSIGN(const auto read, ReadRange(*range, object.size));
  if (read) selection = {*read, true, 0, 0};
  return selection;
}

void WriteSelection(const store::Object& object, const Selection& selection, http::Response& response) {
  if (selection.parts > 0) response.headers.Set("x-amz-mp-parts-count", std::to_string(selection.parts));
  if (!selection.partial) return;
  response.status = 206;
  const uint64_t last = selection.range.first + selection.range.size - (selection.range.size > 0 ? 1 : 0);
  response.headers.Set("Content-Range", fmt::format("bytes {}-{}/{}", selection.range.first, last, object.size));
}

// The checksum of the selected part, where the upload's type keeps those.
Reply<void> WritePartChecksum(const Exchange& exchange, const store::Object& object, int part,
                              http::Response& response) {
  if (!WantsChecksums(exchange) || object.info.checksum_type != "COMPOSITE") return {};
  S3_STORE(const auto parts, exchange.objects.ListPartChecksums(object, part - 1, 1));
  if (const auto found = parts.find(part); found != parts.end())
    WriteChecksums(found->second, object.info.checksum_type, response);
  return {};
}

// All of GET but the bytes.
Reply<http::Response> Describe(const Exchange& exchange, const store::Object& object, Selection& selection) {
  S3_TRY(CheckReadFields(exchange));
  S3_ASSIGN(const ConditionOutcome outcome, CheckReadConditions(exchange, object, ""));
  if (outcome == ConditionOutcome::kNotModified) {
    http::Response response = Empty(304);
    WriteObjectInfo(exchange, object, false, response);
    response.headers.Remove("Content-Type");
    return response;
  }
  S3_ASSIGN(selection, Select(exchange, object));
  http::Response response = Empty(200);
  const bool of_part = selection.parts > 0 && object.info.checksum_type == "COMPOSITE";
  WriteObjectInfo(exchange, object, selection.range.size == object.size && !of_part, response);
  if (of_part) S3_TRY(WritePartChecksum(exchange, object, selection.part, response));
  WriteSelection(object, selection, response);
  return response;
}

}  // namespace

Outcome GetObject(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_ASSIGN(store::Object object, ObjectFor(exchange, bucket, "s3:GetObject"));
  auto file = exchange.objects.Open(object);
  if (!file) {  // replaced since we looked
    auto opened = exchange.objects.Open(exchange.bucket, exchange.key);
    if (!opened && opened.error().code() == ErrorCode::kNotFound) return NoSuchKey(exchange.key);
    if (!opened) return StoreFailure(opened.error());
    S3_TRY(Permit(exchange, bucket, exchange.key, &opened->object, "s3:GetObject"));
    object = std::move(opened->object);
    file = std::move(opened->file);
  }
  Selection selection;
  S3_ASSIGN(http::Response response, Describe(exchange, object, selection));
  if (response.status != 304)
    response.body = http::FileRange{std::move(*file), selection.range.first, selection.range.size};
  return response;
}

Outcome HeadObject(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_ASSIGN(const store::Object object, ObjectFor(exchange, bucket, "s3:GetObject"));
  Selection selection;
  S3_ASSIGN(http::Response response, Describe(exchange, object, selection));
  if (response.status != 304) response.content_length = selection.range.size;
  return response;
}

}  // namespace headrace::api::s3
