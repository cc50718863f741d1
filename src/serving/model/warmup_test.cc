#include "serving/model/warmup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/data.h"

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "serving/model/servable_testing.h"
#include "serving/proto/prediction_log.pb.h"

namespace headrace::serving {
namespace {

using ::testing::HasSubstr;
namespace tfs = ::tensorflow::serving;

std::string Predict(const std::string& input, float value) {
  tfs::PredictionLog log;
  tf::TensorProto& x = (*log.mutable_predict_log()->mutable_request()->mutable_inputs())[input];
  x.set_dtype(tf::DT_FLOAT);
  x.mutable_tensor_shape()->add_dim()->set_size(2);
  x.mutable_tensor_shape()->add_dim()->set_size(1);
  x.add_float_val(value);
  return log.SerializeAsString();
}

std::string Regress(float value) {
  tfs::PredictionLog log;
  auto& input = *log.mutable_regress_log()->mutable_request()->mutable_input();
  auto& example = *input.mutable_example_list()->add_examples();
  (*example.mutable_features()->mutable_feature())["x"].mutable_float_list()->add_value(value);
  return log.SerializeAsString();
}

class WarmUpTest : public ::testing::Test {
 protected:
  Result<std::vector<WarmUpRequest>> Read(const std::vector<std::string>& records) {
    EXPECT_TRUE(MakeDirectories(directory_ / "1/assets.extra"));
    data::TFRecordWriter writer(directory_ / "1/assets.extra/tf_serving_warmup_requests");
    for (const std::string& record : records) writer.Write(record);
    writer.Close();
    return ReadWarmUpRequests(directory_ / "1", model_);
  }

  TemporaryDirectory directory_;
  testing::Doubler model_;
};

TEST_F(WarmUpTest, AVersionWithoutTheFileHasNoRequests) {
  const auto requests = ReadWarmUpRequests(directory_ / "1", model_);
  ASSERT_TRUE(requests);
  EXPECT_TRUE(requests->empty());
}

TEST_F(WarmUpTest, ReadsWhatClientsWouldSend) {
  const auto requests = Read({Predict("x", 3), Regress(4)});
  ASSERT_TRUE(requests) << requests.error().what();
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ((*requests)[0].inputs[0].shape(), (Shape{2, 1}));
  EXPECT_EQ((*requests)[0].inputs[0].data<float>()[1], 3);
  EXPECT_EQ((*requests)[1].inputs[0].data<float>()[0], 4);
}

TEST_F(WarmUpTest, ARecordThatDoesNotFitIsAnError) {
  const auto error = [&](const std::vector<std::string>& records) -> std::string {
    const auto requests = Read(records);
    return requests ? "" : requests.error().message();
  };
  EXPECT_THAT(error({Predict("x", 3), Predict("z", 3)}), HasSubstr("record 2: input size does not match signature"));
  EXPECT_THAT(error({"\xff\xff"}), HasSubstr("record 1: it is no PredictionLog"));
  EXPECT_THAT(error({""}), HasSubstr("Unsupported log_type"));
  EXPECT_THAT(error(std::vector<std::string>(1001, Regress(1))), HasSubstr("exceeds the maximum allowed (1000)"));
  ASSERT_TRUE(WriteFileAtomically(directory_ / "1/assets.extra/tf_serving_warmup_requests", "no records at all"));
  EXPECT_FALSE(ReadWarmUpRequests(directory_ / "1", model_));
}

TEST(SmallRuns, AreWhatOneThreadDoesInHalfAMillisecond) {
  testing::Doubler quick, slow, middling;
  slow.time_of_a_row = std::chrono::milliseconds(2);
  middling.time_of_a_row = std::chrono::microseconds(100);  // a sleep takes somewhat longer
  for (testing::Doubler* model : {&quick, &slow, &middling}) EXPECT_TRUE(MeasureSmallRuns(*model, 0, {1, 2}));
  EXPECT_EQ(quick.small_rows(0), 64);
  EXPECT_EQ(slow.small_rows(0), 0);
  for (const size_t runner : slow.runners) EXPECT_EQ(runner, 0u);  // no lane has a plan of it
  EXPECT_LE(middling.small_rows(0), 4);
  EXPECT_THAT(quick.runners, ::testing::Contains(2u));
  testing::Doubler without_lanes;
  EXPECT_TRUE(MeasureSmallRuns(without_lanes, 0, {}));
  EXPECT_EQ(without_lanes.small_rows(0), 0);
}

}  // namespace
}  // namespace headrace::serving
