#include "jobs/transform/transform_run.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "jobs/pipe/gunzip.h"
#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {
namespace {

constexpr int kMostThreads = 64;
constexpr size_t kShownAnswer = 400;

std::string OneLineOf(std::string text) {
  if (text.size() > kShownAnswer) text = Truncate(std::move(text), kShownAnswer) + "...";
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

RecordSplitter::Read ReaderOf(Descriptor file) {
  const auto shared = std::make_shared<Descriptor>(std::move(file));
  return [shared](char* out, size_t size) -> Result<size_t> {
    ssize_t n = 0;
    do n = ::read(shared->get(), out, size);
    while (n < 0 && errno == EINTR);
    if (n < 0) return Fail(ErrorCode::kUnavailable, "cannot be read: {}", std::strerror(errno));
    return static_cast<size_t>(n);
  };
}

RecordSplitter::Read GunzipOf(Descriptor file, const std::string& name) {
  const auto shared = std::make_shared<Gunzip>(std::move(file), name, "CompressionType is Gzip");
  return [shared](char* out, size_t size) { return shared->Read(out, size); };
}

std::string RecordsOf(const TransformBatch& batch) {
  if (batch.records == 1) return fmt::format("record {}", batch.first_record);
  return fmt::format("records {} to {}", batch.first_record, batch.first_record + batch.records - 1);
}

}  // namespace

struct TransformRun::ObjectRun {
  ObjectRun(const TransformInput& from, BatchReader reader, ObjectOutput result)
      : input(from), batches(std::move(reader)), output(std::move(result)) {}
  const TransformInput& input;
  BatchReader batches;
  std::optional<ObjectOutput> output;  // until it is stored or has failed
  uint64_t read = 0;                   // batches
};

TransformRun::TransformRun(TransformRunOptions options)
    : options_(std::move(options)),
      processing_(options_.settings),
      place_(ParseOutputPlace(options_.settings.output_path)),
      model_(*options_.client, *options_.routes, options_.settings, stop_) {
  ReadDone();
  const auto& settings = options_.settings;
  options_.say(fmt::format("MaxConcurrentTransforms={}, MaxPayloadInMB={}, BatchStrategy={}", settings.concurrent,
                           settings.payload_megabytes, settings.many_records ? "MULTI_RECORD" : "SINGLE_RECORD"));
  const auto threads =
      static_cast<size_t>(std::min<int64_t>(int64_t{settings.concurrent} * settings.instances, kMostThreads));
  running_ = threads;
  most_in_memory_ = 2 * threads;
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      Run();
      if (--running_ == 0) options_.wake();
    });
  }
}

TransformRun::~TransformRun() {
  Stop();
  for (auto& thread : threads_) thread.join();
}

void TransformRun::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  room_.notify_all();
}

std::string TransformRun::failure() const {
  const std::lock_guard lock(mutex_);
  if (failures_ <= 1) return failure_;
  return fmt::format("{} (and {} more objects failed)", failure_, failures_ - 1);
}

void TransformRun::Run() {
  while (auto work = TakeWork()) {
    auto answer = Transform(*work);
    Deposit(*work, std::move(answer));
  }
}

std::optional<TransformRun::Work> TransformRun::TakeWork() {
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [this] { return stop_ || in_memory_ < most_in_memory_; });
    if (stop_) return std::nullopt;
    if (!reading_ || !reading_->output) reading_ = OpenNext();  // also when a batch of it has failed
    if (!reading_) return std::nullopt;
    auto batch = reading_->batches.Next();
    if (batch && *batch) {
      ++in_memory_;
      return Work{reading_, reading_->read++, std::move(**batch)};
    }
    const auto object = std::exchange(reading_, nullptr);
    if (!batch) {
      FailObject(*object, "ClientError", fmt::format("record {}", object->batches.record()), batch.error().message());
      continue;
    }
    object->output->SetCount(object->read);
    StoreIfComplete(object, lock);
  }
}

std::shared_ptr<TransformRun::ObjectRun> TransformRun::OpenNext() {
  while (next_input_ < options_.inputs.size()) {
    const TransformInput& input = options_.inputs[next_input_++];
    if (done_.contains({input.key, input.etag})) continue;
    auto opened = Open(input);
    if (opened) return std::move(*opened);
    Report(input, "ClientError", "", opened.error().message());
  }
  return nullptr;
}

Result<std::shared_ptr<TransformRun::ObjectRun>> TransformRun::Open(const TransformInput& input) {
  if (!place_) return tl::unexpected<Error>(place_.error());
  HEADRACE_TRY(options_.objects->Check(place_->bucket, place_->KeyOf(input.relative), "s3:PutObject"));
  HEADRACE_ASSIGN(const auto object, options_.objects->Find(input.bucket, input.key));
  Descriptor file(::open(options_.objects->BlobPath(object).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return ::headrace::Fail(ErrorCode::kUnavailable, "cannot be opened: {}", std::strerror(errno));
  const auto& settings = options_.settings;
  auto read = settings.gunzip ? GunzipOf(std::move(file), input.Uri()) : ReaderOf(std::move(file));
  HEADRACE_ASSIGN(auto writer, options_.objects->NewBlob());
  return std::make_shared<ObjectRun>(
      input, BatchReader(settings.split, settings.many_records, std::move(read), settings.payload_bytes),
      ObjectOutput(std::move(writer), settings.lines));
}

// Nothing when it failed, and has been said.
std::optional<std::string> TransformRun::Transform(const Work& work) {
  const auto failed = [&](const std::string& kind, const std::string& what) -> std::optional<std::string> {
    const std::lock_guard lock(mutex_);
    if (!stop_) FailObject(*work.object, kind, RecordsOf(work.batch), what);
    return std::nullopt;
  };
  const auto filtered = processing_.FilterInput(work.batch.body);
  if (!filtered) return failed("ClientError", filtered.error().message());
  auto answer = model_.Invoke(*filtered);
  if (!answer) {
    const auto& failure = answer.error();
    if (failure.no_instance && !stop_) {
      auto nothing = failed("AlgorithmError", failure.text);
      Stop();  // others would only wait as long
      return nothing;
    }
    if (failure.asking_failed())
      return failed("AlgorithmError", "Unable to get response from algorithm: " + failure.text);
    return failed(failure.status >= 500 ? "AlgorithmError" : "ClientError",
                  fmt::format("Bad HTTP status received from algorithm: {}: {}", failure.status, failure.text));
  }
  if (!processing_.changes_output()) return std::move(*answer);
  auto finished = processing_.Finish(work.batch.body, *answer);
  if (!finished) return failed("ClientError", finished.error().message());
  return std::move(*finished);
}

void TransformRun::Deposit(const Work& work, std::optional<std::string> answer) {
  std::unique_lock lock(mutex_);
  ObjectRun& object = *work.object;
  if (!answer || !object.output) {
    --in_memory_;
  } else {
    const size_t waited = object.output->waiting() + 1;
    const auto added = object.output->Add(work.index, std::move(*answer));
    in_memory_ -= waited - object.output->waiting();
    if (!added) FailObject(object, "InternalServerError", RecordsOf(work.batch), added.error().message());
    StoreIfComplete(work.object, lock);
  }
  lock.unlock();
  room_.notify_all();
}

void TransformRun::StoreIfComplete(const std::shared_ptr<ObjectRun>& object, std::unique_lock<std::mutex>& lock) {
  if (!object->output || !object->output->complete() || stop_) return;
  ObjectOutput output = std::move(*object->output);
  object->output.reset();
  lock.unlock();
  const auto stored = output.Commit(*options_.objects, place_->bucket, place_->KeyOf(object->input.relative));
  lock.lock();
  if (stored) {
    WriteDone(object->input);
  } else {
    Report(object->input, "ClientError", "", "the output cannot be stored: " + stored.error().message());
  }
}

void TransformRun::FailObject(ObjectRun& object, const std::string& kind, const std::string& where,
                              const std::string& what) {
  if (!object.output) return;  // it has failed before
  in_memory_ -= object.output->waiting();
  object.output.reset();
  room_.notify_all();
  Report(object.input, kind, where, what);
}

// As SageMaker's data log has it, with the records.
void TransformRun::Report(const TransformInput& input, const std::string& kind, const std::string& where,
                          const std::string& what) {
  const std::string place = where.empty() ? "" : where + ": ";
  const std::string object = input.bucket + "/" + input.key;
  options_.say(fmt::format("{}: {}: {}{}", object, kind, place, what));
  if (++failures_ == 1) failure_ = fmt::format("{}: {}: {}{}", kind, input.Uri(), place, OneLineOf(what));
}

// Lost lines cost work done twice, nothing else.
void TransformRun::ReadDone() {
  std::ifstream file(options_.done_file);
  for (std::string line; std::getline(file, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string())
      done_.emplace(entry[0], entry[1]);
  }
}

void TransformRun::WriteDone(const TransformInput& input) {
  std::ofstream file(options_.done_file, std::ios::app);
  file << nlohmann::json{input.key, input.etag}.dump() << '\n';
}

}  // namespace headrace::jobs
