// serving_floor VERSION_DIRECTORY BATCH [SECONDS]: medians, in milliseconds, of what serving one request costs without
// a server: parsing its JSON, computing, printing the answer; each measured for so long (4) or 500 times.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/processors.h"
#include "serving/codec/json_response.h"
#include "serving/codec/predict_request.h"
#include "serving/model/servable.h"
#include "tensor/parallel.h"

namespace {

double MedianMilliseconds(double seconds, const std::function<void()>& run) {
  std::vector<double> times;
  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::duration<double> limit(seconds);
  for (int i = 0; i < 500 && std::chrono::steady_clock::now() - begin < limit; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  using namespace headrace;
  using namespace headrace::serving;
  const double seconds = argc == 4 ? std::atof(argv[3]) : 4;
  if (argc < 3 || argc > 4 || seconds <= 0) {
    std::fputs("usage: serving_floor VERSION_DIRECTORY BATCH [SECONDS]\n", stderr);
    return 2;
  }
  if (static_cast<size_t>(tensor::NumThreads()) == Processors().size()) tensor::PinThreads(0);  // as the model server's
  const auto model = LoadServable(argv[1], {});
  if (!model) {
    std::fprintf(stderr, "serving_floor: %s\n", model.error().what());
    return 1;
  }
  const Signature& signature = (*model)->signatures()[0];
  const int64_t batch = std::atoll(argv[2]);
  Tensor x(DType::kFloat32, WithRows(signature.inputs[0].shape, batch));
  uint32_t state = 1;
  for (int64_t i = 0; i < x.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    x.data<float>()[i] = static_cast<float>(state >> 8) * 0x1p-24f * 255;
  }
  // The body as Python writes it: doubles that come from floats.
  std::string text = "{\"instances\": [";
  const Shape& shape = signature.inputs[0].shape;
  const std::function<void(const float*&, size_t)> append = [&](const float*& at, size_t axis) {
    if (axis == shape.rank()) {
      char number[32];
      text.append(number,
                  static_cast<size_t>(std::snprintf(number, sizeof number, "%.17g", static_cast<double>(*at++))));
      return;
    }
    text += '[';
    for (int64_t i = 0; i < shape[axis]; ++i) {
      if (i > 0) text += ", ";
      append(at, axis + 1);
    }
    text += ']';
  };
  const float* at = x.data<float>();
  for (int64_t row = 0; row < batch; ++row) {
    if (row > 0) text += ", ";
    append(at, 1);
  }
  const JsonBody body(text + "]}");
  std::vector<Tensor> outputs = *(*model)->Run(0, {x}, 0);
  std::printf("parse %.4f\n",
              MedianMilliseconds(seconds, [&] { (void)ParsePredict(body, JsonForm::kObject, signature); }));
  std::printf("compute %.4f\n", MedianMilliseconds(seconds, [&] { outputs = *(*model)->Run(0, {x}, 0); }));
  std::printf("print %.4f\n", MedianMilliseconds(seconds, [&] { (void)PredictResponse(signature, outputs, true); }));
  return 0;
}
