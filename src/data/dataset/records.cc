// Records of files, one after the other.
#include "base/result.h"
#include "data/dataset/nodes.h"
#include "data/dataset/record_element.h"

namespace headrace::data {
namespace {

struct RecordsNode : Dataset::Node {
  std::vector<std::string> files;
  ReaderOptions options;
  OpenRecords open;

  RecordsNode(std::vector<std::string> names, ReaderOptions reader, OpenRecords opener)
      : files(std::move(names)), options(std::move(reader)), open(opener) {}
  std::unique_ptr<Stage> Start(const Context& context) const override;
  int64_t cardinality() const override { return files.empty() ? 0 : kUnknown; }
};

class RecordsStage : public ElementStage {
 public:
  RecordsStage(const RecordsNode& node, const Context& context) : node_(node), context_(context) {}

  int64_t Skip(int64_t count) override {
    int64_t skipped = 0;
    while (skipped < count && OpenNext()) {
      skipped += ValueOrThrow(stream_->Skip(count - skipped));
      if (skipped < count) stream_.reset();
    }
    return skipped;
  }

 protected:
  bool PullOne(Element& out) override {
    while (OpenNext()) {
      const auto record = ValueOrThrow(stream_->Next());
      if (record) {
        out = ElementOf(*stream_, *record, context_);
        return true;
      }
      stream_.reset();
    }
    return false;
  }
  bool ready() const override { return stream_ && stream_->HasMore(); }

 private:
  // False when there is no file left.
  bool OpenNext() {
    if (stream_) return true;
    if (next_file_ == node_.files.size()) return false;
    stream_ = ValueOrThrow(node_.open(node_.files[next_file_++], node_.options, context_.stop));
    return true;
  }

  const RecordsNode& node_;
  Context context_;
  size_t next_file_ = 0;
  std::unique_ptr<RecordStream> stream_;  // null between two files
};

std::unique_ptr<Stage> RecordsNode::Start(const Context& context) const {
  return std::make_unique<RecordsStage>(*this, context);
}

}  // namespace

NodePtr MakeRecords(std::vector<std::string> files, ReaderOptions options, OpenRecords open) {
  return std::make_shared<RecordsNode>(std::move(files), std::move(options), open);
}

}  // namespace headrace::data
