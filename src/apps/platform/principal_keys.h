// PrincipalKeys: the keys that signatures are checked against, from the database.
#pragma once

#include "aws/identity.h"
#include "store/meta/principals.h"

namespace headrace::apps {

class PrincipalKeys : public aws::KeyLookup {
 public:
  explicit PrincipalKeys(const store::Principals& principals) : principals_(principals) {}
  std::optional<aws::SigningKey> Find(std::string_view access_key_id) const override;

 private:
  const store::Principals& principals_;
};

}  // namespace headrace::apps
