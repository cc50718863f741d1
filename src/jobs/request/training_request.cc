#include "jobs/request/training_request.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr size_t kMostGroups = 5;  // as the service has it
constexpr int64_t kMostInstances = 10'000, kMostGiB = int64_t{1} << 30, kMostSeconds = int64_t{1} << 40;
constexpr int64_t kMostRetries = 1000;

// Reads the members of one object. The first thing that cannot be is kept in `wrong`; everything after it is of no
// account. null is what is absent.
class Members {
 public:
  Members(const json* object, std::string path, std::optional<Error>& wrong)
      : object_(object), path_(std::move(path)), wrong_(wrong) {}

  bool Has(const char* name) const { return Find(name) != nullptr; }
  bool present() const { return object_ != nullptr; }

  std::string Text(const char* name, std::string otherwise = "") const {
    const json* found = Find(name);
    if (found == nullptr) return otherwise;
    if (found->is_string()) return found->get<std::string>();
    Complain(name, *found, "a text");
    return otherwise;
  }

  int64_t Integer(const char* name, int64_t otherwise, int64_t least, int64_t most) const {
    const json* found = Find(name);
    if (found == nullptr) return otherwise;
    if (found->is_number_integer())
      if (const auto value = found->get<int64_t>(); value >= least && value <= most) return value;
    Complain(name, *found, fmt::format("a whole number from {} to {}", least, most));
    return otherwise;
  }

  bool Flag(const char* name) const {
    const json* found = Find(name);
    if (found == nullptr) return false;
    if (found->is_boolean()) return found->get<bool>();
    Complain(name, *found, "true or false");
    return false;
  }

  // Without members when it is absent.
  Members Object(const char* name) const {
    const json* found = Find(name);
    if (found != nullptr && !found->is_object()) {
      Complain(name, *found, "an object");
      found = nullptr;
    }
    return {found, PathOf(name), wrong_};
  }

  std::vector<Members> Objects(const char* name, size_t most = SIZE_MAX) const {
    std::vector<Members> members;
    const auto elements = List(name);
    if (elements.size() > most) {
      Complain(name, elements.size(), fmt::format("at most {} of them", most));
      return members;
    }
    for (const auto& [element, path] : elements) {
      if (!element->is_object()) {
        ComplainAt(path, *element, "an object");
        break;
      }
      members.push_back({element, path, wrong_});
    }
    return members;
  }

  std::vector<std::string> Texts(const char* name) const {
    std::vector<std::string> texts;
    for (const auto& [element, path] : List(name)) {
      if (!element->is_string()) {
        ComplainAt(path, *element, "a text");
        break;
      }
      texts.push_back(element->get<std::string>());
    }
    return texts;
  }

  std::map<std::string, std::string> TextMap(const char* name) const {
    std::map<std::string, std::string> texts;
    const Members members = Object(name);
    if (!members.present()) return texts;
    for (const auto& item : members.object_->items()) texts[item.key()] = members.Text(item.key().c_str());
    return texts;
  }

 private:
  const json* Find(const char* name) const {
    if (object_ == nullptr) return nullptr;
    const auto found = object_->find(name);
    return found == object_->end() || found->is_null() ? nullptr : &*found;
  }

  std::vector<std::pair<const json*, std::string>> List(const char* name) const {
    std::vector<std::pair<const json*, std::string>> elements;
    const json* found = Find(name);
    if (found == nullptr) return elements;
    if (!found->is_array()) {
      Complain(name, *found, "a list");
      return elements;
    }
    for (const auto& element : *found)
      elements.emplace_back(&element, fmt::format("{}[{}]", PathOf(name), elements.size()));
    return elements;
  }

  std::string PathOf(const char* name) const { return path_.empty() ? name : path_ + "." + name; }
  void Complain(const char* name, const json& found, const std::string& wanted) const {
    ComplainAt(PathOf(name), found, wanted);
  }
  void ComplainAt(const std::string& path, const json& found, const std::string& wanted) const {
    if (wrong_) return;
    const auto shown = found.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100);
    wrong_ = Error(ErrorCode::kInvalidArgument, fmt::format("{}: found {}, wanted {}", path, shown, wanted));
  }

  const json* object_;
  std::string path_;
  std::optional<Error>& wrong_;
};

AlgorithmSpecification ReadAlgorithm(const Members& from) {
  AlgorithmSpecification algorithm;
  algorithm.training_image = from.Text("TrainingImage");
  algorithm.input_mode = from.Text("TrainingInputMode", algorithm.input_mode);
  for (const auto& definition : from.Objects("MetricDefinitions"))
    algorithm.metric_definitions.push_back({definition.Text("Name"), definition.Text("Regex")});
  algorithm.container_entrypoint = from.Texts("ContainerEntrypoint");
  algorithm.container_arguments = from.Texts("ContainerArguments");
  return algorithm;
}

InstanceGroup ReadGroup(const Members& from) {
  InstanceGroup group;
  group.name = from.Text("InstanceGroupName", group.name);
  group.instance_type = from.Text("InstanceType");
  group.instance_count = static_cast<int>(from.Integer("InstanceCount", 1, 1, kMostInstances));
  return group;
}

ResourceConfig ReadResources(const Members& from) {
  ResourceConfig resources;
  const auto groups = from.Objects("InstanceGroups", kMostGroups);
  resources.has_groups = !groups.empty();
  resources.groups.clear();
  for (const auto& group : groups) resources.groups.push_back(ReadGroup(group));
  if (groups.empty()) resources.groups.push_back(ReadGroup(from));
  const int64_t gib = from.Integer("VolumeSizeInGB", kDefaultVolumeGiB, 0, kMostGiB);
  resources.volume_bytes = static_cast<uint64_t>(gib == 0 ? kDefaultVolumeGiB : gib) << 30;
  return resources;
}

ChannelRequest ReadChannel(const Members& from, const std::string& mode_of_job) {
  ChannelRequest channel;
  channel.name = from.Text("ChannelName");
  channel.mode = from.Text("InputMode", mode_of_job);
  channel.content_type = from.Text("ContentType");
  channel.record_wrapper = from.Text("RecordWrapperType", channel.record_wrapper);
  channel.compression = from.Text("CompressionType", channel.compression);
  if (const auto shuffle = from.Object("ShuffleConfig"); shuffle.Has("Seed"))
    channel.shuffle_seed = shuffle.Integer("Seed", 0, INT64_MIN, INT64_MAX);
  const auto source = from.Object("DataSource").Object("S3DataSource");
  channel.s3_uri = source.Text("S3Uri");
  channel.data_type = source.Text("S3DataType", channel.data_type);
  channel.distribution = source.Text("S3DataDistributionType", channel.distribution);
  channel.attributes = source.Texts("AttributeNames");
  channel.instance_groups = source.Texts("InstanceGroupNames");
  return channel;
}

OutputDataConfig ReadOutput(const Members& from) {
  return {from.Text("S3OutputPath"), from.Text("CompressionType", "GZIP") != "NONE"};
}

std::optional<CheckpointConfig> ReadCheckpoints(const Members& from) {
  if (!from.present()) return std::nullopt;
  CheckpointConfig checkpoints;
  checkpoints.s3_uri = from.Text("S3Uri");
  if (auto path = from.Text("LocalPath"); !path.empty()) checkpoints.local_path = std::move(path);
  return checkpoints;
}

}  // namespace

int ResourceConfig::instance_count() const {
  return std::accumulate(groups.begin(), groups.end(), 0,
                         [](int sum, const InstanceGroup& group) { return sum + group.instance_count; });
}

const InstanceGroup& ResourceConfig::GroupOf(std::string_view host) const {
  constexpr std::string_view kPrefix = "algo-";
  int number = 0;
  if (host.starts_with(kPrefix)) std::from_chars(host.data() + kPrefix.size(), host.data() + host.size(), number);
  for (const auto& group : groups) {
    if (number <= group.instance_count && number > 0) return group;
    number -= group.instance_count;
  }
  return groups.front();
}

std::vector<std::string> TrainingRequest::hosts() const {
  std::vector<std::string> names;
  for (int i = 0; i < resources.instance_count(); ++i) names.push_back(HostName(static_cast<size_t>(i)));
  return names;
}

bool TrainingRequest::has_sdk_drivers() const {
  return std::any_of(channels.begin(), channels.end(),
                     [](const ChannelRequest& channel) { return channel.name == kSdkDriversChannel; });
}

bool TrainingRequest::may_start_ranks() const { return mpi || has_sdk_drivers(); }

std::vector<InstanceSize> TrainingRequest::host_sizes() const {
  std::vector<InstanceSize> sizes;
  for (const auto& group : resources.groups)
    sizes.insert(sizes.end(), static_cast<size_t>(group.instance_count),
                 SizeOfInstance(group.instance_type).value_or(InstanceSize{}));
  return sizes;
}

Result<ResourceConfig> DecodeResourceConfig(const json& document) {
  std::optional<Error> wrong;
  auto resources =
      ReadResources(Members(document.is_object() ? &document : nullptr, "", wrong).Object("ResourceConfig"));
  if (wrong) return tl::unexpected<Error>(std::move(*wrong));
  return resources;
}

Result<TrainingRequest> DecodeTrainingRequest(json document) {
  if (!document.is_object())
    return Fail(ErrorCode::kInvalidArgument, "the request of a training job: found {}, wanted an object",
                document.type_name());
  TrainingRequest request;
  request.document = std::move(document);
  std::optional<Error> wrong;
  const Members from(&request.document, "", wrong);
  request.algorithm = ReadAlgorithm(from.Object("AlgorithmSpecification"));
  request.resources = ReadResources(from.Object("ResourceConfig"));
  request.stopping.max_runtime_seconds =
      from.Object("StoppingCondition").Integer("MaxRuntimeInSeconds", kDefaultMaxRuntimeSeconds, 1, kMostSeconds);
  for (const auto& channel : from.Objects("InputDataConfig"))
    request.channels.push_back(ReadChannel(channel, request.algorithm.input_mode));
  request.role_arn = from.Text("RoleArn");
  request.output = ReadOutput(from.Object("OutputDataConfig"));
  request.checkpoints = ReadCheckpoints(from.Object("CheckpointConfig"));
  request.retries = static_cast<int>(from.Object("RetryStrategy").Integer("MaximumRetryAttempts", 0, 0, kMostRetries));
  request.network_isolation = from.Flag("EnableNetworkIsolation");
  request.environment = from.TextMap("Environment");
  if (wrong) return tl::unexpected<Error>(std::move(*wrong));
  if (const auto parameters = request.document.find("HyperParameters"); parameters != request.document.end())
    request.hyperparameters = DecodeHyperparameters(*parameters);
  HEADRACE_ASSIGN(request.mpi, MpiOf(request.hyperparameters, request.resources.instance_count()));
  if (!request.mpi) request.rendezvous = RendezvousOf(request.hyperparameters, request.resources.instance_count());
  if (request.rendezvous == Rendezvous::kNone && request.has_sdk_drivers() && request.resources.instance_count() > 1)
    request.rendezvous = Rendezvous::kSdkDrivers;
  return request;
}

Result<TrainingRequest> ParseTrainingRequest(std::string_view text) {
  auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return Fail(ErrorCode::kInvalidArgument, "the request of a training job is no JSON");
  return DecodeTrainingRequest(std::move(document));
}

std::string HostName(size_t index) { return fmt::format("algo-{}", index + 1); }

}  // namespace headrace::jobs
