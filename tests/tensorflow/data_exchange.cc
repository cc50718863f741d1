// The C++ side of test_data.py.
//   data_exchange write FILE none|gzip|zlib COUNT       writes Examples 0 to COUNT-1
//   data_exchange check FILE auto|none|gzip|zlib COUNT  reads them and compares every value
//   data_exchange augment FILE                          uint8 [3, 32, 32] to every crop and flip [9, 9, 2, 32, 32, 3]
//   data_exchange resize FILE H W HEIGHT WIDTH          ResizeWithCropOrPad of uint8 [H, W, 3]
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "headrace/data.h"

namespace {

using namespace headrace;
using namespace headrace::data;

struct Values {
  std::string image;
  int64_t label;
  std::vector<int64_t> numbers;
  std::vector<float> scores;
};

Values ValuesOf(int64_t index) {
  Values values{.label = index - 3};
  for (int64_t i = 0; i < index * 11 % 5000; ++i) values.image += static_cast<char>((index * 7 + i) % 256);
  for (int64_t i = 0; i < index % 60; ++i) {
    const auto shifted = i << i % 40;
    values.numbers.push_back(i % 2 == 0 ? shifted : -shifted);
  }
  for (int64_t i = 0; i < index % 9; ++i) values.scores.push_back(static_cast<float>(i) / 4);
  return values;
}

Compression CompressionOf(const std::string& name) {
  if (name == "auto") return Compression::kAuto;
  if (name == "gzip") return Compression::kGzip;
  return name == "zlib" ? Compression::kZlib : Compression::kNone;
}

void Write(const std::string& path, const std::string& compression, int64_t count) {
  TFRecordWriter writer(path, {.compression = CompressionOf(compression)});
  for (int64_t index = 0; index < count; ++index) {
    const Values values = ValuesOf(index);
    writer.Write(ExampleBuilder()
                     .Bytes("image", values.image)
                     .Int64("label", values.label)
                     .Int64List("numbers", values.numbers)
                     .FloatList("scores", values.scores)
                     .Serialize());
  }
  writer.Close();
}

bool Check(const std::string& path, const std::string& compression, int64_t count) {
  TFRecordReader reader(path, {.compression = CompressionOf(compression)});
  for (int64_t index = 0; index < count; ++index) {
    const auto record = reader.Next();
    if (!record) return false;
    const ExampleView view(*record);
    const Values values = ValuesOf(index);
    if (view.Bytes("image") != values.image || view.Int64("label") != values.label ||
        view.Int64List("numbers") != values.numbers || view.FloatList("scores") != values.scores)
      return false;
  }
  return !reader.Next();
}

Tensor ReadImage(const std::string& path, const Shape& shape) {
  std::ifstream file(path, std::ios::binary);
  return FromBytes(std::string(std::istreambuf_iterator<char>(file), {})).Reshape(shape);
}

void Print(const Tensor& tensor) { std::fwrite(tensor.raw(), 1, tensor.bytes(), stdout); }

void Augment(const std::string& path) {
  const Tensor chw = ReadImage(path, {3, 32, 32});
  for (int64_t top = 0; top < 9; ++top)
    for (int64_t left = 0; left < 9; ++left)
      for (const bool flip : {false, true})
        Print(image::AugmentChw(chw, {.padding = 4, .top = top, .left = left, .flip = flip}));
}

int Run(const std::vector<std::string>& arguments) {
  const std::string& what = arguments.at(0);
  if (what == "write") Write(arguments.at(1), arguments.at(2), std::stol(arguments.at(3)));
  if (what == "check")
    std::puts(Check(arguments.at(1), arguments.at(2), std::stol(arguments.at(3))) ? "ok" : "different");
  if (what == "augment") Augment(arguments.at(1));
  if (what == "resize")
    Print(image::ResizeWithCropOrPad(
        ReadImage(arguments.at(1), {std::stol(arguments.at(2)), std::stol(arguments.at(3)), 3}),
        std::stol(arguments.at(4)), std::stol(arguments.at(5))));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "data_exchange: %s\n", error.what());
    return 1;
  }
}
