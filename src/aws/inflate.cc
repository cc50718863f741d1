#include "aws/inflate.h"

#include <algorithm>

#include <fmt/format.h>
#include <zlib.h>

namespace headrace::aws {

Reply<std::string> GunzipBody(std::string_view bytes, size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return Refuse("InternalFailure", "zlib could not start.", 500);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  int state = Z_OK;
  while (state == Z_OK && text.size() <= limit) {
    const size_t before = text.size();
    text.resize(std::min(limit + 1, std::max<size_t>(before * 2, 4096)));
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + before);
    stream.avail_out = static_cast<uInt>(text.size() - before);
    state = inflate(&stream, Z_NO_FLUSH);
    text.resize(text.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (text.size() > limit)
    return Refuse("SerializationException", fmt::format("The gzip body holds more than {} bytes.", limit));
  if (state != Z_STREAM_END) return Refuse("SerializationException", "The body is not valid gzip.");
  return text;
}

}  // namespace headrace::aws
