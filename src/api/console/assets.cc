#include "api/console/assets.h"

#include <fmt/format.h>

#include "files.h"

namespace headrace::api::console {
namespace {

// Nothing from elsewhere, no script or style but ours, no page around it.
constexpr const char* kPolicy =
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

struct Asset {
  std::string_view name, content_type;
  std::string_view (*bytes)();
};
constexpr Asset kAssets[] = {{"app.js", "text/javascript; charset=utf-8", console_files::Script},
                             {"app.css", "text/css; charset=utf-8", console_files::Style},
                             {"icon.svg", "image/svg+xml", console_files::Icon}};

http::Response FileResponse(const http::Request& request, std::string_view content_type, std::string_view bytes) {
  http::Response response = http::TextResponse(200, content_type, std::string(bytes));
  response.headers.Set("X-Content-Type-Options", "nosniff");
  response.headers.Set("Referrer-Policy", "no-referrer");
  if (request.method == "HEAD") {
    response.content_length = bytes.size();
    response.body = std::monostate{};
  }
  return response;
}

}  // namespace

http::Response AssetResponse(const http::Request& request, std::string_view name) {
  const std::string directory = fmt::format("{}/", console_files::Digest());
  const Asset* asset = nullptr;
  for (const Asset& known : kAssets)
    if (name.starts_with(directory) && name.substr(directory.size()) == known.name) asset = &known;
  if (asset == nullptr) return http::TextResponse(404, "text/plain", "no such file\n");
  http::Response response = FileResponse(request, asset->content_type, asset->bytes());
  response.headers.Set("Content-Encoding", "gzip");
  response.headers.Set("Cache-Control", "public, max-age=31536000, immutable");
  return response;
}

http::Response PageResponse(const http::Request& request) {
  http::Response response = FileResponse(request, "text/html; charset=utf-8", console_files::Page());
  response.headers.Set("Cache-Control", "no-cache");
  response.headers.Set("Content-Security-Policy", kPolicy);
  response.headers.Set("X-Frame-Options", "DENY");
  return response;
}

}  // namespace headrace::api::console
