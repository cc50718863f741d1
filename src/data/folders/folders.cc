// Files and labels, to images and texts in batches.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "headrace/data.h"

#include "base/file.h"
#include "base/result.h"
#include "data/folders/index.h"
#include "data/image/decode.h"

namespace headrace::data {
namespace {

constexpr size_t kMostFileBytes = size_t{1} << 30;

std::string ReadWhole(const std::string& path) { return ValueOrThrow(ReadRegularFile(path, kMostFileBytes)); }

// What options of images and of texts alike ask for.
template <typename Options>
FolderQuestion QuestionOf(const char* call, const std::string& directory, std::vector<std::string> endings,
                          const Options& options) {
  return {.call = call,
          .directory = directory,
          .endings = std::move(endings),
          .label_mode = options.label_mode,
          .class_names = options.class_names,
          .follow_links = options.follow_links,
          .shuffle = options.shuffle,
          .seed = options.seed,
          .validation_split = options.validation_split,
          .subset = options.subset};
}

// What a label_mode makes of a class's number, a scalar.
Tensor LabelOf(const Tensor& number, const std::string& mode, int64_t classes) {
  const int32_t label = *number.data<int32_t>();
  if (mode == "binary") return Tensor::FromVector(std::vector<float>{static_cast<float>(label)}, {1});
  if (mode == "categorical") {
    Tensor one_hot = Tensor::Zeros(DType::kFloat32, {classes});
    one_hot.data<float>()[label] = 1;
    return one_hot;
  }
  return number;
}

// {name, number of the class} of every file, in Keras's order or shuffled on the way.
Dataset Names(const FolderIndex& index, const FolderQuestion& question, int64_t batch_size) {
  std::vector<Element> elements;
  for (size_t i = 0; i < index.files.size(); ++i) {
    Element element(FromBytes(index.files[i]));
    if (!index.labels.empty()) {
      Tensor number(DType::kInt32, Shape{});
      *number.data<int32_t>() = index.labels[i];
      element.Append(std::move(number));
    }
    elements.push_back(std::move(element));
  }
  const Dataset names = Dataset::FromElements(std::move(elements));
  if (!question.shuffle) return names;
  return names.shuffle(batch_size > 0 ? batch_size * 8 : 1024, {.seed = question.seed.value_or(0)});
}

// Puts `read`(name) in the place of the name, and the label in that of the class's number.
MapFn Reading(std::function<Tensor(const std::string& path)> read, std::string label_mode, size_t classes) {
  return [=](const Element& element) {
    std::vector<Tensor> components = element.components();
    components[0] = read(std::string(Bytes(element.x())));
    if (components.size() > 1) components[1] = LabelOf(components[1], label_mode, static_cast<int64_t>(classes));
    return Element(std::move(components));
  };
}

// The largest part in the middle that has the wanted proportions, as Keras's smart_resize cuts it.
Tensor CutToProportions(const Tensor& pixels, double height, double width) {
  const auto in_height = pixels.dim(0), in_width = pixels.dim(1);
  const auto cut_height = std::min(in_height, static_cast<int64_t>(static_cast<double>(in_width) * height / width));
  const auto cut_width = std::min(in_width, static_cast<int64_t>(static_cast<double>(in_height) * width / height));
  return image::Crop(pixels, (in_height - cut_height) / 2, (in_width - cut_width) / 2, std::max<int64_t>(cut_height, 1),
                     std::max<int64_t>(cut_width, 1));
}

int ChannelsOf(const std::string& color_mode) {
  if (color_mode == "rgb") return 3;
  if (color_mode == "grayscale") return 1;
  if (color_mode == "rgba") return 4;
  throw MakeError(ErrorCode::kInvalidArgument,
                  "ImageDatasetFromDirectory: color_mode: found \"{}\", wanted \"rgb\", \"grayscale\" or \"rgba\"",
                  color_mode);
}

void CheckBatchSize(const char* call, int64_t batch_size) {
  if (batch_size < 0)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: batch_size: found {}, wanted 1 or more, or 0 for none", call,
                    batch_size);
}

}  // namespace

FolderDataset ImageDatasetFromDirectory(const std::string& directory, ImageFolderOptions options) {
  constexpr const char* kCall = "ImageDatasetFromDirectory";
  const int channels = ChannelsOf(options.color_mode);
  CheckBatchSize(kCall, options.batch_size);
  const int64_t height = options.image_size[0], width = options.image_size[1];
  if (height < 1 || width < 1)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: image_size: found {} x {}, wanted 1 x 1 or more", kCall, height,
                    width);
  const FolderQuestion question = QuestionOf(kCall, directory, {".jpeg", ".jpg", ".png"}, options);
  FolderIndex index = IndexFolder(question);
  const auto read = [=, crop = options.crop_to_aspect_ratio, method = options.interpolation](const std::string& path) {
    Tensor pixels = image::DecodeImage(ReadWhole(path), path, channels);
    if (crop) pixels = CutToProportions(pixels, static_cast<double>(height), static_cast<double>(width));
    return image::Resize(pixels, height, width, {.method = method}).Cast(DType::kFloat32);
  };
  Dataset images = Names(index, question, options.batch_size)
                       .map(Reading(read, question.label_mode, index.class_names.size()),
                            {.num_parallel_calls = std::max(options.num_parallel_calls, 1)});
  if (options.batch_size > 0) images = images.batch(options.batch_size);
  return {images, std::move(index.files), std::move(index.class_names)};
}

FolderDataset TextDatasetFromDirectory(const std::string& directory, TextFolderOptions options) {
  constexpr const char* kCall = "TextDatasetFromDirectory";
  CheckBatchSize(kCall, options.batch_size);
  if (options.max_length < 0)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: max_length: found {}, wanted 1 or more, or 0 for all", kCall,
                    options.max_length);
  const FolderQuestion question = QuestionOf(kCall, directory, {".txt"}, options);
  FolderIndex index = IndexFolder(question);
  const auto read = [most = static_cast<size_t>(options.max_length)](const std::string& path) {
    const std::string text = ReadWhole(path);
    return FromBytes(most > 0 ? std::string_view(text).substr(0, most) : text);
  };
  Dataset texts =
      Names(index, question, options.batch_size).map(Reading(read, question.label_mode, index.class_names.size()));
  if (options.batch_size > 0) texts = texts.padded_batch(options.batch_size);
  return {texts, std::move(index.files), std::move(index.class_names)};
}

}  // namespace headrace::data
