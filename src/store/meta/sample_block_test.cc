#include "store/meta/sample_block.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace headrace::store {
namespace {

std::vector<MetricSample> Read(UnixMillis start, std::string_view bytes, bool* broken = nullptr) {
  SampleBlockReader reader(start, bytes);
  std::vector<MetricSample> samples;
  while (const MetricSample* sample = reader.Next()) samples.push_back(*sample);
  if (broken) *broken = reader.broken();
  return samples;
}

const std::vector<MetricSample> kSamples{MetricSample::Of(-5, 0.5),
                                         MetricSample::Of(-5, -0.0),
                                         {7, 3, 6, 1, 3, "Seconds"},
                                         MetricSample::Of(7, 1e308, "Seconds"),
                                         MetricSample::Of(1'700'000'000'123, 5e-324, ""),
                                         {1'700'000'000'123, 0.25, 1, 4, 4, "None"},
                                         {253'402'300'799'999, 1, 0, 0, -0.0, "None"}};

SampleBlockWriter Written() {
  SampleBlockWriter writer(-9);
  for (const MetricSample& sample : kSamples) writer.Append(sample);
  return writer;
}

TEST(SampleBlockTest, GivesBackWhatItTook) {
  const SampleBlockWriter writer = Written();
  EXPECT_EQ(Read(-9, writer.bytes()), kSamples);
  EXPECT_TRUE(std::signbit(Read(-9, writer.bytes())[1].sum));
  EXPECT_TRUE(std::signbit(Read(-9, writer.bytes())[6].maximum));
  EXPECT_EQ(writer.samples(), 7);
  EXPECT_EQ(writer.last(), 253'402'300'799'999);
}

TEST(SampleBlockTest, AMeasurementASecondTakesTenBytes) {
  SampleBlockWriter writer(0);
  for (int i = 0; i < 100; ++i) writer.Append(MetricSample::Of(1000 * i, i));
  EXPECT_LE(writer.bytes().size(), 1000u);
}

TEST(SampleBlockTest, GoesOnBehindTheLastSample) {
  const SampleBlockWriter whole = Written();
  SampleBlockWriter first(-9);
  for (size_t i = 0; i < 4; ++i) first.Append(kSamples[i]);
  SampleBlockReader reader(-9, first.bytes());
  while (reader.Next()) {
  }
  SampleBlockWriter continued = reader.Continued();
  for (size_t i = 4; i < kSamples.size(); ++i) continued.Append(kSamples[i]);
  EXPECT_EQ(continued.bytes(), whole.bytes());
  EXPECT_EQ(continued.samples(), whole.samples());
}

TEST(SampleBlockTest, BytesThatAreCutShortAreNotTakenForSamples) {
  const std::string bytes = Written().bytes();
  int broken_ones = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    bool broken = false;
    const auto samples = Read(-9, std::string_view(bytes).substr(0, size), &broken);
    ASSERT_LT(samples.size(), kSamples.size());
    ASSERT_TRUE(std::equal(samples.begin(), samples.end(), kSamples.begin()));
    broken_ones += broken ? 1 : 0;
  }
  EXPECT_EQ(broken_ones, static_cast<int>(bytes.size() - kSamples.size()));  // all but the cuts between samples
}

TEST(SampleBlockTest, NoBytesAreReadThatAreNotThere) {
  bool broken = false;
  EXPECT_TRUE(Read(0, std::string(11, '\xff'), &broken).empty());  // a number without an end
  EXPECT_TRUE(broken);
  EXPECT_TRUE(Read(0, std::string("\x00\xff\xff\xff\x7f", 5), &broken).empty());  // a unit of 256 MB
  EXPECT_TRUE(broken);
}

}  // namespace
}  // namespace headrace::store
