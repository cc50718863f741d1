// Permissions: what one caller may do in one bucket. The only place that decides it, for requests to S3 and for what
// the platform does on somebody's behalf alike: the bucket's owner may do everything that the bucket's policy does not
// deny, others what the policy, the bucket's ACL or an object's ACL lets them. Where the bucket's public access block
// ignores public ACLs or restricts public policies, or its ownership controls end ACLs, these let nobody in.
#pragma once

#include <optional>
#include <string_view>

#include "store/access/caller.h"
#include "store/access/policy.h"
#include "store/meta/objects.h"

namespace headrace::store {

class Permissions {
 public:
  // Both outlive it.
  Permissions(const Caller& caller, const Bucket& bucket);

  // `action`: "s3:GetObject"; `key`: "" for what concerns the bucket; `object`: what lies there, or nullptr.
  bool Allow(std::string_view action, std::string_view key, const ObjectInfo* object = nullptr) const;

 private:
  Verdict Judge(std::string_view action, std::string_view key) const;

  const Caller& caller_;
  const Bucket& bucket_;
  const bool owner_;
  const bool acls_count_, public_acls_count_;
  std::optional<Policy> policy_;
};

}  // namespace headrace::store
