// ObjectStore: buckets and objects, bytes as files and what is known of them in the database. Synchronous: call it on
// a pool. Thread-safe. It checks no permission but asks the guard that it is given; who acts for an account takes
// access/account_objects.h instead.
//
//   auto writer = store.NewBlob();  writer->Write(bytes)…;
//   store.Commit(std::move(*writer), "bucket", "key", info);
//
// What Commit and its like have returned survives a crash; until then nothing is to be seen. Replaced and deleted
// bytes go away once no row names them; who has them open keeps reading, and who needs the file longer links it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/meta/buckets.h"
#include "store/meta/database.h"
#include "store/meta/objects.h"
#include "store/meta/uploads.h"
#include "store/objects/blob_directory.h"

namespace headrace::store {

struct OpenObject {
  Object object;
  std::shared_ptr<const Descriptor> file;
};

// Asked in the transaction of an act, with the bucket and the objects that are looked at (none for one that is not
// there, and for writes): an error keeps the act from happening.
using Guard = std::function<Status(const Bucket& bucket, std::span<const Object> objects)>;

class ObjectStore {
 public:
  // `directory`: D/objects. Leftovers of a crash are removed in the background.
  static Result<std::unique_ptr<ObjectStore>> Open(Database& database, const Clock& clock,
                                                   const std::string& directory);
  ~ObjectStore();

  // Buckets. kAlreadyExists; kNotFound; kFailedPrecondition for deleting one that holds objects. Unfinished uploads go
  // with it.
  Result<Bucket> CreateBucket(Bucket bucket);
  Result<Bucket> FindBucket(const std::string& name) const;
  Result<std::vector<Bucket>> ListBuckets(const std::string& owner) const;
  Status UpdateBucket(const std::string& name, const std::function<void(Bucket&)>& change);
  Status DeleteBucket(const std::string& name);

  // Objects. kNotFound; kFailedPrecondition when `wanted` does not hold. The ETag is the MD5.
  Result<BlobWriter> NewBlob(Hashing hashing = Hashing::kHere) const { return blobs_->New(hashing); }
  Result<Object> Commit(BlobWriter writer, const std::string& bucket, const std::string& key, ObjectInfo info,
                        const Precondition& wanted = {}, const Guard& guard = {});
  // Takes a finished file: it moves when `move` and both lie in one file system, and is copied otherwise. kUnavailable
  // when `cancelled` before all of it was read; nothing has happened then.
  Result<Object> PutFile(
      const std::string& bucket, const std::string& key, const std::string& path, ObjectInfo info, bool move,
      const Guard& guard = {}, const std::function<bool()>& cancelled = [] { return false; });
  Result<Object> Find(const std::string& bucket, const std::string& key, const Guard& guard = {}) const;
  Result<OpenObject> Open(const std::string& bucket, const std::string& key, const Guard& guard = {}) const;
  Result<std::shared_ptr<const Descriptor>> Open(const Object& object) const;
  std::string BlobPath(const Object& object) const { return blobs_->PathOf(object.blob); }
  Result<Listing> List(const ListQuery& query, const Guard& guard = {}) const;
  // New bytes for nothing: both objects name the same blob. kNotFound when `from` has been replaced meanwhile.
  Result<Object> Copy(const Object& from, const std::string& bucket, const std::string& key, ObjectInfo info,
                      const Precondition& wanted = {});
  // Changes acl or tags of an object where it is.
  Status UpdateInfo(const std::string& bucket, const std::string& key, const std::function<void(ObjectInfo&)>& change);
  // False when there was none.
  Result<bool> Delete(const std::string& bucket, const std::string& key, const Precondition& wanted = {},
                      const Guard& guard = {});
  // In one transaction.
  Status DeleteMany(const std::string& bucket, const std::vector<std::string>& keys);

  // Multipart uploads. kNotFound for an upload that is unknown, finished or aborted.
  Result<Upload> CreateUpload(const std::string& bucket, const std::string& key, const std::string& initiator,
                              ObjectInfo info);
  Result<Upload> FindUpload(const std::string& bucket, const std::string& key, const std::string& id) const;
  Result<UploadListing> ListUploads(const UploadQuery& query) const;
  Result<UploadPart> CommitPart(BlobWriter writer, const Upload& upload, int number,
                                std::map<std::string, std::string> checksums);
  Result<std::vector<UploadPart>> ListParts(const Upload& upload, int after, size_t limit) const;
  // `parts` as ListParts gave them, in order. The ETag is the MD5 of their MD5s and "-N". With `keep_checksums` those
  // of the parts stay known. kAlreadyExists when `wanted` names a state that another write has ended since the upload
  // was created.
  Result<Object> CompleteUpload(const Upload& upload, const std::vector<UploadPart>& parts, ObjectInfo info,
                                const Precondition& wanted = {}, bool keep_checksums = false);
  // By number, above `after`; none of objects whose upload did not keep them.
  using PartChecksums = std::map<int, std::map<std::string, std::string>>;
  Result<PartChecksums> ListPartChecksums(const Object& object, int after, size_t limit) const;
  Status AbortUpload(const Upload& upload);

  Database& database() const { return database_; }

  // Removes files that no row names, of earlier runs; returns how many.
  size_t RemoveOrphans(const std::function<bool()>& stop) const;

 private:
  ObjectStore(Database& database, const Clock& clock, std::unique_ptr<BlobDirectory> blobs);
  // One transaction; afterwards removes those of the blobs it names that no row names any more.
  using Work = std::function<Status(Connection&, const Bucket&, std::vector<std::string>& released)>;
  Status Change(WriteKind kind, const std::string& bucket, const Work& work);
  Status Change(const std::string& bucket, const Work& work) { return Change(WriteKind::kGrows, bucket, work); }
  Status Look(const std::string& bucket, const std::function<Status(Connection&, const Bucket&)>& work) const;
  // In a transaction: puts the row and names the blob it replaced.
  Status Replace(Connection& db, const Bucket& bucket, const Object& object, const Precondition& wanted,
                 std::vector<std::string>& released) const;

  Database& database_;
  const Clock& clock_;
  std::unique_ptr<BlobDirectory> blobs_;
  std::jthread sweeper_;  // last: it uses the rest
};

}  // namespace headrace::store
