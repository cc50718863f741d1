#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <png.h>

#include "base/result.h"
#include "data/image/decode.h"

namespace headrace::data::image {
namespace {

constexpr png_uint_32 kMostSide = 1 << 20;
constexpr png_alloc_size_t kMostChunkBytes = png_alloc_size_t{8} << 20;  // of a chunk beside the pixels, inflated
constexpr uint64_t kMostRatio = 1032;                                    // deflate makes no more of a byte

// libpng reports errors by a jump over its callers' frames: nothing in those of this class that jump has a destructor.
class PngReader {
 public:
  explicit PngReader(std::string_view bytes) : bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, OnError, [](png_structp, png_const_charp) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  PngReader(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  // False after an error, which message() tells.
  bool ReadHeader(int channels) {
    if (info_ == nullptr) return false;
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_user_limits(png_, kMostSide, kMostSide);
    png_set_chunk_malloc_max(png_, kMostChunkBytes);
    png_set_read_fn(png_, this, OnRead);
    png_read_info(png_, info_);
    png_get_IHDR(png_, info_, &width_, &height_, &depth_, &colors_, nullptr, nullptr, nullptr);
    stored_row_bytes_ = png_get_rowbytes(png_, info_);
    SetChannels(channels);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool ReadRows(uint8_t* pixels) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    for (int pass = 0; pass < passes_; ++pass)
      for (png_uint_32 row = 0; row < height_; ++row) png_read_row(png_, pixels + size_t{row} * row_bytes(), nullptr);
    png_read_end(png_, info_);
    return true;
  }

  uint64_t height() const { return height_; }
  uint64_t width() const { return width_; }
  int channels() const { return channels_; }
  uint64_t row_bytes() const { return uint64_t{width_} * static_cast<uint64_t>(channels_); }
  uint64_t stored_row_bytes() const { return stored_row_bytes_; }
  bool rows_fit() const { return png_get_rowbytes(png_, info_) == row_bytes(); }
  const char* message() const { return message_; }

 private:
  [[noreturn]] static void OnError(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader->message_, sizeof reader->message_, "%s", message);
    png_longjmp(png, 1);
  }
  static void OnRead(png_structp png, png_bytep out, size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader->bytes_.size()) png_error(png, "it ends too early");
    std::memcpy(out, reader->bytes_.data(), count);
    reader->bytes_.remove_prefix(count);
  }

  // What decode_png asks libpng for, with its corner cases: an alpha that is added to grey of less than 8 bits is what
  // that depth counts to.
  void SetChannels(int channels) {
    const bool palette = colors_ == PNG_COLOR_TYPE_PALETTE, grey = (colors_ & PNG_COLOR_MASK_COLOR) == 0;
    const bool alpha = (colors_ & PNG_COLOR_MASK_ALPHA) != 0;
    const bool transparent = png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
    channels_ = channels;
    if (channels == 0) channels_ = palette ? (transparent ? 4 : 3) : png_get_channels(png_, info_);
    if (channels_ % 2 != 0) {
      if (alpha || transparent) png_set_strip_alpha(png_);
    } else if (!alpha) {
      if (transparent)
        png_set_tRNS_to_alpha(png_);
      else
        png_set_add_alpha(png_, (1u << depth_) - 1, PNG_FILLER_AFTER);
    }
    if (depth_ > 8) png_set_strip_16(png_);
    png_set_packing(png_);
    if (palette) png_set_palette_to_rgb(png_);
    if (grey && depth_ < 8) png_set_expand_gray_1_2_4_to_8(png_);
    if (channels_ < 3 && !grey) png_set_rgb_to_gray(png_, 1, 0.299, 0.587);
    if (channels_ >= 3 && grey) png_set_gray_to_rgb(png_);
  }

  std::string_view bytes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  png_uint_32 width_ = 0, height_ = 0;
  int depth_ = 0, colors_ = 0, channels_ = 0, passes_ = 1;
  uint64_t stored_row_bytes_ = 0;
  char message_[128] = "";
};

void RequirePossible(const PngReader& png, size_t file_bytes, const std::string& shown) {
  if (png.height() * png.width() > kMostPixels)
    throw MakeError(ErrorCode::kResourceExhausted, "{}: {} x {} pixels, wanted at most {}", shown, png.width(),
                    png.height(), kMostPixels);
  const uint64_t declared = png.height() * png.stored_row_bytes();
  if (declared / kMostRatio > file_bytes)
    throw MakeError(ErrorCode::kResourceExhausted, "{}: {} x {} pixels are {} bytes, more than a file of {} can hold",
                    shown, png.width(), png.height(), declared, file_bytes);
}

}  // namespace

Tensor DecodePng(std::string_view bytes, const std::string& shown, int channels) {
  if (channels < 0 || channels > 4)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: channels: found {}, wanted 0 to 4", shown, channels);
  PngReader png(bytes);
  if (!png.ReadHeader(channels))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: no PNG image ({}); convert it first", shown, png.message());
  RequirePossible(png, bytes.size(), shown);
  if (!png.rows_fit())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: a PNG image that cannot have {} channels", shown, png.channels());
  Tensor image(DType::kUInt8, {static_cast<int64_t>(png.height()), static_cast<int64_t>(png.width()), png.channels()});
  if (!png.ReadRows(image.data<uint8_t>()))
    throw MakeError(ErrorCode::kDataLoss, "{}: a damaged PNG image: {}", shown, png.message());
  return image;
}

}  // namespace headrace::data::image
