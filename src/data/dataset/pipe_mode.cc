// Records of a job's Pipe mode channel: every run of this source is one epoch, read from the epoch's FIFO.
#include <string>
#include <utility>

#include "base/result.h"
#include "data/dataset/nodes.h"
#include "data/dataset/record_element.h"
#include "data/pipe/channel_config.h"
#include "data/pipe/channel_reader.h"

namespace headrace::data {
namespace {

struct PipeModeNode : Dataset::Node {
  explicit PipeModeNode(ChannelReader reader) : channel(std::move(reader)) {}
  ChannelReader channel;

  std::unique_ptr<Stage> Start(const Context& context) const override;
  int64_t cardinality() const override { return kUnknown; }
  bool replayable() const override { return false; }  // a run takes an epoch
};

class PipeModeStage : public ElementStage {
 public:
  PipeModeStage(const ChannelReader& channel, const Context& context) : channel_(channel), context_(context) {}

  int64_t Skip(int64_t count) override { return ValueOrThrow(Records().Skip(count)); }

 protected:
  bool PullOne(Element& out) override {
    RecordStream& records = Records();
    const auto record = ValueOrThrow(records.Next());
    if (record) out = ElementOf(records, *record, context_);
    return record.has_value();
  }
  bool ready() const override { return records_ && records_->HasMore(); }

 private:
  // Takes the next epoch when the first of its records is asked for.
  RecordStream& Records() {
    if (!records_) records_ = ValueOrThrow(channel_.OpenNextEpoch(context_.stop));
    return *records_;
  }

  const ChannelReader& channel_;
  Context context_;
  std::unique_ptr<RecordStream> records_;  // null until the first record is asked for
};

std::unique_ptr<Stage> PipeModeNode::Start(const Context& context) const {
  return std::make_unique<PipeModeStage>(channel, context);
}

}  // namespace

NodePtr MakePipeMode(const std::string& channel, const PipeModeOptions& options) {
  return std::make_shared<PipeModeNode>(ValueOrThrow(ChannelReader::Make(channel, options)));
}

std::string ChannelInputMode(const std::string& channel) {
  return ValueOrThrow(InputModeOf(ConfigDirectory(), channel));
}

bool ChannelIsSharded(const std::string& channel) { return ValueOrThrow(IsSharded(ConfigDirectory(), channel)); }

}  // namespace headrace::data
