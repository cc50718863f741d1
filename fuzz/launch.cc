// What processes of an MPI job say to the platform: requests at a launch door, records of ranks, mpirun's marks on
// lines, its further options.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jobs/capture/rank_streams.h"
#include "jobs/launch/launch_request.h"
#include "jobs/launch/rank_records.h"
#include "jobs/request/mpi_options.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::jobs;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  LaunchRequest request{};
  if (ParseLaunchRequest(text.data(), static_cast<uint32_t>(size), request) == LaunchParse::kComplete) {
    if (request.size > kLongestCommand || request.command + request.size != text.data() + size) std::abort();
    if (std::string_view(request.command, request.size).find('\0') != std::string_view::npos) std::abort();
  }
  if (const auto end = ParseRankRecord(1, text); end && (end->exit_code < 0 || end->host.empty())) std::abort();
  // In pieces or whole, the lines are the same.
  std::string whole, cut;
  for (const auto& [into, at] : {std::pair{&whole, size}, {&cut, size / 2}}) {
    RankStreams streams(2);
    const auto emit = [into = into](std::optional<int> rank, std::string_view line) {
      *into += std::to_string(rank.value_or(-1)).append(line) + "\n";
    };
    streams.Feed(text.substr(0, at), emit);
    streams.Feed(text.substr(at), emit);
    streams.Finish(emit);
  }
  if (whole != cut) std::abort();
  if (const auto options = SplitMpiOptions(text))
    for (const auto& option : *options)
      if (option == "--host" || option.find('\0') != std::string::npos) std::abort();
  return 0;
}
