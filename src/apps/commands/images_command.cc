#include "apps/commands/images_command.h"

#include <iostream>

#include <nlohmann/json.hpp>

#include "headrace/data.h"

#include "apps/command.h"
#include "apps/evaluation/classifier.h"
#include "apps/evaluation/images.h"
#include "base/file.h"
#include "base/result.h"
#include "serving/codec/npy.h"

namespace headrace::apps {
namespace {

struct ImagesOptions {
  std::string data, directory, as = "png";
  int64_t count = 10, skip = 0;
  std::shared_ptr<OutputFormat> format;
};

// A file for an endpoint is a batch of one.
std::string Encoded(const Tensor& image, const std::string& as) {
  if (as == "png") return EncodePng(image);
  return serving::WriteNpy(image.Reshape({1, image.dim(0), image.dim(1), image.dim(2)}));
}

// DIR/3-cat.png: the record's number and its label.
std::vector<std::string> WriteImages(const ImagesOptions& options) {
  ValueOrThrow(MakeDirectories(options.directory));
  auto records = data::Dataset::TFRecord({options.data}).skip(options.skip).take(options.count).MakeIterator();
  std::vector<std::string> files;
  while (const auto record = records.Next()) {
    const data::Element example = data::cifar10::ParseRecord(*record);
    const int64_t label = LargestIndex(example.y().data<float>(), example.y().size());
    const std::string path =
        fmt::format("{}/{}-{}.{}", options.directory, options.skip + static_cast<int64_t>(files.size()),
                    data::cifar10::kClassNames[static_cast<size_t>(label)], options.as);
    ValueOrThrow(WriteFileAtomically(path, Encoded(example.x(), options.as)));
    files.push_back(path);
  }
  return files;
}

}  // namespace

void AddImagesCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("images", "write images of a CIFAR-10 TFRecord file as files of their own");
  auto options = std::make_shared<ImagesOptions>();
  command->add_option("data", options->data, "TFRecord file")->required()->option_text("FILE.tfrecords");
  command->add_option("directory", options->directory, "where the files go")->required()->option_text("DIR");
  command->add_option("--count", options->count, "how many")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--as", options->as, "png: to look at; npy: to send to an endpoint")
      ->check(CLI::IsMember({"png", "npy"}))
      ->capture_default_str();
  command->add_option("--skip", options->skip, "records before the first")->check(CLI::NonNegativeNumber);
  options->format = AddOutputOption(*command);
  SetExample(*command, "headrace images data/eval/eval.tfrecords pictures --count 5");
  command->callback([options] {
    const std::vector<std::string> files = WriteImages(*options);
    if (*options->format == OutputFormat::kJson) {
      std::cout << nlohmann::json(files).dump(2) << "\n";
    } else {
      for (const std::string& file : files) std::cout << file << "\n";
    }
  });
}

}  // namespace headrace::apps
