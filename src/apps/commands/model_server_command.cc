#include "apps/commands/model_server_command.h"

#include <iostream>

#include <signal.h>

#include "apps/command.h"
#include "apps/commands/openmp_spin.h"
#include "apps/commands/serving_flags.h"
#include "apps/platform/end_signals.h"
#include "base/descriptor_limit.h"
#include "base/file.h"
#include "base/log.h"
#include "serving/model/text_message.h"
#include "serving/model_server.h"

namespace headrace::apps {
namespace {

struct Options {
  serving::ModelServerOptions server;
  std::string model_name = "default", model_base_path, discover;
  std::string batching_parameters_file, port_file, precision = "float32";
  double poll_seconds = 1, config_poll_seconds = 0;
  std::string grpc_port_file;
  bool enable_batching = false, strict = true;
  std::string monitoring_config_file, mixed_precision;
  int64_t load_retry_micros = 60000000;
  bool labels_of_absent = false, any_labels_of_absent = false;
  std::shared_ptr<ServingFlags> serving_flags = std::make_shared<ServingFlags>();
};

// The path of a MonitoringConfig, beside those that always answer.
std::string MetricsPath(const std::string& file) {
  const std::string text = ValueOrThrow(ReadFile(file, size_t{1} << 20));
  const auto message = ValueOrThrow(serving::TextMessage::Parse(text, file));
  const serving::TextMessage* prometheus = message.Message("prometheus_config");
  return prometheus == nullptr ? "" : prometheus->Value("path").value_or("");
}

serving::ModelServerOptions ServerOptions(const Options& options) {
  serving::ModelServerOptions server = options.server;
  const int sources = (options.model_base_path.empty() ? 0 : 1) + (options.discover.empty() ? 0 : 1) +
                      (server.config_file.empty() ? 0 : 1);
  if (sources != 1)
    throw CLI::ValidationError("model-server", "wanted one of --model_base_path, --model_config_file, --discover");
  if (!options.model_base_path.empty()) {
    serving::ModelConfig model;
    model.name = options.model_name;
    model.base_path = options.model_base_path;
    server.models = {model};
  } else if (!options.discover.empty()) {
    server.models = serving::DiscoverModels(options.discover);
    if (server.models.empty())
      throw MakeError(ErrorCode::kNotFound, "{}: no directory NAME/NUMBER with a saved_model.pb below it",
                      options.discover);
  }
  if (!options.batching_parameters_file.empty())
    server.batching = ValueOrThrow(
        serving::ParseBatchingParameters(ValueOrThrow(ReadFile(options.batching_parameters_file, size_t{1} << 20)),
                                         options.batching_parameters_file, server.batching));
  const auto milliseconds = [](double seconds) {
    return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
  };
  if (!options.monitoring_config_file.empty()) server.rest.metrics_path = MetricsPath(options.monitoring_config_file);
  server.poll = milliseconds(options.poll_seconds);
  server.config_poll = milliseconds(options.config_poll_seconds);
  server.bfloat16 = options.precision == "bfloat16" || options.mixed_precision == "bfloat16";
  server.retries.interval = std::chrono::microseconds(options.load_retry_micros);
  server.absent_labels = options.any_labels_of_absent ? serving::AbsentLabels::kAll
                         : options.labels_of_absent   ? serving::AbsentLabels::kNewOnes
                                                      : serving::AbsentLabels::kRefused;
  return server;
}

void RunModelServer(const CLI::App& command, const Options& options) {
  BoundOpenMpSpin();  // starts the program anew: what is said behind it is said once
  CheckServingFlags(command, *options.serving_flags);
  const serving::ModelServerOptions server_options = ServerOptions(options);
  RaiseDescriptorLimit();
  const sigset_t signals = BlockEndSignals();
  const auto server = ValueOrThrow(serving::ModelServer::Start(server_options, options.strict));
  if (!options.grpc_port_file.empty())
    ValueOrThrow(WriteFileAtomically(options.grpc_port_file, std::to_string(server->grpc_port()) + "\n"));
  if (!options.port_file.empty())
    ValueOrThrow(WriteFileAtomically(options.port_file, std::to_string(server->port()) + "\n"));
  std::cout << (server_options.socket_path.empty()
                    ? fmt::format("headrace model-server: http://{}:{}/v1/models\n", server_options.address,
                                  server->port())
                    : fmt::format("headrace model-server: http over {}\n", server_options.socket_path))
            << std::flush;
  int signal = 0;
  ::sigwait(&signals, &signal);
  Log(LogLevel::kInfo, "signal {}: stopping", signal);
  server->Stop(std::chrono::seconds(10));
}

}  // namespace

void AddModelServerCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("model-server", "serve SavedModels over HTTP, as TensorFlow Serving does");
  auto options = std::make_shared<Options>();
  serving::ModelServerOptions& server = options->server;
  command->add_option("--rest_api_port", server.port, "port for HTTP; 0 takes a free one (see --port_file)")
      ->capture_default_str();
  command->add_option("--rest_api_socket_path", server.socket_path,
                      "Unix socket for HTTP, instead of --rest_api_port; it is there once requests are answered");
  command->add_option("--port", server.grpc_port, "port for gRPC; 0 takes a free one; without it there is no gRPC");
  command->add_option("--address", server.address, "IP address to listen on")->capture_default_str();
  command->add_option("--port_file", options->port_file, "file to write the port to, once requests are answered");
  command->add_option("--grpc_port_file", options->grpc_port_file, "the same for gRPC's port");
  command->add_option("--model_name", options->model_name, "name of the model in --model_base_path")
      ->capture_default_str();
  command->add_option("--model_base_path", options->model_base_path, "directory of numbered versions");
  command->add_option("--model_config_file", server.config_file, "a ModelServerConfig in text format");
  command->add_option("--discover", options->discover,
                      "serve every NAME/NUMBER/saved_model.pb below this directory, as SageMaker's container does");
  command->add_option("--default_model", server.rest.default_model, "model of /ping and /invocations");
  command
      ->add_option("--file_system_poll_wait_seconds", options->poll_seconds, "between looks for new versions; 0: never")
      ->capture_default_str();
  command
      ->add_option("--model_config_file_poll_wait_seconds", options->config_poll_seconds,
                   "between readings of the configuration file; 0: never")
      ->capture_default_str();
  command->add_flag("--enable_batching", options->enable_batching,
                    "accepted; requests that wait together always run together");
  command->add_option("--batching_parameters_file", options->batching_parameters_file,
                      "max_batch_size, batch_timeout_micros, num_batch_threads, max_enqueued_batches in text format");
  command->add_option("--num_batch_threads", server.batching.num_batch_threads, "threads that compute")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      ->add_option("--tensorflow_intra_op_parallelism", server.openmp_threads,
                   "processors of each compute thread; 0: all, divided by the compute threads")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--rest_api_num_threads", server.http_threads, "threads for connections and their JSON")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--max_connections", server.max_connections, "connections at a time")->capture_default_str();
  command->add_option("--max_body_bytes", server.rest.max_body_bytes, "largest request, also when inflated")
      ->capture_default_str();
  command
      ->add_option("--tensorflow_library", server.tensorflow_library,
                   "TensorFlow's own C library for models beyond Headrace's operations: its path; auto: when it is "
                   "installed; none")
      ->capture_default_str();
  command
      ->add_option("--enable_model_warmup", server.warm_up,
                   "run the requests in a version's assets.extra/tf_serving_warmup_requests before it serves")
      ->capture_default_str();
  command->add_option("--num_request_iterations_for_warmup", server.warm_up_iterations, "runs of each such request")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_flag("--enable_signature_method_name_check", server.rest.check_method_names,
                    "classify and regress only what was exported for them");
  command->add_option("--precision", options->precision, "of activations")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  command->add_flag("--rest_api_enable_cors_support", server.rest.cors, "answer browsers of other origins");
  command->add_option("--monitoring_config_file", options->monitoring_config_file,
                      "a MonitoringConfig in text format: the path of Prometheus's metrics");
  command
      ->add_option("--max_num_load_retries", server.retries.most,
                   "times a version that cannot be loaded is tried again while its files stay as they are")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  command->add_option("--load_retry_interval_micros", options->load_retry_micros, "between two such tries")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 50))
      ->capture_default_str();
  command->add_flag("--allow_version_labels_for_unavailable_models", options->labels_of_absent,
                    "new labels may name a version that is not there yet");
  command->add_flag("--force_allow_any_version_labels_for_unavailable_models", options->any_labels_of_absent,
                    "and so may labels that named another one");
  command->add_option("--mixed_precision", options->mixed_precision, "bfloat16: the same as --precision bfloat16")
      ->expected(0, 1)
      ->check(CLI::IsMember({"", "bfloat16"}));
  AddServingFlags(*command, options->serving_flags);
  command->set_version_flag("--version", [&app] { return app.version(); });
  command->add_flag("--strict,!--no-strict", options->strict, "end when a model cannot be loaded at the start");
  SetExample(*command, "headrace model-server --rest_api_port 8501 --model_name cifar --model_base_path $PWD/export");
  command->callback([options, command] { RunModelServer(*command, *options); });
}

}  // namespace headrace::apps
