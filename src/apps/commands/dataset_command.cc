#include "apps/commands/dataset_command.h"

#include <iostream>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/commands/step_display.h"
#include "base/result.h"
#include "data/cifar10_dataset.h"

namespace headrace::apps {
namespace {

void PrintText(const data::Cifar10Splits& splits) {
  for (const data::Cifar10Split& split : splits)
    std::cout << fmt::format("{:>6} images  {}\n", split.images, split.path);
}

void PrintJson(const data::Cifar10Splits& splits) {
  auto list = nlohmann::ordered_json::array();
  for (const data::Cifar10Split& split : splits) list.push_back({{"path", split.path}, {"images", split.images}});
  std::cout << nlohmann::ordered_json{{"splits", list}}.dump(2) << "\n";
}

void AddCifar10Command(CLI::App& dataset) {
  CLI::App* command =
      dataset.add_subcommand("cifar10", "60,000 pictures of 32 x 32 pixels in 10 classes, as TFRecords.");
  auto options = std::make_shared<data::Cifar10Options>();
  auto format = AddOutputOption(*command);
  command->add_option("--data-dir", options->data_dir, "directory that gets train/, validation/ and eval/")
      ->required()
      ->option_text("DIR");
  auto* from = command
                   ->add_option("--from", options->from,
                                "a downloaded cifar-10-binary.tar.gz or an unpacked cifar-10-batches-bin, instead of "
                                "downloading")
                   ->option_text("PATH");
  command->add_flag("--sample", options->sample, "about 2,400 of the images, which come with Headrace; no download")
      ->excludes(from);
  SetExample(*command, "headrace dataset cifar10 --data-dir data");
  command->callback([options, format] {
    StepDisplay display = StepDisplay::OfProcess();
    const auto show = [&](std::string_view what, uint64_t done, uint64_t total) { display.Show(what, done, total); };
    const data::Cifar10Splits splits = ValueOrThrow(data::MakeCifar10Dataset(*options, show));
    *format == OutputFormat::kJson ? PrintJson(splits) : PrintText(splits);
  });
}

}  // namespace

void AddDatasetCommand(CLI::App& app) {
  CLI::App* dataset = app.add_subcommand("dataset", "Makes data sets for training.");
  dataset->require_subcommand(1);
  SetExample(*dataset, "headrace dataset cifar10 --data-dir data");
  AddCifar10Command(*dataset);
}

}  // namespace headrace::apps
