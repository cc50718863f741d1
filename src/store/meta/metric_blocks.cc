#include "store/meta/metric_blocks.h"

#include <algorithm>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "store/meta/connection.h"

namespace headrace::store {
namespace {

// A page of 4,096 bytes has room for 4,061 of a row, and a row is a block's bytes, its numbers, and once more a sample.
constexpr size_t kFullBytes = 3900;
constexpr UnixMillis kEarliest = std::numeric_limits<UnixMillis>::min();
constexpr UnixMillis kNever = std::numeric_limits<UnixMillis>::max();

// Cuts samples into blocks of about `most` bytes. Never where the next block begins, whose samples of that time have
// come before: blocks that begin at one time are told apart by the order in which they came.
class Cutter {
 public:
  Cutter(size_t most, UnixMillis next) : most_(most), next_(next) {}
  Cutter(size_t most, UnixMillis next, SampleBlockWriter begun) : Cutter(most, next) {
    pieces_.push_back(std::move(begun));
  }

  void Append(const MetricSample& sample) {
    if (pieces_.empty() || (pieces_.back().bytes().size() >= most_ && sample.time < next_))
      pieces_.emplace_back(sample.time);
    pieces_.back().Append(sample);
  }
  const std::vector<SampleBlockWriter>& pieces() const { return pieces_; }

 private:
  const size_t most_;
  const UnixMillis next_;
  std::vector<SampleBlockWriter> pieces_;
};

Error BrokenBlock(int64_t series, UnixMillis start) {
  return MakeError(ErrorCode::kInternal,
                   "metric series {}: its block of {} cannot be read; restore meta.db from a copy", series, start);
}

void BindBlock(Query& query, int index, const SampleBlockWriter& piece) {
  query.bind(index, static_cast<const void*>(piece.bytes().data()), static_cast<int>(piece.bytes().size()));
}

std::string_view BlockBytes(SQLite::Column column) {
  return {static_cast<const char*>(column.getBlob()), static_cast<size_t>(column.getBytes())};
}

}  // namespace

struct MetricBlocks::Block {
  int64_t id = 0;
  UnixMillis start = 0, last = 0;
  int64_t part = 0;
  std::string bytes;
};

// The last block that does not start behind `time`, or else the first.
bool MetricBlocks::Find(UnixMillis time, Block& block) {
  for (const char* which :
       {"start_ms <= ? ORDER BY start_ms DESC, part DESC", "start_ms > ? ORDER BY start_ms, part"}) {
    Query select(db_, fmt::format("SELECT id, start_ms, last_ms, part, bytes FROM metric_blocks "
                                  "WHERE series_id = ? AND {} LIMIT 1",
                                  which));
    select.bind(1, series_);
    select.bind(2, time);
    if (!select.executeStep()) continue;
    block = {select.getColumn(0).getInt64(), select.getColumn(1).getInt64(), select.getColumn(2).getInt64(),
             select.getColumn(3).getInt64(), std::string(BlockBytes(select.getColumn(4)))};
    return true;
  }
  return false;
}

UnixMillis MetricBlocks::StartBehind(const Block& block) {
  Query select(db_,
               "SELECT start_ms FROM metric_blocks WHERE series_id = ? AND (start_ms, part) > (?, ?) "
               "ORDER BY start_ms, part LIMIT 1");
  select.bind(1, series_);
  select.bind(2, block.start);
  select.bind(3, block.part);
  return select.executeStep() ? select.getColumn(0).getInt64() : kNever;
}

Status MetricBlocks::Add(std::span<const MetricSample* const> samples) {
  while (!samples.empty()) {
    Block block;
    const bool found = Find(samples.front()->time, block);
    const UnixMillis next = found ? StartBehind(block) : kNever;
    const auto behind = std::find_if(samples.begin() + 1, samples.end(),
                                     [&](const MetricSample* sample) { return sample->time >= next; });
    const auto count = static_cast<size_t>(behind - samples.begin());
    HEADRACE_TRY(Join(found ? &block : nullptr, samples.first(count), next));
    samples = samples.subspan(count);
  }
  return {};
}

// A block that grows at its end is filled and followed by new ones; one that is too full in its middle is halved, so
// that both have room for more.
Status MetricBlocks::Join(const Block* block, std::span<const MetricSample* const> samples, UnixMillis next) {
  if (!block) {
    Cutter cutter(kFullBytes, next);
    for (const MetricSample* sample : samples) cutter.Append(*sample);
    Save(nullptr, cutter.pieces());
    return {};
  }
  SampleBlockReader reader(block->start, block->bytes);
  std::vector<MetricSample> there;
  const bool grows_at_end = block->last <= samples.front()->time;
  while (const MetricSample* sample = reader.Next())
    if (!grows_at_end) there.push_back(*sample);
  if (reader.broken()) return tl::unexpected(BrokenBlock(series_, block->start));
  if (grows_at_end) {
    Cutter cutter(kFullBytes, next, reader.Continued());
    for (const MetricSample* sample : samples) cutter.Append(*sample);
    Save(block, cutter.pieces());
    return {};
  }
  const auto merged = [&](size_t most) {
    Cutter cutter(most, next);
    auto old = there.begin();
    for (const MetricSample* sample : samples) {
      for (; old != there.end() && old->time <= sample->time; ++old) cutter.Append(*old);
      cutter.Append(*sample);
    }
    for (; old != there.end(); ++old) cutter.Append(*old);
    return cutter.pieces();
  };
  const auto whole = merged(kFullBytes);
  Save(block, whole.size() == 1 ? whole : merged(kFullBytes / 2));
  return {};
}

// In place of `block`, where there is one.
void MetricBlocks::Save(const Block* block, std::span<const SampleBlockWriter> pieces) {
  UnixMillis start = kNever;
  int64_t part = 0;
  if (block && block->start == pieces.front().start()) {
    Update(block->id, pieces.front());
    start = block->start;
    part = block->part;
    pieces = pieces.subspan(1);
  } else if (block) {
    Query remove(db_, "DELETE FROM metric_blocks WHERE id = ?");
    remove.bind(1, block->id);
    remove.exec();
  }
  Query insert(db_,
               "INSERT INTO metric_blocks (series_id, start_ms, part, last_ms, samples, bytes) "
               "VALUES (?, ?, ?, ?, ?, ?)");
  for (const SampleBlockWriter& piece : pieces) {
    part = piece.start() == start ? part + 1 : 0;
    start = piece.start();
    insert.bind(1, series_);
    insert.bind(2, start);
    insert.bind(3, part);
    insert.bind(4, piece.last());
    insert.bind(5, piece.samples());
    BindBlock(insert, 6, piece);
    insert.exec();
    insert.reset();
  }
}

// The key stays, and with it the index.
void MetricBlocks::Update(int64_t id, const SampleBlockWriter& piece) {
  Query update(db_, "UPDATE metric_blocks SET last_ms = ?, samples = ?, bytes = ? WHERE id = ?");
  update.bind(1, piece.last());
  update.bind(2, piece.samples());
  BindBlock(update, 3, piece);
  update.bind(4, id);
  update.exec();
}

Status MetricBlocks::ReadTimes(UnixMillis from, UnixMillis to, const Visit& visit) {
  Block first;
  if (!Find(std::max(from, kEarliest + 1) - 1, first)) return {};
  Query select(db_,
               "SELECT start_ms, bytes FROM metric_blocks WHERE series_id = ? AND (start_ms, part) >= (?, ?) AND "
               "start_ms < ? ORDER BY start_ms, part");
  select.bind(1, series_);
  select.bind(2, first.start);
  select.bind(3, first.part);
  select.bind(4, to);
  while (select.executeStep()) {
    SampleBlockReader reader(select.getColumn(0).getInt64(), BlockBytes(select.getColumn(1)));
    while (const MetricSample* sample = reader.Next())
      if (sample->time >= from && sample->time < to) visit(*sample);
    if (reader.broken()) return tl::unexpected(BrokenBlock(series_, select.getColumn(0).getInt64()));
  }
  return {};
}

Status MetricBlocks::ReadNumbers(int64_t from, int64_t to, const Visit& visit) {
  Query select(db_, "SELECT start_ms, bytes, samples FROM metric_blocks WHERE series_id = ? ORDER BY start_ms, part");
  select.bind(1, series_);
  for (int64_t number = 0; number < to && select.executeStep();) {
    const int64_t samples = select.getColumn(2).getInt64();
    if (number + samples <= from) {
      number += samples;
      continue;
    }
    SampleBlockReader reader(select.getColumn(0).getInt64(), BlockBytes(select.getColumn(1)));
    for (const MetricSample* sample = nullptr; (sample = reader.Next()) != nullptr; ++number)
      if (number >= from && number < to) visit(*sample);
    if (reader.broken()) return tl::unexpected(BrokenBlock(series_, select.getColumn(0).getInt64()));
  }
  return {};
}

Result<int64_t> MetricBlocks::Expire(UnixMillis horizon, UnixMillis& first) {
  Query count(db_, "SELECT coalesce(sum(samples), 0) FROM metric_blocks WHERE series_id = ? AND last_ms < ?");
  Query remove(db_, "DELETE FROM metric_blocks WHERE series_id = ? AND last_ms < ?");
  for (Query* query : {&count, &remove}) {
    query->bind(1, series_);
    query->bind(2, horizon);
  }
  count.executeStep();
  const int64_t whole = count.getColumn(0).getInt64();
  count.reset();
  remove.exec();
  Block block;
  if (!Find(kEarliest, block)) return whole;
  HEADRACE_ASSIGN(const int64_t more, ExpireIn(block, horizon, first));
  return whole + more;
}

// The block keeps its start, which says that no sample is before it: another block may start where its rest does.
Result<int64_t> MetricBlocks::ExpireIn(const Block& block, UnixMillis horizon, UnixMillis& first) {
  SampleBlockReader reader(block.start, block.bytes);
  SampleBlockWriter rest(block.start);
  int64_t deleted = 0;
  while (const MetricSample* sample = reader.Next()) {
    if (sample->time < horizon) {
      ++deleted;
      continue;
    }
    if (rest.samples() == 0) first = sample->time;
    rest.Append(*sample);
  }
  if (reader.broken()) return tl::unexpected(BrokenBlock(series_, block.start));
  if (deleted > 0) Update(block.id, rest);
  return deleted;
}

}  // namespace headrace::store
