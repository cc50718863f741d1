// Multipart uploads of ObjectStore.
#include <optional>

#include "store/objects/md5.h"
#include "store/objects/object_store.h"
#include "store/random.h"

namespace headrace::store {
namespace {

constexpr size_t kUploadIdDigits = 64;
constexpr size_t kMaxParts = 10'000;

std::string EtagOf(const std::vector<UploadPart>& parts) {
  Md5 md5;
  for (const UploadPart& part : parts) md5.Update(FromHex(part.etag));
  return fmt::format("{}-{}", ToHex(md5.Finish()), parts.size());
}

uint64_t SizeOf(const std::vector<UploadPart>& parts) {
  uint64_t size = 0;
  for (const UploadPart& part : parts) size += part.size;
  return size;
}

// The parts one after the other in a blob of its own, on disk.
Result<BlobWriter> Concatenate(const BlobDirectory& blobs, const std::vector<UploadPart>& parts) {
  HEADRACE_ASSIGN(BlobWriter writer, blobs.New());
  for (const UploadPart& part : parts) {
    HEADRACE_ASSIGN(const auto file, blobs.Open(part.blob, "open"));
    HEADRACE_TRY(writer.AppendFrom(file->get(), part.offset, part.size));
  }
  HEADRACE_TRY(writer.Seal());
  return writer;
}

Status CheckUnchanged(Connection& db, const Upload& upload, const std::vector<UploadPart>& parts) {
  for (const UploadPart& part : parts) {
    HEADRACE_ASSIGN(const UploadPart now, FindPart(db, upload.id, part.number));
    if (now.blob != part.blob || now.offset != part.offset)
      return Fail(ErrorCode::kUnavailable, "upload {}: part {} was replaced meanwhile", upload.id, part.number);
  }
  return {};
}

void Forget(Connection& db, const Upload& upload, std::vector<std::string>& released) {
  for (UploadPart& part : ListParts(db, upload.id, 0, kMaxParts)) released.push_back(std::move(part.blob));
  DeleteUpload(db, upload.id);
}

}  // namespace

Result<Upload> ObjectStore::CreateUpload(const std::string& bucket, const std::string& key,
                                         const std::string& initiator, ObjectInfo info) {
  const Upload upload{
      RandomText(kHexDigits, kUploadIdDigits), bucket, key, clock_.Now(), initiator, std::move(info), false};
  HEADRACE_TRY(Change(bucket, [&](Connection& db, const Bucket& in, std::vector<std::string>&) -> Status {
    InsertUpload(db, in, upload);
    return {};
  }));
  return upload;
}

Result<Upload> ObjectStore::FindUpload(const std::string& bucket, const std::string& key, const std::string& id) const {
  Upload upload;
  HEADRACE_TRY(Look(bucket, [&](Connection& db, const Bucket& in) -> Status {
    HEADRACE_ASSIGN(upload, store::FindUpload(db, in, key, id));
    return {};
  }));
  return upload;
}

Result<UploadListing> ObjectStore::ListUploads(const UploadQuery& query) const {
  UploadListing listing;
  HEADRACE_TRY(Look(query.bucket, [&](Connection& db, const Bucket& in) -> Status {
    listing = store::ListUploads(db, in, query);
    return {};
  }));
  return listing;
}

Result<UploadPart> ObjectStore::CommitPart(BlobWriter writer, const Upload& upload, int number,
                                           std::map<std::string, std::string> checksums) {
  if (!writer.sealed()) HEADRACE_TRY(writer.Seal());
  const UploadPart part{number, writer.blob(), 0, writer.size(), writer.md5(), clock_.Now(), std::move(checksums)};
  HEADRACE_TRY(
      Change(upload.bucket, [&](Connection& db, const Bucket& in, std::vector<std::string>& released) -> Status {
        HEADRACE_TRY(store::FindUpload(db, in, upload.key, upload.id));
        if (const auto old = FindPart(db, upload.id, number)) released.push_back(old->blob);
        PutPart(db, upload.id, part);
        return {};
      }));
  writer.Keep();
  return part;
}

Result<std::vector<UploadPart>> ObjectStore::ListParts(const Upload& upload, int after, size_t limit) const {
  std::vector<UploadPart> parts;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    parts = store::ListParts(db, upload.id, after, limit);
    return {};
  }));
  return parts;
}

Result<Object> ObjectStore::CompleteUpload(const Upload& upload, const std::vector<UploadPart>& parts, ObjectInfo info,
                                           const Precondition& wanted, bool keep_checksums) {
  std::optional<BlobWriter> joined;
  if (parts.size() != 1) {
    HEADRACE_ASSIGN(BlobWriter writer, Concatenate(*blobs_, parts));
    joined.emplace(std::move(writer));
  }
  info.part_sizes.clear();
  for (const UploadPart& part : parts) info.part_sizes.push_back(part.size);
  const Object object{upload.bucket,  upload.key,    joined ? joined->blob() : parts[0].blob,
                      SizeOf(parts),  EtagOf(parts), clock_.Now(),
                      std::move(info)};
  HEADRACE_TRY(
      Change(upload.bucket, [&](Connection& db, const Bucket& in, std::vector<std::string>& released) -> Status {
        HEADRACE_ASSIGN(const Upload now, store::FindUpload(db, in, upload.key, upload.id));
        HEADRACE_TRY(CheckUnchanged(db, upload, parts));
        HEADRACE_TRY(Replace(db, in, object, wanted, released));
        if (wanted.absent && now.conflicted)
          return Fail(ErrorCode::kAlreadyExists, "object {}/{}: was deleted meanwhile", upload.bucket, upload.key);
        for (size_t i = 0; keep_checksums && i < parts.size(); ++i)
          PutPartChecksums(db, object.blob, static_cast<int>(i) + 1, parts[i].checksums);
        Forget(db, upload, released);
        return {};
      }));
  if (joined) joined->Keep();
  return object;
}

Result<ObjectStore::PartChecksums> ObjectStore::ListPartChecksums(const Object& object, int after, size_t limit) const {
  PartChecksums checksums;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    checksums = store::ListPartChecksums(db, object.blob, after, limit);
    return {};
  }));
  return checksums;
}

Status ObjectStore::AbortUpload(const Upload& upload) {
  return Change(WriteKind::kFrees, upload.bucket,
                [&](Connection& db, const Bucket& in, std::vector<std::string>& released) -> Status {
                  HEADRACE_TRY(store::FindUpload(db, in, upload.key, upload.id));
                  Forget(db, upload, released);
                  return {};
                });
}

}  // namespace headrace::store
