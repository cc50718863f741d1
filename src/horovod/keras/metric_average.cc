// MetricAverageCallback.
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "horovod/comparison.h"
#include "horovod/keras/callbacks.h"
#include "keras/callbacks/callbacks.h"

namespace headrace::hvd {
namespace {

class MetricAverageCallback final : public keras::internal::BuiltInCallback {
 public:
  explicit MetricAverageCallback(Communicator& communicator) : communicator_(communicator) {}

  void on_epoch_end(int /*epoch*/, keras::Logs& logs) override {
    if (communicator_.place().size == 1) return;
    const std::map<std::string, double> by_name(logs.begin(), logs.end());  // sorted: the same order on all ranks
    std::vector<Fact> names;
    std::vector<double> values;
    for (const auto& [name, value] : by_name) {
      names.push_back({fmt::format("metric {}", names.size()), name});
      values.push_back(value);
    }
    ValueOrThrow(CompareAcrossRanks(communicator_, "keras.metric_names", names,
                                    "; MetricAverageCallback averages what all ranks have measured: the same metrics "
                                    "and callbacks before it on every rank"));
    Collective average{.type = CollectiveType::kAllreduce, .name = "keras.metrics", .dtype = DataType::kFloat64};
    average.shape = {static_cast<int64_t>(values.size())};
    average.input = average.output = values.data();
    ValueOrThrow(Run(communicator_, std::move(average)));
    size_t i = 0;
    for (const auto& [name, value] : by_name) logs.Set(name, values[i++]);
  }

 private:
  Communicator& communicator_;
};

}  // namespace

keras::CallbackPtr MakeMetricAverageCallback(Communicator& communicator) {
  return std::make_shared<MetricAverageCallback>(communicator);
}

}  // namespace headrace::hvd
