// The C++ side of test_png.py, test_jpeg.py and test_resize.py.
//
//   image_tool decode CHANNELS FILE...
//       Of each image file a line with its shape and its pixels in hexadecimal, or "refused" and why.
//   image_tool resize FILE H W C HEIGHT WIDTH METHOD ANTIALIAS KEEP
//       The file's bytes are uint8 [H, W, C]; the result's are written as numpy has them.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "headrace/data.h"
#include "headrace/error.h"

#include "base/file.h"
#include "base/result.h"

namespace {

using namespace headrace;
namespace image = headrace::data::image;

void Decode(int channels, const std::string& path) {
  try {
    const Tensor pixels = image::DecodeImage(ValueOrThrow(ReadRegularFile(path, size_t{1} << 28)), channels);
    std::printf("%s ", pixels.shape().ToString().c_str());
    for (int64_t k = 0; k < pixels.size(); ++k) std::printf("%02x", pixels.data<uint8_t>()[k]);
    std::printf("\n");
  } catch (const Error& error) {
    std::printf("refused %s\n", error.what());
  }
}

void Resize(const std::vector<std::string>& arguments) {
  static const std::map<std::string, data::ResizeMethod> kMethods = {
      {"bilinear", data::ResizeMethod::kBilinear}, {"nearest", data::ResizeMethod::kNearest},
      {"bicubic", data::ResizeMethod::kBicubic},   {"area", data::ResizeMethod::kArea},
      {"lanczos3", data::ResizeMethod::kLanczos3}, {"lanczos5", data::ResizeMethod::kLanczos5},
      {"gaussian", data::ResizeMethod::kGaussian}, {"mitchellcubic", data::ResizeMethod::kMitchellCubic}};
  const auto number = [&](size_t i) { return std::stol(arguments.at(i)); };
  const Tensor pixels = data::FromBytes(ValueOrThrow(ReadRegularFile(arguments.at(1), size_t{1} << 28)))
                            .Reshape({number(2), number(3), number(4)});
  const Tensor resized = image::Resize(
      pixels, number(5), number(6),
      {.method = kMethods.at(arguments.at(7)), .preserve_aspect_ratio = number(9) != 0, .antialias = number(8) != 0});
  std::fwrite(resized.raw(), 1, resized.bytes(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.at(0) == "resize") Resize(arguments);
    if (arguments.at(0) == "decode")
      for (size_t i = 2; i < arguments.size(); ++i) Decode(std::stoi(arguments.at(1)), arguments[i]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "image_tool: %s\n", error.what());
    return 1;
  }
}
