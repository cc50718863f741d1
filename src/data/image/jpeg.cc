#include <algorithm>
#include <csetjmp>
#include <cstdio>

// jpeglib.h wants both before it.
#include <cstddef>

#include <jpeglib.h>

#include "base/result.h"
#include "data/image/decode.h"

namespace headrace::data::image {
namespace {

// Eight by eight pixels of the component that has fewest take a bit or more, where they are a 32nd of the image's side;
// a scan may leave out all others.
constexpr uint64_t kMostPixelsOfAByte = 8192;
// Progressive files send an image in scans, each of which is work for all of its pixels. Encoders make about ten.
constexpr int kMostScans = 500;

// libjpeg reports errors by a jump over its callers' frames: nothing in those of this class that jump has a destructor.
class JpegReader {
 public:
  explicit JpegReader(std::string_view bytes) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = OnError;
    errors_.emit_message = [](j_common_ptr, int) {};  // damage that libjpeg gets over is no error
    jpeg_.client_data = this;
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
    source_.init_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = [](j_decompress_ptr) -> boolean { return FALSE; };  // there is no more
    source_.skip_input_data = OnSkip;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = [](j_decompress_ptr) {};
    progress_.progress_monitor = OnProgress;
  }
  JpegReader(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }

  // False after an error, which message() tells.
  bool ReadHeader(int channels) {
    if (setjmp(jump_) != 0) return false;
    jpeg_create_decompress(&jpeg_);
    jpeg_.src = &source_;
    jpeg_.progress = &progress_;
    if (jpeg_read_header(&jpeg_, TRUE) != JPEG_HEADER_OK) return Refuse("it ends too early");
    if (jpeg_.arith_code) return Refuse("its coding is arithmetic");
    SetOutput(channels);
    jpeg_calc_output_dimensions(&jpeg_);
    return true;
  }

  bool ReadRows(uint8_t* pixels, uint8_t* cmyk_row) {
    if (setjmp(jump_) != 0) return false;
    if (!jpeg_start_decompress(&jpeg_)) return Refuse("it ends too early");
    while (jpeg_.output_scanline < jpeg_.output_height)
      if (!ReadRow(pixels + jpeg_.output_scanline * row_bytes(), cmyk_row)) return Refuse("it ends too early");
    jpeg_finish_decompress(&jpeg_);
    return true;
  }

  uint64_t height() const { return jpeg_.image_height; }
  uint64_t width() const { return jpeg_.image_width; }
  int channels() const { return channels_; }
  bool cmyk() const { return jpeg_.out_color_space == JCS_CMYK; }
  const char* message() const { return message_; }

 private:
  static JpegReader& Of(j_common_ptr jpeg) { return *static_cast<JpegReader*>(jpeg->client_data); }

  [[noreturn]] static void OnError(j_common_ptr jpeg) {
    JpegReader& reader = Of(jpeg);
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    std::snprintf(reader.message_, sizeof reader.message_, "%s", text);
    std::longjmp(reader.jump_, 1);
  }
  static void OnSkip(j_decompress_ptr jpeg, long count) {
    if (count <= 0) return;
    const size_t skipped = std::min(static_cast<size_t>(count), jpeg->src->bytes_in_buffer);
    jpeg->src->next_input_byte += skipped;
    jpeg->src->bytes_in_buffer -= skipped;
  }
  static void OnProgress(j_common_ptr jpeg) {
    JpegReader& reader = Of(jpeg);
    if (reader.jpeg_.input_scan_number <= kMostScans) return;
    std::snprintf(reader.message_, sizeof reader.message_, "it has more than %d scans", kMostScans);
    std::longjmp(reader.jump_, 1);
  }

  bool Refuse(const char* why) {
    std::snprintf(message_, sizeof message_, "%s", why);
    return false;
  }

  // What decode_jpeg asks libjpeg for.
  void SetOutput(int channels) {
    channels_ = channels == 0 ? std::min(jpeg_.num_components, 3) : channels;
    const bool printed = jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK;
    jpeg_.out_color_space = channels_ == 1 ? JCS_GRAYSCALE : printed ? JCS_CMYK : JCS_RGB;
    jpeg_.dct_method = JDCT_IFAST;
    jpeg_.do_fancy_upsampling = TRUE;
  }

  bool ReadRow(uint8_t* pixels, uint8_t* cmyk_row) {
    JSAMPROW row = cmyk() ? cmyk_row : pixels;
    if (jpeg_read_scanlines(&jpeg_, &row, 1) != 1) return false;
    if (cmyk()) RgbFromCmyk(cmyk_row, pixels);
    return true;
  }

  size_t row_bytes() const { return size_t{jpeg_.output_width} * static_cast<size_t>(channels_); }

  // As decode_jpeg does it: Adobe writes inverted inks.
  void RgbFromCmyk(const uint8_t* cmyk, uint8_t* rgb) const {
    for (JDIMENSION i = 0; i < jpeg_.output_width; ++i, cmyk += 4, rgb += 3) {
      const int black = jpeg_.saw_Adobe_marker ? cmyk[3] : 255 - cmyk[3];
      for (int c = 0; c < 3; ++c)
        rgb[c] = static_cast<uint8_t>(black * (jpeg_.saw_Adobe_marker ? cmyk[c] : 255 - cmyk[c]) / 255);
    }
  }

  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_source_mgr source_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  int channels_ = 0;
  char message_[JMSG_LENGTH_MAX] = "";
};

void RequirePossibleJpeg(const JpegReader& jpeg, size_t file_bytes, const std::string& shown) {
  const uint64_t pixels = jpeg.height() * jpeg.width();
  if (pixels > kMostPixels)
    throw MakeError(ErrorCode::kResourceExhausted, "{}: {} x {} pixels, wanted at most {}", shown, jpeg.width(),
                    jpeg.height(), kMostPixels);
  if (pixels / kMostPixelsOfAByte > file_bytes)
    throw MakeError(ErrorCode::kResourceExhausted, "{}: {} x {} pixels, more than a file of {} bytes can hold", shown,
                    jpeg.width(), jpeg.height(), file_bytes);
}

}  // namespace

Tensor DecodeJpeg(std::string_view bytes, const std::string& shown, int channels) {
  if (channels != 0 && channels != 1 && channels != 3)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: channels: found {}, wanted 0, 1 or 3", shown, channels);
  JpegReader jpeg(bytes);
  if (!jpeg.ReadHeader(channels))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: no JPEG image that can be read ({}); convert it first", shown,
                    jpeg.message());
  RequirePossibleJpeg(jpeg, bytes.size(), shown);
  Tensor image(DType::kUInt8,
               {static_cast<int64_t>(jpeg.height()), static_cast<int64_t>(jpeg.width()), jpeg.channels()});
  Tensor row(DType::kUInt8, {jpeg.cmyk() ? static_cast<int64_t>(jpeg.width()) * 4 : 0});
  if (!jpeg.ReadRows(image.data<uint8_t>(), row.data<uint8_t>()))
    throw MakeError(ErrorCode::kDataLoss, "{}: a damaged JPEG image: {}", shown, jpeg.message());
  return image;
}

Tensor DecodeImage(std::string_view bytes, const std::string& shown, int channels) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return DecodePng(bytes, shown, channels);
  if (bytes.starts_with("\xff\xd8\xff"sv)) return DecodeJpeg(bytes, shown, channels);
  throw MakeError(ErrorCode::kInvalidArgument, "{}: found neither a JPEG nor a PNG image; convert it first", shown);
}

Tensor DecodePng(std::string_view bytes, int channels) { return DecodePng(bytes, "DecodePng", channels); }
Tensor DecodeJpeg(std::string_view bytes, int channels) { return DecodeJpeg(bytes, "DecodeJpeg", channels); }
Tensor DecodeImage(std::string_view bytes, int channels) { return DecodeImage(bytes, "DecodeImage", channels); }

}  // namespace headrace::data::image
