#include "store/objects/object_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include "store/random.h"

namespace headrace::store {
namespace {

// How often Open() looks again when the bytes were replaced between the look-up and the opening of the file.
constexpr int kOpenAttempts = 10;

Object MakeObject(const BlobWriter& writer, const std::string& bucket, const std::string& key, ObjectInfo info,
                  UnixMillis now) {
  return {bucket, key, writer.blob(), writer.size(), writer.md5(), now, std::move(info)};
}

Result<BlobWriter> CopyIn(const BlobDirectory& blobs, const std::string& path, const std::function<bool()>& cancelled) {
  const Descriptor from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) {
    const auto code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition;
    return Fail(code, "{}: cannot open: {}", path, std::strerror(errno));
  }
  HEADRACE_ASSIGN(BlobWriter writer, blobs.New());
  std::string buffer(size_t{1} << 20, '\0');
  while (true) {
    if (cancelled()) return Fail(ErrorCode::kUnavailable, "{}: cancelled", path);
    const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot read: {}", path, std::strerror(errno));
    if (n == 0) break;
    HEADRACE_TRY(writer.Write({buffer.data(), static_cast<size_t>(n)}));
  }
  HEADRACE_TRY(writer.Seal());
  return writer;
}

}  // namespace

ObjectStore::ObjectStore(Database& database, const Clock& clock, std::unique_ptr<BlobDirectory> blobs)
    : database_(database), clock_(clock), blobs_(std::move(blobs)) {}

ObjectStore::~ObjectStore() = default;

Result<std::unique_ptr<ObjectStore>> ObjectStore::Open(Database& database, const Clock& clock,
                                                       const std::string& directory) {
  HEADRACE_ASSIGN(auto blobs, BlobDirectory::Open(directory));
  std::unique_ptr<ObjectStore> store(new ObjectStore(database, clock, std::move(blobs)));
  store->sweeper_ = std::jthread([self = store.get()](const std::stop_token& token) {
    self->RemoveOrphans([&] { return token.stop_requested(); });
  });
  return store;
}

size_t ObjectStore::RemoveOrphans(const std::function<bool()>& stop) const {
  const auto in_use = [this](const std::string& blob) {
    bool used = true;
    const Status looked = database_.Read([&](Connection& db) -> Status {
      used = BlobInUse(db, blob);
      return {};
    });
    return used || !looked;
  };
  return blobs_->Sweep(in_use, stop);
}

Status ObjectStore::Look(const std::string& bucket,
                         const std::function<Status(Connection&, const Bucket&)>& work) const {
  return database_.Read([&](Connection& db) -> Status {
    HEADRACE_ASSIGN(const Bucket found, store::FindBucket(db, bucket));
    return work(db, found);
  });
}

Status ObjectStore::Change(WriteKind kind, const std::string& bucket,
                           const std::function<Status(Connection&, const Bucket&, std::vector<std::string>&)>& work) {
  std::vector<std::string> released;
  HEADRACE_TRY(database_.Write(kind, [&](Connection& db) -> Status {
    released.clear();
    HEADRACE_ASSIGN(const Bucket found, store::FindBucket(db, bucket));
    HEADRACE_TRY(work(db, found, released));
    std::erase_if(released, [&](const std::string& blob) { return BlobInUse(db, blob); });
    for (const std::string& blob : released) DeletePartChecksums(db, blob);
    return {};
  }));
  for (const std::string& blob : released) blobs_->Remove(blob);
  return {};
}

Status ObjectStore::Replace(Connection& db, const Bucket& bucket, const Object& object, const Precondition& wanted,
                            std::vector<std::string>& released) const {
  HEADRACE_TRY(CheckPrecondition(db, bucket, object.key, wanted));
  if (const auto old = FindObject(db, bucket, object.key)) released.push_back(old->blob);
  PutObject(db, bucket, object);
  return {};
}

Result<Bucket> ObjectStore::CreateBucket(Bucket bucket) {
  bucket.created = clock_.Now();
  HEADRACE_TRY(database_.Write([&](Connection& db) { return InsertBucket(db, bucket); }));
  return bucket;
}

Result<Bucket> ObjectStore::FindBucket(const std::string& name) const {
  Bucket bucket;
  HEADRACE_TRY(Look(name, [&](Connection&, const Bucket& found) -> Status {
    bucket = found;
    return {};
  }));
  return bucket;
}

Result<std::vector<Bucket>> ObjectStore::ListBuckets(const std::string& owner) const {
  std::vector<Bucket> buckets;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    buckets = store::ListBuckets(db, owner);
    return {};
  }));
  return buckets;
}

Status ObjectStore::UpdateBucket(const std::string& name, const std::function<void(Bucket&)>& change) {
  return database_.Write([&](Connection& db) -> Status {
    HEADRACE_ASSIGN(Bucket bucket, store::FindBucket(db, name));
    change(bucket);
    store::UpdateBucket(db, bucket);
    return {};
  });
}

Status ObjectStore::DeleteBucket(const std::string& name) {
  return Change(WriteKind::kFrees, name, [&](Connection& db, const Bucket& in, std::vector<std::string>& released) {
    released = PartBlobs(db, in);
    return store::DeleteBucket(db, name);
  });
}

Result<Object> ObjectStore::Commit(BlobWriter writer, const std::string& bucket, const std::string& key,
                                   ObjectInfo info, const Precondition& wanted, const Guard& guard) {
  if (!writer.sealed()) HEADRACE_TRY(writer.Seal());
  if (info.checksums.empty() && !writer.crc64nvme().empty()) {  // what S3 gives every object nobody asked more for
    info.checksums["CRC64NVME"] = writer.crc64nvme();
    info.checksum_type = "FULL_OBJECT";
  }
  const Object object = MakeObject(writer, bucket, key, std::move(info), clock_.Now());
  HEADRACE_TRY(Change(bucket, [&](Connection& db, const Bucket& in, std::vector<std::string>& released) -> Status {
    if (guard) HEADRACE_TRY(guard(in, {}));
    return Replace(db, in, object, wanted, released);
  }));
  writer.Keep();
  return object;
}

Result<Object> ObjectStore::PutFile(const std::string& bucket, const std::string& key, const std::string& path,
                                    ObjectInfo info, bool move, const Guard& guard,
                                    const std::function<bool()>& cancelled) {
  HEADRACE_TRY(FindBucket(bucket));
  if (move) {
    struct stat file {
    }, blobs{};
    const bool same = ::stat(path.c_str(), &file) == 0 && ::stat(blobs_->PathOf("").c_str(), &blobs) == 0 &&
                      file.st_dev == blobs.st_dev;
    if (same) {
      HEADRACE_ASSIGN(BlobWriter writer, blobs_->Adopt(path, cancelled));
      return Commit(std::move(writer), bucket, key, std::move(info), {}, guard);
    }
  }
  HEADRACE_ASSIGN(BlobWriter writer, CopyIn(*blobs_, path, cancelled));
  auto object = Commit(std::move(writer), bucket, key, std::move(info), {}, guard);
  if (object && move) ::unlink(path.c_str());
  return object;
}

Result<Object> ObjectStore::Find(const std::string& bucket, const std::string& key, const Guard& guard) const {
  Object object;
  HEADRACE_TRY(Look(bucket, [&](Connection& db, const Bucket& in) -> Status {
    auto found = FindObject(db, in, key);
    if (guard) HEADRACE_TRY(guard(in, found ? std::span<const Object>(&*found, 1) : std::span<const Object>()));
    HEADRACE_ASSIGN(object, std::move(found));
    return {};
  }));
  return object;
}

Result<std::shared_ptr<const Descriptor>> ObjectStore::Open(const Object& object) const {
  return blobs_->Open(object.blob, "open");
}

Result<OpenObject> ObjectStore::Open(const std::string& bucket, const std::string& key, const Guard& guard) const {
  for (int attempt = 1;; ++attempt) {
    HEADRACE_ASSIGN(Object object, Find(bucket, key, guard));
    auto file = Open(object);
    if (file) return OpenObject{std::move(object), std::move(*file)};
    if (file.error().code() != ErrorCode::kNotFound) return tl::unexpected<Error>(std::move(file.error()));
    if (attempt == kOpenAttempts)
      return Fail(ErrorCode::kDataLoss, "object {}/{}: its file {} is missing", bucket, key, BlobPath(object));
  }
}

Result<Listing> ObjectStore::List(const ListQuery& query, const Guard& guard) const {
  Listing listing;
  HEADRACE_TRY(Look(query.bucket, [&](Connection& db, const Bucket& in) -> Status {
    listing = ListObjects(db, in, query);
    return guard ? guard(in, listing.objects) : Status();
  }));
  return listing;
}

Result<Object> ObjectStore::Copy(const Object& from, const std::string& bucket, const std::string& key, ObjectInfo info,
                                 const Precondition& wanted) {
  Object object = from;
  object.bucket = bucket;
  object.key = key;
  object.modified = clock_.Now();
  object.info = std::move(info);
  HEADRACE_TRY(Change(bucket, [&](Connection& db, const Bucket& in, std::vector<std::string>& released) -> Status {
    if (!BlobInUse(db, from.blob))
      return Fail(ErrorCode::kNotFound, "object {}/{}: was replaced while it was copied", from.bucket, from.key);
    return Replace(db, in, object, wanted, released);
  }));
  return object;
}

Status ObjectStore::UpdateInfo(const std::string& bucket, const std::string& key,
                               const std::function<void(ObjectInfo&)>& change) {
  return Change(bucket, [&](Connection& db, const Bucket& in, std::vector<std::string>&) -> Status {
    HEADRACE_ASSIGN(Object object, FindObject(db, in, key));
    change(object.info);
    PutObject(db, in, object);
    return {};
  });
}

Result<bool> ObjectStore::Delete(const std::string& bucket, const std::string& key, const Precondition& wanted,
                                 const Guard& guard) {
  bool existed = false;
  HEADRACE_TRY(Change(WriteKind::kFrees, bucket,
                      [&](Connection& db, const Bucket& in, std::vector<std::string>& released) -> Status {
                        if (guard) HEADRACE_TRY(guard(in, {}));
                        HEADRACE_TRY(CheckPrecondition(db, in, key, wanted));
                        const auto object = FindObject(db, in, key);
                        existed = object.has_value();
                        if (!existed) return {};
                        released.push_back(object->blob);
                        DeleteObject(db, in, key);
                        return {};
                      }));
  return existed;
}

Status ObjectStore::DeleteMany(const std::string& bucket, const std::vector<std::string>& keys) {
  return Change(WriteKind::kFrees, bucket,
                [&](Connection& db, const Bucket& in, std::vector<std::string>& released) -> Status {
                  for (const std::string& key : keys) {
                    const auto object = FindObject(db, in, key);
                    if (!object) continue;
                    released.push_back(object->blob);
                    DeleteObject(db, in, key);
                  }
                  return {};
                });
}

}  // namespace headrace::store
