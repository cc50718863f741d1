// png_tool CHANNELS FILE...: of each PNG file a line with its shape and its pixels in hexadecimal, or "refused".
#include <cstdio>
#include <cstdlib>

#include "headrace/error.h"

#include "apps/evaluation/png_decoder.h"
#include "base/file.h"
#include "base/result.h"

int main(int count, char** arguments) {
  for (int i = 2; i < count; ++i) {
    try {
      const std::string bytes = headrace::ValueOrThrow(headrace::ReadRegularFile(arguments[i], size_t{1} << 28));
      const auto image = headrace::apps::DecodePng(bytes, arguments[i], std::atoi(arguments[1]));
      std::printf("%s ", image.shape().ToString().c_str());
      for (int64_t k = 0; k < image.size(); ++k) std::printf("%02x", image.data<uint8_t>()[k]);
      std::printf("\n");
    } catch (const headrace::Error& error) {
      std::printf("refused %s\n", error.what());
    }
  }
}
