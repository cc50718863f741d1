// Bucket policies: the part of the policy language that decides by principal, action and resource. What we cannot
// honour (conditions, the Not… forms) is refused when the policy is put, so a stored one means what it says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/access/caller.h"

namespace headrace::store {

enum class Verdict { kNone, kAllow, kDeny };

class Policy {
 public:
  // kInvalidArgument for what is no policy; kFailedPrecondition, with the name of the feature, for what is beyond us.
  // `bucket`: resources must lie in it.
  static Result<Policy> Parse(std::string_view document, const std::string& bucket);

  // `action`: "s3:GetObject"; `resource`: "arn:aws:s3:::bucket/key". A Deny beats any Allow.
  Verdict Judge(const Caller& caller, std::string_view action, std::string_view resource) const;
  // Whether it lets everybody do something: what S3 calls public.
  bool IsPublic() const;

 private:
  struct Statement {
    bool allow = false;
    std::vector<std::string> principals, actions, resources;
  };
  std::vector<Statement> statements_;
  friend class PolicyReader;
};

// '*' stands for any text, '?' for one character. Time grows with the product of the lengths at worst.
bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace headrace::store
