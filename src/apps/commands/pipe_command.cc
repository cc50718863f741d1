#include "apps/commands/pipe_command.h"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "apps/commands/pipe_cat.h"
#include "apps/commands/pipe_status.h"
#include "base/file.h"

namespace headrace::apps {
namespace {

void AddCat(CLI::App& pipe) {
  CLI::App* command = pipe.add_subcommand(
      "cat",
      "Shows the records of a file or FIFO. A FIFO of a running job is read as its program would: it takes the epoch.");
  auto options = std::make_shared<PipeCatOptions>();
  auto format = AddOutputOption(*command);
  command->add_option("path", options->path, "a file, gzip or not, or a FIFO")->required()->option_text("PATH");
  command->add_option("--format", options->format, "TFRecord, RecordIO or TextLine; found out when not given")
      ->check(CLI::IsMember({"TFRecord", "RecordIO", "TextLine"}))
      ->option_text("FORMAT");
  command->add_option("--limit", options->limit, "stops after so many records")->option_text("N");
  auto* count = command->add_flag("--count", options->count, "only the totals");
  command->add_flag("--raw", options->raw, "only the records' bytes")->excludes(count);
  command->add_flag("--skip-corrupt", options->skip_corrupt, "passes over corrupt records and counts them");
  SetExample(*command, "headrace pipe cat --limit 5 /opt/ml/input/data/train_0");
  command->callback([options, format] { ValueOrThrow(PipeCat(*options, *format, std::cout)); });
}

std::string DefaultDataDirectory() {
  if (const char* given = std::getenv("HEADRACE_DATA_DIR")) return given;
  if (const char* data = std::getenv("XDG_DATA_HOME")) return std::string(data) + "/headrace";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "") + "/.local/share/headrace";
}

void AddStatus(CLI::App& pipe) {
  CLI::App* command =
      pipe.add_subcommand("status", "What a job's channels in Pipe mode have streamed: epochs, bytes, rates.");
  struct PipeOptions {
    std::string job, data_dir = DefaultDataDirectory();
    double interval = 1;
  };
  auto options = std::make_shared<PipeOptions>();
  auto format = AddOutputOption(*command);
  command->add_option("job", options->job, "name of a training job, or a job directory")
      ->required()
      ->option_text("JOB");
  command->add_option("--data-dir", options->data_dir, "data directory of the server")->option_text("DIR");
  command->add_option("--interval", options->interval, "seconds over which rates are measured; 0: none")
      ->check(CLI::Range(0.0, 3600.0))
      ->option_text("SECONDS");
  SetExample(*command, "headrace pipe status my-training-job");
  command->callback([options, format] {
    const std::string path = ValueOrThrow(FindPipeStatus(options->data_dir, options->job));
    std::string text = ValueOrThrow(ReadFile(path)), earlier;
    if (options->interval > 0 && *format == OutputFormat::kText) {
      earlier = std::move(text);
      std::this_thread::sleep_for(std::chrono::duration<double>(options->interval));
      text = ValueOrThrow(ReadFile(path));
    }
    ValueOrThrow(PrintPipeStatus(text, earlier, *format, std::cout));
  });
}

}  // namespace

void AddPipeCommand(CLI::App& app) {
  CLI::App* pipe = app.add_subcommand("pipe", "Looks into what Pipe mode streams.");
  pipe->require_subcommand(1);
  SetExample(*pipe, "headrace pipe cat data/train/train.tfrecords");
  AddCat(*pipe);
  AddStatus(*pipe);
}

}  // namespace headrace::apps
