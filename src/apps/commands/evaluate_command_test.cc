// evaluate, predict and images, from the command line to their files.
#include "apps/commands/evaluate_command.h"

#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "headrace/data.h"
#include "headrace/savedmodel.h"

#include "apps/commands/images_command.h"
#include "apps/commands/predict_command.h"
#include "apps/evaluation/images.h"
#include "apps/run.h"
#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::apps {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

enum Color { kRed, kGreen, kBlue };

std::string ImageOf(Color color) {  // [3, 32, 32]
  std::string image(3072, '\0');
  std::fill_n(image.begin() + color * 1024, 1024, '\xff');
  return image;
}

// Takes red for an airplane (class 0), green for an automobile (1), blue for a bird (2).
void ExportColorModel(const std::string& directory) {
  using namespace keras;
  Sequential model({GlobalAveragePooling2D({.input_shape = {32, 32, 3}}),
                    Dense(10, {.activation = "softmax", .kernel_initializer = "zeros"})});
  float* kernel = model.weights()[0]->value.data<float>();  // [3, 10]
  for (int color = 0; color < 3; ++color) kernel[color * 10 + color] = 0.02f;
  savedmodel::Export(model, directory);
}

class Commands : public ::testing::Test {
 protected:
  void SetUp() override {
    ExportColorModel(root_ + "/export/1");
    data::TFRecordWriter writer(root_ + "/eval.tfrecords");
    // Three right, and a red bird.
    for (const auto& [color, label] :
         {std::pair(kRed, 0), std::pair(kGreen, 1), std::pair(kBlue, 2), std::pair(kRed, 2)})
      writer.Write(data::cifar10::EncodeRecord(ImageOf(color), label));
    writer.Close();
  }

  std::string Output(std::vector<std::string> arguments, int wanted = kDone) {
    std::ostringstream out, err;
    ::testing::internal::CaptureStdout();
    const int code =
        headrace::apps::Run({AddEvaluateCommand, AddPredictCommand, AddImagesCommand}, std::move(arguments), out, err);
    const std::string printed = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, wanted) << err.str();
    return code == kDone ? printed : err.str();
  }

  TemporaryDirectory directory_;
  std::string root_ = directory_.path();
};

TEST_F(Commands, EvaluateCountsAndReports) {
  const std::vector<std::string> arguments = {
      "evaluate", "--model",         root_ + "/export", "--data", root_ + "/eval.tfrecords",
      "--report", root_ + "/report", "--batch-size",    "3"};
  const std::string text = Output(arguments);
  EXPECT_THAT(text, StartsWith("accuracy 0.7500: 3 of 4 images right"));
  EXPECT_THAT(text, HasSubstr("airplane           0.500   1.000   0.667       1"));
  EXPECT_THAT(text, HasSubstr("bird               1.000   0.500   0.667       2"));

  const auto json = nlohmann::json::parse(ReadFile(root_ + "/report/report.json").value());
  EXPECT_EQ(json["accuracy"], 0.75);
  EXPECT_EQ(json["confusion_matrix"][2][0], 1);
  EXPECT_EQ(json["model"], root_ + "/export/1");
  // The red bird is taken for an airplane: e^5.1 / (e^5.1 + 9).
  EXPECT_THAT(ReadFile(root_ + "/report/predictions.csv").value(),
              AllOf(StartsWith("record,true,predicted,score\n0,0,0,0.9480\n"), HasSubstr("\n3,2,0,0.9480\n")));
  EXPECT_THAT(ReadFile(root_ + "/report/confusion_matrix.png").value(), StartsWith("\x89PNG"));
  EXPECT_THAT(ReadFile(root_ + "/report/confusion_matrix.svg").value(), HasSubstr("<svg"));

  auto as_json = arguments;
  as_json.insert(as_json.end(), {"-o", "json"});
  EXPECT_EQ(nlohmann::json::parse(Output(as_json)), json);
}

TEST_F(Commands, PredictNamesWhatImagesWrote) {
  const std::string pictures = root_ + "/pictures";
  EXPECT_EQ(Output({"images", root_ + "/eval.tfrecords", pictures, "--count", "2", "--skip", "1"}),
            pictures + "/1-automobile.png\n" + pictures + "/2-bird.png\n");
  const auto json = nlohmann::json::parse(Output({"predict", "--model", root_ + "/export", pictures + "/2-bird.png",
                                                  pictures + "/1-automobile.png", "-o", "json"}));
  EXPECT_EQ(json["predictions"][0]["class"], "bird");
  EXPECT_EQ(json["predictions"][0]["resized"], false);
  EXPECT_EQ(json["predictions"][1]["class"], "automobile");
  // e^5.1 / (e^5.1 + 9)
  EXPECT_NEAR(json["predictions"][1]["scores"]["automobile"].get<double>(), 0.9480, 1e-4);
}

TEST_F(Commands, PredictResizesAndSaysSo) {
  Tensor image = Tensor::Zeros(DType::kUInt8, {48, 64, 3});
  for (int64_t i = 0; i < 48 * 64; ++i) image.data<uint8_t>()[3 * i] = 255;
  ASSERT_TRUE(WriteFileAtomically(root_ + "/large.png", EncodePng(image)));
  const std::string text = Output({"predict", "--model", root_ + "/export", root_ + "/large.png"});
  EXPECT_THAT(text, HasSubstr("airplane 0.948"));
  EXPECT_THAT(text, HasSubstr("(resized from 64x48 to 32x32)"));
}

TEST_F(Commands, ErrorsSayWhatIsWanted) {
  EXPECT_THAT(Output({"evaluate", "--model", root_ + "/nowhere", "--data", "x"}, kFailed),
              HasSubstr("no SavedModel here"));
  ASSERT_TRUE(WriteFileAtomically(root_ + "/two.txt", "one\ntwo\n"));
  EXPECT_THAT(Output({"predict", "--model", root_ + "/export", "--classes", root_ + "/two.txt", "x.png"}, kFailed),
              HasSubstr("10 scores for the 2 classes of"));
  EXPECT_THAT(Output({"predict", "--model", root_ + "/export", root_ + "/two.txt"}, kFailed),
              HasSubstr("no PNG image"));
  Output({"predict", "--model", root_ + "/export"}, kWrongUsage);
  Output({"evaluate", "--model", root_ + "/export", "--data", "x", "--batch-size", "0"}, kWrongUsage);
}

}  // namespace
}  // namespace headrace::apps
