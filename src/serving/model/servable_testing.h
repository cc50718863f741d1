// A servable of one input [-1, 1] that doubles it, and tells how it was run.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serving/model/servable.h"
#include "serving/proto/inference.pb.h"

namespace headrace::serving::testing {

class Doubler : public Servable {
 public:
  const std::vector<Signature>& signatures() const override { return signatures_; }
  const ::tensorflow::serving::SignatureDefMap& definitions() const override { return definitions_; }
  Result<std::vector<Tensor>> Run(size_t, const std::vector<Tensor>& inputs, size_t runner) override {
    ++entered;
    {
      const std::lock_guard lock(gate);
      batches.push_back(inputs[0].dim(0));
      runners.push_back(runner);
    }
    std::this_thread::sleep_for(time_of_a_row * inputs[0].dim(0));
    Tensor output(DType::kFloat32, inputs[0].shape());
    for (int64_t i = 0; i < output.size(); ++i) output.data<float>()[i] = 2 * inputs[0].data<float>()[i];
    return std::vector<Tensor>{output};
  }

  std::atomic<int> entered{0};  // runs that have begun
  std::mutex gate;              // held by a test to keep the thread busy
  std::vector<int64_t> batches;
  std::vector<size_t> runners;
  std::chrono::microseconds time_of_a_row{0};

 private:
  std::vector<Signature> signatures_ = {
      {"serving_default", "", {{"x", DType::kFloat32, {-1, 1}}}, {{"y", DType::kFloat32, {-1, 1}}}}};
  ::tensorflow::serving::SignatureDefMap definitions_;
};

}  // namespace headrace::serving::testing
