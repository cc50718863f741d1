#include "store/access/account_objects.h"

namespace headrace::store {
namespace {

tl::unexpected<Error> Denied(const Bucket& bucket, std::string_view key, const Caller& caller,
                             std::string_view action) {
  return Fail(ErrorCode::kFailedPrecondition, "access to s3://{}{}{} is denied: account {} has no {} there",
              bucket.name, key.empty() ? "" : "/", key, caller.account_id, action);
}

ObjectInfo InfoOf(const Caller& caller) {
  ObjectInfo info;
  info.owner = caller.account_id;
  info.headers = {{"Content-Type", "binary/octet-stream"}};
  return info;
}

// A missing bucket in the words of who asked for it.
template <typename T>
Result<T> Named(Result<T> result, const std::string& bucket, const std::string& key) {
  if (result || result.error().code() != ErrorCode::kNotFound) return result;
  if (key.empty()) return Fail(ErrorCode::kNotFound, "the bucket '{}' does not exist", bucket);
  return Fail(ErrorCode::kNotFound, "there is no object s3://{}/{}", bucket, key);
}

}  // namespace

Guard AccountObjects::Asks(std::string action, std::string key) const {
  return [this, action = std::move(action), key = std::move(key)](const Bucket& bucket,
                                                                  std::span<const Object>) -> Status {
    if (Permissions(caller_, bucket).Allow(action, key)) return {};
    return Denied(bucket, key, caller_, action);
  };
}

Guard AccountObjects::AsksToRead(std::string key) const {
  return [this, key = std::move(key)](const Bucket& bucket, std::span<const Object> objects) -> Status {
    const Permissions permissions(caller_, bucket);
    if (objects.empty() && !permissions.Allow("s3:ListBucket", "")) return Denied(bucket, key, caller_, "s3:GetObject");
    if (!objects.empty() && !permissions.Allow("s3:GetObject", key, &objects.front().info))
      return Denied(bucket, key, caller_, "s3:GetObject");
    return {};
  };
}

Result<Object> AccountObjects::Find(const std::string& bucket, const std::string& key) const {
  return Named(objects_->Find(bucket, key, AsksToRead(key)), bucket, key);
}

Result<OpenObject> AccountObjects::Open(const std::string& bucket, const std::string& key) const {
  return Named(objects_->Open(bucket, key, AsksToRead(key)), bucket, key);
}

Result<std::vector<Object>> AccountObjects::Page(const ListQuery& query, bool& truncated, std::string& last) const {
  const Guard guard = [this](const Bucket& bucket, std::span<const Object> objects) -> Status {
    const Permissions permissions(caller_, bucket);
    if (!permissions.Allow("s3:ListBucket", "")) return Denied(bucket, "", caller_, "s3:ListBucket");
    for (const Object& object : objects)
      if (!permissions.Allow("s3:GetObject", object.key, &object.info))
        return Denied(bucket, object.key, caller_, "s3:GetObject");
    return {};
  };
  HEADRACE_ASSIGN(Listing listing, Named(objects_->List(query, guard), query.bucket, ""));
  truncated = listing.truncated;
  last = std::move(listing.last);
  return std::move(listing.objects);
}

Result<std::vector<Object>> AccountObjects::FindBelow(const std::string& bucket, const std::string& prefix) const {
  std::vector<Object> all;
  ListQuery query{.bucket = bucket, .prefix = prefix};
  for (bool truncated = true; truncated;) {
    HEADRACE_ASSIGN(std::vector<Object> page, Page(query, truncated, query.after));
    std::move(page.begin(), page.end(), std::back_inserter(all));
  }
  return all;
}

Result<Object> AccountObjects::FindFirstBelow(const std::string& bucket, const std::string& prefix) const {
  bool truncated = false;
  std::string last;
  HEADRACE_ASSIGN(std::vector<Object> page, Page({.bucket = bucket, .prefix = prefix, .limit = 1}, truncated, last));
  if (page.empty()) return Fail(ErrorCode::kNotFound, "there are no objects below s3://{}/{}", bucket, prefix);
  return std::move(page.front());
}

Result<Object> AccountObjects::Commit(BlobWriter writer, const std::string& bucket, const std::string& key) const {
  return Named(objects_->Commit(std::move(writer), bucket, key, InfoOf(caller_), {}, Asks("s3:PutObject", key)), bucket,
               "");
}

Result<Object> AccountObjects::PutFile(const std::string& bucket, const std::string& key, const std::string& path,
                                       bool move, const std::function<bool()>& cancelled) const {
  HEADRACE_TRY(Check(bucket, key, "s3:PutObject"));  // before the file is moved or copied
  return objects_->PutFile(bucket, key, path, InfoOf(caller_), move, Asks("s3:PutObject", key), cancelled);
}

Result<bool> AccountObjects::Delete(const std::string& bucket, const std::string& key) const {
  return Named(objects_->Delete(bucket, key, {}, Asks("s3:DeleteObject", key)), bucket, "");
}

Status AccountObjects::Check(const std::string& bucket, const std::string& key, std::string_view action) const {
  HEADRACE_ASSIGN(const Bucket found, Named(objects_->FindBucket(bucket), bucket, ""));
  return Asks(std::string(action), key)(found, {});
}

Result<AccountObjects> ObjectAccess::Of(const std::string& account_id) const {
  HEADRACE_ASSIGN(Caller caller, CallerOf(objects_->database(), account_id));
  return As(std::move(caller));
}

}  // namespace headrace::store
