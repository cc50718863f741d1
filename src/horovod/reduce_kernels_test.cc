#include "horovod/reduce_kernels.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "tensor/bfloat16.h"

namespace headrace::hvd {
namespace {

// Every instruction set against the portable one: the same bits.
class ReduceKernelsTest : public testing::TestWithParam<tensor::Isa> {};

INSTANTIATE_TEST_SUITE_P(Isas, ReduceKernelsTest, testing::ValuesIn(tensor::RunnableIsas()),
                         [](const auto& info) { return std::string(tensor::NameOf(info.param)); });

constexpr DataType kTypes[] = {DataType::kUInt8,   DataType::kInt8,     DataType::kUInt16,  DataType::kInt16,
                               DataType::kInt32,   DataType::kInt64,    DataType::kFloat16, DataType::kFloat32,
                               DataType::kFloat64, DataType::kBFloat16, DataType::kBool};

// Any bits are values of integers; of the others, small numbers.
std::vector<std::byte> Values(DataType type, int64_t count, uint32_t seed) {
  std::vector<std::byte> bytes(static_cast<size_t>(count) * SizeOf(type));
  const auto& portable = ReduceKernelsOf(tensor::Isa::kPortable);
  for (int64_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const float value = static_cast<float>(static_cast<int32_t>(seed >> 8) % 1000) / 16;
    std::byte* place = bytes.data() + static_cast<size_t>(i) * SizeOf(type);
    if (type == DataType::kFloat32) {
      std::memcpy(place, &value, 4);
    } else if (type == DataType::kFloat64) {
      const double wide = value;
      std::memcpy(place, &wide, 8);
    } else if (type == DataType::kFloat16 || type == DataType::kBFloat16) {
      uint16_t narrow = 0;
      portable.compress(1, &value, type, &narrow);
      std::memcpy(place, &narrow, 2);
    } else {
      for (size_t b = 0; b < SizeOf(type); ++b) place[b] = static_cast<std::byte>(seed >> (8 + b));
      if (type == DataType::kBool) place[0] &= std::byte{1};
    }
  }
  return bytes;
}

TEST_P(ReduceKernelsTest, SameBitsAsPortable) {
  for (const DataType type : kTypes)
    for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMin, ReduceOp::kMax, ReduceOp::kProduct})
      for (const int64_t count : {1, 15, 16, 17, 1000, 2049})
        for (const int inputs : {1, 2, 3, 4, 7}) {
          std::vector<std::vector<std::byte>> values;
          std::vector<const void*> in;
          for (int k = 0; k < inputs; ++k) values.push_back(Values(type, count, static_cast<uint32_t>(k + 1)));
          for (const auto& one : values) in.push_back(one.data());
          std::vector<std::byte> ours(values[0].size()), second(ours.size()), wanted(ours.size());
          void *out[] = {ours.data(), second.data()}, *wanted_out[] = {wanted.data()};
          // A product of floats may be too large for an integer: those are scaled in their own type only.
          const double scale = type == DataType::kFloat32 ? 0.25 : 1;
          ReduceKernelsOf(GetParam()).reduce({type, op, scale, count, in.data(), inputs, out, 2});
          ReduceKernelsOf(tensor::Isa::kPortable).reduce({type, op, scale, count, in.data(), inputs, wanted_out, 1});
          ASSERT_EQ(ours, wanted) << NameOf(type) << " " << NameOf(op) << " " << count << " " << inputs;
          ASSERT_EQ(second, wanted);
        }
}

TEST_P(ReduceKernelsTest, IntegersAreScaledInDoubleAndCutOff) {
  const int32_t values[] = {7, -7, 1 << 30};
  int32_t scaled[3];
  const void* in[] = {values};
  void* out[] = {scaled};
  ReduceKernelsOf(GetParam()).reduce({DataType::kInt32, ReduceOp::kSum, 0.5, 3, in, 1, out, 1});
  EXPECT_EQ(scaled[0], 3);
  EXPECT_EQ(scaled[1], -3);
  EXPECT_EQ(scaled[2], 1 << 29);
}

TEST_P(ReduceKernelsTest, EveryFloat16ComesBackAndRoundsToEven) {
  std::vector<uint16_t> halves(1 << 16), again(halves.size());
  std::vector<float> floats(halves.size());
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  const auto& kernels = ReduceKernelsOf(GetParam());
  kernels.expand(1 << 16, DataType::kFloat16, halves.data(), floats.data());
  kernels.compress(1 << 16, floats.data(), DataType::kFloat16, again.data());
  for (size_t i = 0; i < halves.size(); ++i)
    ASSERT_EQ(again[i], std::isnan(floats[i]) ? halves[i] | 0x200 : halves[i]) << i;
  EXPECT_EQ(floats[0x3c00], 1.0f);
  EXPECT_EQ(floats[0x0001], std::ldexp(1.0f, -24));
  const float between[] = {1 + std::ldexp(1.0f, -11), 1 + 3 * std::ldexp(1.0f, -11), 65519, 65520,
                           std::ldexp(1.0f, -25)};
  uint16_t rounded[5];
  kernels.compress(5, between, DataType::kFloat16, rounded);
  const uint16_t wanted[] = {0x3c00, 0x3c02, 0x7bff, 0x7c00, 0};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rounded[i], wanted[i]) << i;
}

TEST_P(ReduceKernelsTest, BFloat16IsThatOfTheTensors) {
  std::vector<float> values;
  for (int i = -40; i < 40; ++i) values.push_back(std::ldexp(1.2345678f, i) * (i % 2 == 0 ? 1.0f : -1.0f));
  std::vector<uint16_t> packed(values.size());
  ReduceKernelsOf(GetParam())
      .compress(static_cast<int64_t>(values.size()), values.data(), DataType::kBFloat16, packed.data());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(packed[i], BFloat16FromFloat(values[i]));
}

TEST_P(ReduceKernelsTest, Dots) {
  std::vector<float> a(1003), b(1003);
  double wanted[3] = {};
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(i % 7);
    b[i] = static_cast<float>(i % 5) - 2;
    wanted[0] += static_cast<double>(a[i]) * b[i];
    wanted[1] += static_cast<double>(a[i]) * a[i];
    wanted[2] += static_cast<double>(b[i]) * b[i];
  }
  double dots[3];
  ReduceKernelsOf(GetParam()).dots(1003, a.data(), b.data(), dots);
  for (int i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ(dots[i], wanted[i]);
}

}  // namespace
}  // namespace headrace::hvd
