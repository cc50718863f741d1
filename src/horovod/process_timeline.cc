#include "horovod/process_timeline.h"

#include <cstdlib>
#include <string>

#include "headrace/horovod.h"

#include "horovod/world.h"

namespace headrace::hvd {

Timeline& ProcessTimeline() {
  static Timeline timeline;
  return timeline;
}

Status StartTimelineOfEnvironment(const Place& place) {
  const char* path = std::getenv("HOROVOD_TIMELINE");
  if (path == nullptr || *path == '\0' || std::string(path) == "DYNAMIC" || place.rank != 0) return {};
  const char* cycles = std::getenv("HOROVOD_TIMELINE_MARK_CYCLES");
  return ProcessTimeline().Start(path, cycles != nullptr && std::string(cycles) != "0" && *cycles != '\0');
}

void start_timeline(const std::string& path, bool mark_cycles) {
  if (World().place().rank == 0) ValueOrThrow(ProcessTimeline().Start(path, mark_cycles));
}

void stop_timeline() { ProcessTimeline().Stop(); }

}  // namespace headrace::hvd
