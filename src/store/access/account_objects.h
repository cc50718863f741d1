// AccountObjects: the object store as one caller may use it. Whoever acts on an account's behalf (training jobs,
// models, batch transforms, and the operations that take them) has this instead of the ObjectStore, so that no read and
// no write can forget to ask: each call asks, in the transaction of the act, the permission that the caller's own
// request to S3 would need.
//
// Errors: kNotFound for a bucket or an object that is not there, kFailedPrecondition ("access … is denied") where the
// permission is missing.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/access/permissions.h"
#include "store/objects/object_store.h"

namespace headrace::store {

class AccountObjects {
 public:
  // `objects` outlives it.
  AccountObjects(ObjectStore& objects, Caller caller) : objects_(&objects), caller_(std::move(caller)) {}

  // s3:GetObject. To learn that there is none takes s3:ListBucket.
  Result<Object> Find(const std::string& bucket, const std::string& key) const;
  Result<OpenObject> Open(const std::string& bucket, const std::string& key) const;
  // s3:ListBucket, and s3:GetObject of each: all objects whose keys begin with `prefix`.
  Result<std::vector<Object>> FindBelow(const std::string& bucket, const std::string& prefix) const;
  // The same of the first of them alone; kNotFound without one.
  Result<Object> FindFirstBelow(const std::string& bucket, const std::string& prefix) const;
  // Of an object that was found here. The file never changes, and is gone when the object is replaced or deleted.
  std::string BlobPath(const Object& object) const { return objects_->BlobPath(object); }

  // s3:PutObject. The object is the account's, with the content type binary/octet-stream.
  Result<BlobWriter> NewBlob() const { return objects_->NewBlob(); }
  Result<Object> Commit(BlobWriter writer, const std::string& bucket, const std::string& key) const;
  // Of a file: kUnavailable when `cancelled` before all of it was read.
  Result<Object> PutFile(const std::string& bucket, const std::string& key, const std::string& path, bool move,
                         const std::function<bool()>& cancelled) const;
  // s3:DeleteObject. False when there was none.
  Result<bool> Delete(const std::string& bucket, const std::string& key) const;

  // Whether the caller may do `action` ("s3:PutObject") to `key` now. For refusing early: the act asks again.
  Status Check(const std::string& bucket, const std::string& key, std::string_view action) const;

 private:
  Guard Asks(std::string action, std::string key) const;
  Guard AsksToRead(std::string key) const;
  Result<std::vector<Object>> Page(const ListQuery& query, bool& truncated, std::string& last) const;

  ObjectStore* objects_;
  Caller caller_;
};

// Where AccountObjects come from.
class ObjectAccess {
 public:
  ObjectAccess() = default;
  ObjectAccess(ObjectStore* objects) : objects_(objects) {}  // NOLINT: a store is all that it takes; it outlives this

  explicit operator bool() const { return objects_ != nullptr; }
  AccountObjects As(Caller caller) const { return {*objects_, std::move(caller)}; }
  // As the principal that has the account; an error is the database's.
  Result<AccountObjects> Of(const std::string& account_id) const;

 private:
  ObjectStore* objects_ = nullptr;
};

}  // namespace headrace::store
