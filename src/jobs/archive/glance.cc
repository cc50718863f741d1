#include "jobs/archive/glance.h"

#include <memory>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>

#include "jobs/archive/archive_source.h"

namespace headrace::jobs {
namespace {

constexpr uint64_t kMostRatio = 200;

struct FreeGlance {
  void operator()(archive* a) const { archive_read_free(a); }
};
using GlanceReader = std::unique_ptr<archive, FreeGlance>;

la_ssize_t ReadOfSource(archive* reader, void* source, const void** data) {
  const auto next = static_cast<ArchiveSource*>(source)->Next();
  if (!next) {
    archive_set_error(reader, static_cast<int>(next.error().code()), "%s", next.error().message().c_str());
    return ARCHIVE_FATAL;
  }
  *data = next->data();
  return static_cast<la_ssize_t>(next->size());
}

tl::unexpected<Error> Unreadable(archive* reader) {
  const bool too_much = archive_errno(reader) == static_cast<int>(ErrorCode::kResourceExhausted);
  const char* why = archive_error_string(reader);
  return Fail(too_much ? ErrorCode::kResourceExhausted : ErrorCode::kDataLoss, "not a readable tar archive: {}",
              why == nullptr ? "unknown reason" : why);
}

std::string_view WithoutDot(std::string_view name) {
  while (name.starts_with("./")) name.remove_prefix(2);
  return name;
}

Result<std::string> Contents(archive* reader) {
  std::string text;
  char piece[1 << 14];
  while (true) {
    const auto n = archive_read_data(reader, piece, sizeof piece);
    if (n < 0) return Unreadable(reader);
    if (n == 0) return text;
    text.append(piece, static_cast<size_t>(n));
  }
}

}  // namespace

Result<ArchiveGlance> GlanceAtArchive(Descriptor archive, const std::string& wanted, uint64_t most) {
  HEADRACE_ASSIGN(const auto source, ArchiveSource::Open(std::move(archive), most, kMostRatio));
  const GlanceReader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_empty(reader.get());
  if (archive_read_open(reader.get(), source.get(), nullptr, &ReadOfSource, nullptr) != ARCHIVE_OK)
    return Unreadable(reader.get());
  ArchiveGlance glance;
  while (true) {
    archive_entry* entry = nullptr;
    const int next = archive_read_next_header(reader.get(), &entry);
    if (next == ARCHIVE_EOF) return glance;
    if (next < ARCHIVE_WARN) return Unreadable(reader.get());
    const char* raw = archive_entry_pathname(entry);
    const auto name = WithoutDot(raw == nullptr ? "" : raw);
    if (!name.empty()) glance.names.emplace(name.substr(0, name.find('/')));
    if (name != wanted || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      continue;
    // A file with holes may declare more than its archive holds.
    if (archive_entry_size(entry) > static_cast<la_int64_t>(most))
      return Fail(ErrorCode::kResourceExhausted, "'{}' is longer than {} bytes", wanted, most);
    HEADRACE_ASSIGN(glance.file, Contents(reader.get()));
  }
}

}  // namespace headrace::jobs
