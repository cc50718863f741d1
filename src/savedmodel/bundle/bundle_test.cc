#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "savedmodel/bundle/bundle_reader.h"
#include "savedmodel/bundle/bundle_writer.h"
#include "savedmodel/bundle/table.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

class Bundle : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string prefix_ = directory_ / "variables";

  void Write() {
    BundleWriter writer = BundleWriter::Create(prefix_).value();
    ASSERT_TRUE(writer.Add("dense/kernel", Tensor::FromVector(std::vector<float>{1, 2}, {2, 1})));
    ASSERT_TRUE(writer.Add("dense/bias", Tensor::FromVector(std::vector<float>{-0.5f}, {1})));
    ASSERT_TRUE(writer.Finish());
  }
  // The error of reading the bundle whose entry for `name` is changed by `change`.
  template <typename F>
  std::string ErrorAfter(const std::string& name, F&& change) {
    TableEntries table = ReadTable(ReadFile(prefix_ + ".index").value(), prefix_).value();
    tf::BundleEntryProto entry;
    EXPECT_TRUE(entry.ParseFromString(table[name]));
    change(entry);
    table[name] = entry.SerializeAsString();
    EXPECT_TRUE(WriteFileAtomically(prefix_ + ".index", BuildTable(table)));
    const auto reader = BundleReader::Open(prefix_, 1 << 20);
    if (!reader) return reader.error().message();
    const auto tensor = reader->Read(name);
    return tensor ? "no error" : tensor.error().message();
  }
};

TEST_F(Bundle, IsTensorFlowsByteForByte) {
  Write();
  EXPECT_EQ(Hex(ReadFile(prefix_ + ".data-00000-of-00001").value()), "0000803f00000040000000bf");
  EXPECT_EQ(Hex(ReadFile(prefix_ + ".index").value()),
            "00000608011a020801000a1164656e73652f62696173080112041202080120082804359a33d8ac0606136b65726e656c0801120812"
            "02080212020801280835593ce535000000000100000000cbe7f3a1000000000100000000c0f2a1b000010265004b00000000010000"
            "000052a9d47e50085d0e" +
                std::string(72, '0') + "57fb808b247547db");
}

TEST_F(Bundle, ReadsWhatItWrites) {
  BundleWriter writer = BundleWriter::Create(prefix_).value();
  ASSERT_TRUE(writer.Add("scalar", Tensor::Scalar(2.5f)));
  ASSERT_TRUE(writer.Add("empty", Tensor(DType::kFloat32, {0, 3})));
  ASSERT_TRUE(writer.Add("step", Tensor::FromVector(std::vector<int64_t>{-7, 9}, {2})));
  EXPECT_FALSE(writer.Add("step", Tensor::Scalar(1.f)));
  ASSERT_TRUE(writer.Finish());

  const BundleReader reader = BundleReader::Open(prefix_, 1 << 20).value();
  EXPECT_THAT(reader.names(), ElementsAre("empty", "scalar", "step"));
  EXPECT_EQ(reader.Read("scalar")->data<float>()[0], 2.5f);
  EXPECT_EQ(reader.Read("empty")->shape(), (Shape{0, 3}));
  EXPECT_EQ(reader.Read("step")->data<int64_t>()[0], -7);
  EXPECT_THAT(reader.Read("momentum").error().message(), HasSubstr("no tensor named 'momentum'"));
}

TEST_F(Bundle, NothingAppearsWithoutFinish) {
  { auto writer = BundleWriter::Create(prefix_).value(); }
  EXPECT_FALSE(ReadFile(prefix_ + ".index"));
  EXPECT_FALSE(ReadFile(prefix_ + ".data-00000-of-00001"));
}

TEST_F(Bundle, RefusesEntriesThatCannotBeTrue) {
  Write();
  const auto error = [&](auto change) {
    Write();
    return ErrorAfter("dense/kernel", change);
  };
  using Entry = tf::BundleEntryProto;
  EXPECT_THAT(error([](Entry& e) { e.set_size(1 << 12); }), HasSubstr("4096 bytes for float32 (2, 1)"));
  EXPECT_THAT(error([](Entry& e) { e.set_size(-1); }), HasSubstr("-1 bytes at offset 0"));
  EXPECT_THAT(error([](Entry& e) { e.set_offset(-4); }), HasSubstr("8 bytes at offset -4"));
  EXPECT_THAT(error([](Entry& e) { e.set_offset(8); }), HasSubstr("8 bytes at offset 8 in a file of 12"));
  EXPECT_THAT(error([](Entry& e) { e.set_offset(INT64_MAX); }), HasSubstr("in a file of 12"));
  EXPECT_THAT(error([](Entry& e) { e.set_shard_id(1); }), HasSubstr("in data file 1 of 1"));
  EXPECT_THAT(error([](Entry& e) { e.mutable_shape()->mutable_dim(0)->set_size(-1); }), HasSubstr("unknown shape"));
  EXPECT_THAT(error([](Entry& e) { e.mutable_shape()->mutable_dim(0)->set_size(-9); }), HasSubstr("is -9"));
  EXPECT_THAT(error([](Entry& e) { e.mutable_shape()->set_unknown_rank(true); }), HasSubstr("unknown rank"));
  EXPECT_THAT(error([](Entry& e) { e.set_dtype(tf::DT_STRING); }), HasSubstr("its type is DT_STRING, wanted float32"));
  EXPECT_THAT(error([](Entry& e) { e.add_slices(); }), HasSubstr("stored in slices"));
  EXPECT_THAT(error([](Entry& e) { e.set_crc32c(1); }), HasSubstr("the index says 0x00000001"));
  EXPECT_THAT(error([](Entry& e) {
                for (int i = 0; i < 4; ++i) e.mutable_shape()->add_dim()->set_size(INT64_MAX);
              }),
              HasSubstr("too many elements"));
}

TEST_F(Bundle, RefusesMoreThanTheLimit) {
  Write();
  EXPECT_THAT(BundleReader::Open(prefix_, 11).error().message(), HasSubstr("exceed the limit of 11 bytes"));
  EXPECT_TRUE(BundleReader::Open(prefix_, 12));
}

TEST_F(Bundle, RefusesTensorsThatShareBytes) {
  Write();
  TableEntries table = ReadTable(ReadFile(prefix_ + ".index").value(), prefix_).value();
  for (int i = 0; i < 1000; ++i) table["more" + std::to_string(i)] = table["dense/kernel"];
  ASSERT_TRUE(WriteFileAtomically(prefix_ + ".index", BuildTable(table)));
  EXPECT_THAT(BundleReader::Open(prefix_, 1 << 20).error().message(), HasSubstr("of which other tensors have"));
}

TEST_F(Bundle, WaitsForNoFifo) {
  Write();
  const std::string data = prefix_ + ".data-00000-of-00001";
  ASSERT_EQ(::unlink(data.c_str()), 0);
  ASSERT_EQ(::mkfifo(data.c_str(), 0600), 0);
  EXPECT_THAT(BundleReader::Open(prefix_, 1 << 20).error().message(), HasSubstr("found a FIFO"));
}

TEST_F(Bundle, NamesTheTensorWhoseBytesChanged) {
  Write();
  ASSERT_TRUE(WriteFileAtomically(prefix_ + ".data-00000-of-00001", std::string(12, 'x')));
  const auto tensor = BundleReader::Open(prefix_, 1 << 20)->Read("dense/bias");
  EXPECT_THAT(tensor.error().message(), HasSubstr("tensor 'dense/bias': its bytes at offset 8 have checksum"));
}

TEST_F(Bundle, RefusesHeadersOfOthers) {
  tf::BundleHeaderProto header;
  const auto error = [&] {
    return ParseBundleIndex(BuildTable({{"", header.SerializeAsString()}}), "x.index").error().message();
  };
  EXPECT_THAT(error(), HasSubstr("0 data files, wanted 1 to 99999"));
  header.set_num_shards(1);
  header.set_endianness(tf::BundleHeaderProto::BIG);
  EXPECT_THAT(error(), HasSubstr("big-endian"));
  EXPECT_THAT(ParseBundleIndex(BuildTable({}), "x.index").error().message(), HasSubstr("no header"));
}

TEST(TensorProto, TheLastValueRepeats) {
  tf::TensorProto proto;
  proto.set_dtype(tf::DT_FLOAT);
  proto.mutable_tensor_shape()->add_dim()->set_size(3);
  EXPECT_EQ(TensorFromProto(proto, "c")->data<float>()[2], 0);
  proto.add_float_val(1);
  proto.add_float_val(2);
  const Tensor tensor = TensorFromProto(proto, "c").value();
  EXPECT_EQ(tensor.data<float>()[0], 1);
  EXPECT_EQ(tensor.data<float>()[2], 2);
  proto.set_tensor_content("12 bytes....");
  EXPECT_TRUE(TensorFromProto(proto, "c"));
  proto.set_tensor_content("short");
  EXPECT_THAT(TensorFromProto(proto, "c").error().message(), HasSubstr("5 bytes of content for shape (3,), wanted 12"));
}

TEST(TensorProto, ASmallMessageCannotFillMemory) {
  tf::TensorProto proto;
  proto.set_dtype(tf::DT_FLOAT);
  proto.mutable_tensor_shape()->add_dim()->set_size(int64_t{1} << 40);
  proto.add_float_val(1);
  EXPECT_EQ(TensorFromProto(proto, "c").error().code(), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace headrace::savedmodel
