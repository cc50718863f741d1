// The messages between ranks, as another rank might garble them, and the coordinator that acts on them.
#include <cstdint>
#include <string_view>

#include "horovod/negotiation/negotiator.h"
#include "horovod/shm/segment.h"

using namespace headrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)hvd::SegmentName::FromText(std::string(bytes));
  (void)hvd::DecodeResponse(bytes);
  auto request = hvd::DecodeRequest(bytes);
  if (!request) return 0;
  const hvd::Settings settings;
  hvd::Negotiator negotiator({"a", "b"}, settings);
  negotiator.Add(0, *request, 0);
  negotiator.Add(1, std::move(*request), 0);
  for (const auto& response : negotiator.Step(0))
    if (!hvd::DecodeResponse(hvd::Encode(response))) __builtin_trap();
  return 0;
}
