#include "serving/codec/buffer.h"

#include <cstdint>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "serving/codec/codec_testing.h"
#include "serving/codec/npy.h"

namespace headrace::serving {
namespace {

TEST(Buffer, KeepsItsBytesWhileItGrows) {
  Buffer buffer;
  std::string wanted;
  for (int i = 0; i < 5000; ++i) {
    const std::span<char> room = buffer.Room(7);
    ASSERT_GE(room.size(), 7u);
    std::memcpy(room.data(), "piece42", 7);
    buffer.Filled(7);
    wanted += "piece42";
  }
  EXPECT_EQ(buffer.bytes(), wanted);
  EXPECT_GE(buffer.capacity(), buffer.size() + Buffer::kPadding);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.bytes().data()) % Buffer::kAlignment, 0u);
}

TEST(Buffer, ReservedRoomIsFilledInPlace) {
  Buffer buffer;
  buffer.Reserve(100000);
  const void* place = buffer.memory().get();
  while (buffer.size() < 100000) buffer.Filled(std::min<size_t>(buffer.Room(1).size(), 100000 - buffer.size()));
  EXPECT_EQ(buffer.memory().get(), place);
  EXPECT_TRUE(Buffer("").bytes().empty());
}

TEST(Buffer, ElementsOfABodyStayWhereTheyLie) {
  Tensor tensor(DType::kFloat32, {2, 2, 3});
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.data<float>()[i] = static_cast<float>(i);
  Buffer npy(WriteNpy(tensor)), raw({static_cast<const char*>(tensor.raw()), tensor.bytes()});
  for (const Buffer* body : {&npy, &raw}) {
    auto inputs =
        body == &npy ? NpyInputs(*body, testing::SmallSignature()) : RawInputs(*body, testing::SmallSignature());
    ASSERT_TRUE(inputs);
    const auto* data = static_cast<const char*>(inputs->tensors[0].raw());
    EXPECT_EQ(data + tensor.bytes(), body->bytes().data() + body->size());
  }
  const auto inputs = NpyInputs(npy, testing::SmallSignature());
  npy = Buffer();  // the tensor keeps the memory
  EXPECT_EQ(inputs->tensors[0].data<float>()[11], 11.0f);
}

}  // namespace
}  // namespace headrace::serving
