// InputObject: one object of the store as a job finds it on its host.
#pragma once

#include <cstdint>
#include <string>

namespace headrace::jobs {

struct InputObject {
  std::string blob;  // path of the object's bytes
  std::string name;  // relative to the channel's directory; safe: no "..", not absolute
  std::string key;
  std::string etag;
  std::string literal;  // bytes that stand for an object, when there is no blob: an attribute of an augmented manifest
  uint64_t size = 0;
};

}  // namespace headrace::jobs
