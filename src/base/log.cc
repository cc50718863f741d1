#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace headrace {
namespace {

constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";

spdlog::level::level_enum Level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink, LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>("headrace", std::move(sink));
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(kPattern, spdlog::pattern_time_type::utc));
  logger->set_level(Level(level));
  logger->flush_on(spdlog::level::info);
  return logger;
}

// The one piece of process-wide state: spdlog's own logger, replaced before threads start.
std::shared_ptr<spdlog::logger>& Logger() {
  static auto logger = MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), LogLevel::kInfo);
  return logger;
}

}  // namespace

Status ConfigureLog(LogLevel level, const std::string& path) {
  try {
    Logger() = path.empty() ? MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level)
                            : MakeLogger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path), level);
  } catch (const spdlog::spdlog_ex& error) {
    return Fail(ErrorCode::kInvalidArgument, "{}: cannot be opened as a log: {}", path, error.what());
  }
  return {};
}

void LogLine(LogLevel level, std::string_view message) { Logger()->log(Level(level), message); }

}  // namespace headrace
