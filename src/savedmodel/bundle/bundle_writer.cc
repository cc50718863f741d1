#include "savedmodel/bundle/bundle_writer.h"

#include "headrace/data.h"

#include "savedmodel/proto/tensor_bundle.pb.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {

Result<BundleWriter> BundleWriter::Create(const std::string& prefix) {
  HEADRACE_ASSIGN(AtomicFile data, AtomicFile::Create(prefix + ".data-00000-of-00001"));
  return BundleWriter(prefix, std::move(data));
}

Status BundleWriter::Add(const std::string& name, const Tensor& tensor) {
  if (name.empty() || entries_.count(name) > 0)
    return Fail(ErrorCode::kInvalidArgument, "{}: a second tensor named '{}'", prefix_, name);
  const std::string_view bytes(static_cast<const char*>(tensor.raw()), tensor.bytes());
  HEADRACE_TRY(data_.Write(bytes));

  tf::BundleEntryProto entry;
  entry.set_dtype(ToProto(tensor.dtype()));
  ToProto(tensor.shape(), entry.mutable_shape());
  entry.set_offset(static_cast<int64_t>(offset_));
  entry.set_size(static_cast<int64_t>(bytes.size()));
  entry.set_crc32c(data::MaskCrc(data::Crc32c(bytes)));
  entries_[name] = entry.SerializeAsString();
  offset_ += bytes.size();
  return {};
}

Status BundleWriter::Finish() {
  tf::BundleHeaderProto header;
  header.set_num_shards(1);
  header.mutable_version()->set_producer(1);
  entries_[""] = header.SerializeAsString();
  HEADRACE_TRY(data_.Commit());
  return WriteFileAtomically(prefix_ + ".index", BuildTable(entries_));
}

}  // namespace headrace::savedmodel
