// Forms of multipart/form-data, cut into reads of any size. The fields stay within their bound, and how the bytes
// arrive changes nothing.
#include <string>
#include <string_view>

#include "aws/limits.h"
#include "aws/post_form.h"
#include "aws/testing/await.h"

namespace {

using namespace headrace;

struct Seen {
  std::string text, code;
};

http::Task<Seen> ReadOnce(const http::Request& request, http::BodyReader& body, size_t piece) {
  Seen seen;
  auto reader = co_await aws::PostFormReader::Open(request, body);
  if (!reader) {
    seen.code = reader.error().code;
    co_return seen;
  }
  size_t fields = 0;
  for (const auto& [name, value] : (*reader)->form().fields) {
    fields += name.size() + value.size();
    seen.text += name + "=" + value + "\n";
  }
  if (fields > aws::kMaxFormFields) __builtin_trap();
  std::string buffer(piece, '\0');
  while (true) {
    auto size = co_await (*reader)->Read(buffer);
    if (!size) seen.code = "cut";
    if (!size || *size == 0) co_return seen;
    seen.text.append(buffer, 0, *size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < 2) return 0;
  const std::string text(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  http::Request request;
  request.method = "POST";
  request.headers.Add("Content-Type", "multipart/form-data; boundary=B");
  aws::TextBody whole(text), pieces(text, 1 + (bytes[0] & 31u));
  const Seen one = aws::Await(ReadOnce(request, whole, 1 << 16));
  const Seen other = aws::Await(ReadOnce(request, pieces, 1 + (bytes[1] & 31u)));
  if (one.code != other.code) __builtin_trap();
  if (one.code.empty() && one.text != other.text) __builtin_trap();
  return 0;
}
