// Window: where a convolution's or a pooling's window goes along one axis (Keras's "valid" and "same").
#pragma once

#include <cstdint>
#include <string>

namespace headrace::keras::internal {

enum class Padding { kValid, kSame };

// "valid" or "same", in any case; throws kInvalidArgument naming the layer.
Padding PaddingByName(const std::string& layer, const std::string& name);
const char* NameOf(Padding padding);

struct Window {
  int64_t out = 0;     // positions
  int64_t before = 0;  // padding above or to the left
  int64_t after = 0;   // below or to the right; with "same" it gets the odd one
};

// valid: out = ceil((in - size + 1) / stride); same: out = ceil(in / stride) and as much padding as that takes.
// `size` is the window's extent with dilation. Throws kInvalidArgument naming layer and axis when a valid window does
// not fit.
Window PlaceWindow(const std::string& layer, const char* axis, int64_t in, int64_t size, int64_t stride,
                   Padding padding);

}  // namespace headrace::keras::internal
