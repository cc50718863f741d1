#include "horovod/rendezvous.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/processors.h"
#include "horovod/processor_split.h"

namespace headrace::hvd {
namespace {

// Texts of Exchange begin with this when they tell an error.
constexpr char kError = '!';

std::string TextOf(const Status& status) { return status ? "" : kError + status.error().message(); }

Status FirstError(const std::vector<std::string>& texts) {
  for (size_t rank = 0; rank < texts.size(); ++rank)
    if (!texts[rank].empty() && texts[rank][0] == kError)
      return Fail(ErrorCode::kResourceExhausted, "rank {}: {}", rank, texts[rank].substr(1));
  return {};
}

// Rounds until everyone has a machine: the first rank of each kernel that has none yet makes a segment, and whoever of
// that kernel can open it is on its machine.
class Finder {
 public:
  Finder(Transport& transport, const Surroundings& surroundings)
      : transport_(transport),
        surroundings_(surroundings),
        rank_(transport.place().rank),
        machine_of_(static_cast<size_t>(transport.place().size), -1) {}

  Status Run() {
    HEADRACE_ASSIGN(kernels_, transport_.Exchange(surroundings_.kernel));
    while (std::count(machine_of_.begin(), machine_of_.end(), -1) > 0) HEADRACE_TRY(Round());
    return {};
  }

  Segment& segment() { return segment_; }
  // By rank: the first rank of the machine.
  const std::vector<int>& machine_of() const { return machine_of_; }

 private:
  int FirstWithout(const std::string& kernel) const {
    for (size_t rank = 0; rank < kernels_.size(); ++rank)
      if (machine_of_[rank] < 0 && kernels_[rank] == kernel) return static_cast<int>(rank);
    return -1;
  }

  // Room for all that may open it.
  Result<std::string> Offer() {
    const auto members = std::count(kernels_.begin(), kernels_.end(), surroundings_.kernel);
    HEADRACE_ASSIGN(segment_, Segment::Create(surroundings_.directory, Machine::BytesFor(static_cast<int>(members))));
    return segment_.name().ToText();
  }

  // Whether this rank is on the machine of the one that made the offer. One that cannot open it is on another.
  Result<bool> Accept(const std::string& offer, int from) {
    if (from == rank_) return true;
    HEADRACE_ASSIGN(const SegmentName name, SegmentName::FromText(offer));
    auto opened = Segment::Open(name);
    if (!opened && opened.error().code() == ErrorCode::kNotFound) return false;
    if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
    segment_ = std::move(*opened);
    return true;
  }

  Status Round() {
    const int first = FirstWithout(surroundings_.kernel);
    const bool placed = machine_of_[static_cast<size_t>(rank_)] >= 0;
    std::string offer;
    if (!placed && first == rank_) {
      auto made = Offer();
      offer = made ? *made : kError + made.error().message();
    }
    HEADRACE_ASSIGN(const auto offers, transport_.Exchange(offer));
    HEADRACE_TRY(FirstError(offers));
    std::string answer;
    if (!placed) {
      auto accepted = Accept(offers[static_cast<size_t>(first)], first);
      answer = !accepted ? kError + accepted.error().message() : *accepted ? std::to_string(first) : "";
    }
    HEADRACE_ASSIGN(const auto answers, transport_.Exchange(answer));
    if (!offer.empty()) segment_.Unlink();
    HEADRACE_TRY(FirstError(answers));
    for (size_t rank = 0; rank < answers.size(); ++rank)
      if (!answers[rank].empty()) machine_of_[rank] = std::atoi(answers[rank].c_str());
    return {};
  }

  Transport& transport_;
  const Surroundings& surroundings_;
  const int rank_;
  std::vector<std::string> kernels_;
  std::vector<int> machine_of_;
  Segment segment_;
};

Topology TopologyOf(int rank, const std::vector<int>& machine_of, std::vector<std::string> hosts) {
  Topology topology;
  topology.hosts = std::move(hosts);
  for (size_t first = 0; first < machine_of.size(); ++first) {
    if (machine_of[first] != static_cast<int>(first)) continue;
    std::vector<int> ranks;
    for (size_t other = 0; other < machine_of.size(); ++other)
      if (machine_of[other] == static_cast<int>(first)) ranks.push_back(static_cast<int>(other));
    const auto own = std::find(ranks.begin(), ranks.end(), rank);
    if (own != ranks.end()) {
      topology.machine = static_cast<int>(topology.machines.size());
      topology.index = static_cast<int>(own - ranks.begin());
    }
    topology.machines.push_back(std::move(ranks));
  }
  return topology;
}

std::vector<int> NumbersOf(const std::string& text) {
  std::istringstream in(text);
  std::vector<int> numbers;
  for (int number; in >> number;) numbers.push_back(number);
  return numbers;
}

}  // namespace

Surroundings Surroundings::OfThisProcess() {
  Surroundings here;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> here.kernel;
  here.directory = SharedMemoryDirectory();
  return here;
}

Result<Meeting> Meet(Transport& transport, const Surroundings& surroundings, const Settings& settings,
                     const Clock& clock) {
  const Place& place = transport.place();
  HEADRACE_ASSIGN(auto hosts, transport.Exchange(place.host));
  Finder finder(transport, surroundings);
  HEADRACE_TRY(finder.Run());
  Meeting meeting;
  meeting.topology = TopologyOf(place.rank, finder.machine_of(), std::move(hosts));
  const Topology& topology = meeting.topology;
  std::vector<Member> members;
  for (const int rank : topology.neighbours()) members.push_back({rank, topology.hosts[static_cast<size_t>(rank)]});
  HEADRACE_ASSIGN(const auto marked, transport.Exchange(TextOf(finder.segment().Mark(topology.index))));
  HEADRACE_TRY(FirstError(marked));
  meeting.machine =
      std::make_unique<Machine>(std::move(finder.segment()), std::move(members), topology.index, settings, clock);
  return meeting;
}

Result<Segment> ShareSegment(const ExchangeTexts& exchange, const Topology& topology, const std::string& directory,
                             size_t bytes) {
  Segment segment;
  std::string offer;
  if (topology.index == 0) {
    auto made = Segment::Create(directory, bytes);
    offer = made ? made->name().ToText() : kError + made.error().message();
    if (made) segment = std::move(*made);
  }
  HEADRACE_ASSIGN(const auto offers, exchange(offer));
  HEADRACE_TRY(FirstError(offers));
  const auto open = [&]() -> Status {
    HEADRACE_ASSIGN(const auto name, SegmentName::FromText(offers[static_cast<size_t>(topology.neighbours().front())]));
    HEADRACE_ASSIGN(segment, Segment::Open(name));
    return {};
  };
  HEADRACE_ASSIGN(const auto opened, exchange(topology.index == 0 ? "" : TextOf(open())));
  segment.Unlink();
  HEADRACE_TRY(FirstError(opened));
  return segment;
}

Result<bool> ShareProcessors(const ExchangeTexts& exchange, const Topology& topology) {
  std::string mine;
  for (const int processor : Processors()) mine += std::to_string(processor) + " ";
  HEADRACE_ASSIGN(const auto texts, exchange(mine));
  std::vector<std::vector<int>> allowed;
  for (const int rank : topology.neighbours()) allowed.push_back(NumbersOf(texts[static_cast<size_t>(rank)]));
  const auto share = SplitProcessors(allowed)[static_cast<size_t>(topology.index)];
  UseProcessors(share.processors);
  return share.own;
}

}  // namespace headrace::hvd
