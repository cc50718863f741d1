// Reads TensorBundles, of one or several data files. See bundle_writer.h.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/tensor.h"

#include "base/result.h"
#include "savedmodel/proto/tensor_bundle.pb.h"

namespace headrace::savedmodel {

struct BundleIndex {
  int num_shards = 1;
  std::map<std::string, tf::BundleEntryProto> entries;  // by tensor name
};

// The contents of an index file; `path` is for messages. Entries have known shapes, sizes that agree with them and
// offsets that are not negative; whether the data files hold them is seen when they are read.
Result<BundleIndex> ParseBundleIndex(std::string_view file, const std::string& path);

class BundleReader {
 public:
  // Reads `prefix`.index and looks at the sizes of the data files. Refuses big-endian bundles, more than `max_bytes` of
  // tensors, and tensors that do not have bytes of their own in an ordinary file.
  static Result<BundleReader> Open(const std::string& prefix, uint64_t max_bytes);

  bool Has(const std::string& name) const { return index_.entries.count(name) > 0; }
  std::vector<std::string> names() const;
  // kNotFound when it is not there. The checksum is verified; memory is allocated only for bytes that are there.
  Result<Tensor> Read(const std::string& name) const;

 private:
  BundleReader(std::string prefix, BundleIndex index) : prefix_(std::move(prefix)), index_(std::move(index)) {}

  std::string prefix_;
  BundleIndex index_;
};

}  // namespace headrace::savedmodel
