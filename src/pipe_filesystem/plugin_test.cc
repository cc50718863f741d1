// The tables that TensorFlow gets, and what their functions do with a FIFO. TensorFlow itself:
// tests/tensorflow/test_pipe_mode.py.
#include <csignal>
#include <cstring>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "pipe_filesystem/c_interface.h"
#include "pipe_filesystem/tensorflow_interface.h"

struct TF_Status {
  TF_Code code = TF_OK;
  std::string message;
};

extern "C" void TF_SetStatus(TF_Status* status, TF_Code code, const char* message) {
  status->code = code;
  status->message = message;
}
extern "C" void TF_InitPlugin(TF_FilesystemPluginInfo* info);

namespace headrace::pipe_filesystem {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PluginTest : public testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    ASSERT_TRUE(
        WriteFileAtomically(dir_ / "inputdataconfig.json",
                            R"({"train": {"TrainingInputMode": "Pipe"}, "eval": {"TrainingInputMode": "File"}})"));
  }

  std::string Options(const std::string& channel, const std::string& format) const {
    const std::string dir = dir_.path();
    return R"({"channel": ")" + channel + R"(", "record_format": ")" + format + R"(", "state_dir": ")" + dir +
           R"(/state", "pipe_dir": ")" + dir + R"(", "config_dir": ")" + dir + R"("})";
  }

  // Writes the FIFO of an epoch, once somebody reads it.
  std::thread Feed(int epoch, std::string content) const {
    const std::string path = dir_ / ("train_" + std::to_string(epoch));
    ::mkfifo(path.c_str(), 0600);
    return std::thread([path, content = std::move(content)] {
      const int fd = ::open(path.c_str(), O_WRONLY);
      EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
      ::close(fd);
    });
  }

  TemporaryDirectory dir_;
};

// Loads the plugin as TensorFlow does, and frees what it has allocated.
struct Plugin {
  Plugin() {
    TF_InitPlugin(&info);
    TF_Status status;
    if (info.num_schemes > 0) info.ops->filesystem_ops->init(&state, &status);
  }
  ~Plugin() {
    info.ops->filesystem_ops->cleanup(&state);
    for (void* memory : {static_cast<void*>(info.ops->scheme), static_cast<void*>(info.ops->filesystem_ops),
                         static_cast<void*>(info.ops->random_access_file_ops), static_cast<void*>(info.ops)})
      info.plugin_memory_free(memory);
  }
  TF_FilesystemPluginInfo info{};
  TF_Filesystem state{};
};

// The first record of an epoch, as TensorFlow reads it.
std::string ReadTicket(const TF_RandomAccessFileOps& files, const TF_RandomAccessFile& file) {
  TF_Status status;
  char header[12];
  EXPECT_EQ(files.read(&file, 0, 12, header, &status), 12);
  uint64_t length = 0;
  std::memcpy(&length, header, sizeof length);
  std::string ticket(length + 4, '\0');
  EXPECT_EQ(files.read(&file, 12, ticket.size(), ticket.data(), &status), static_cast<int64_t>(ticket.size()));
  EXPECT_EQ(status.code, TF_OK) << status.message;
  return ticket.substr(0, length);
}

// As tf.io.read_file does it.
std::string ReadWhole(const TF_FilesystemOps& filesystem, const TF_RandomAccessFileOps& files,
                      const TF_Filesystem& state, const std::string& name) {
  TF_Status status;
  const int64_t size = filesystem.get_file_size(&state, name.c_str(), &status);
  EXPECT_EQ(status.code, TF_OK) << status.message;
  TF_RandomAccessFile file{};
  filesystem.new_random_access_file(&state, name.c_str(), &file, &status);
  EXPECT_EQ(status.code, TF_OK) << status.message;
  if (status.code != TF_OK) return "";
  std::string bytes(static_cast<size_t>(size), '\0');
  EXPECT_EQ(files.read(&file, 0, bytes.size(), bytes.data(), &status), size);
  EXPECT_EQ(status.code, TF_OK) << status.message;
  files.cleanup(&file);
  return bytes;
}

TEST_F(PluginTest, EachOpeningOfTheNameIsAnEpoch) {
  const Plugin plugin;
  ASSERT_EQ(plugin.info.num_schemes, 1u);
  EXPECT_STREQ(plugin.info.ops->scheme, "headrace.pipe");
  const auto& filesystem = *plugin.info.ops->filesystem_ops;
  const auto& files = *plugin.info.ops->random_access_file_ops;
  const std::string name = "headrace.pipe://" + Options("train", "TextLine");
  char* translated = filesystem.translate_name(&plugin.state, name.c_str());
  EXPECT_EQ(translated, name);
  plugin.info.plugin_memory_free(translated);

  for (int epoch = 0; epoch < 2; ++epoch) {
    std::thread feeder = Feed(epoch, "epoch " + std::to_string(epoch) + "\n");
    TF_RandomAccessFile file{};
    TF_Status status;
    filesystem.new_random_access_file(&plugin.state, name.c_str(), &file, &status);
    ASSERT_EQ(status.code, TF_OK) << status.message;
    const std::string ticket = ReadTicket(files, file);
    EXPECT_EQ(ReadWhole(filesystem, files, plugin.state, ticket),
              std::string("\x08\x07\x12\x04\x12\x02\x08\x01\x22\x08\x07", 11) + "epoch " + std::to_string(epoch));
    char header[12];
    EXPECT_EQ(files.read(&file, 12 + ticket.size() + 4, 12, header, &status), 0);
    EXPECT_EQ(status.code, TF_OUT_OF_RANGE);
    files.cleanup(&file);
    feeder.join();
  }
}

TEST_F(PluginTest, CorruptRecordsAndWrongNamesAreErrorsOfTensorFlow) {
  const Plugin plugin;
  const auto& filesystem = *plugin.info.ops->filesystem_ops;
  const auto& files = *plugin.info.ops->random_access_file_ops;
  std::thread feeder = Feed(0, "these are no TFRecords");
  TF_RandomAccessFile file{};
  TF_Status status;
  filesystem.new_random_access_file(&plugin.state, ("headrace.pipe://" + Options("train", "TFRecord")).c_str(), &file,
                                    &status);
  ASSERT_EQ(status.code, TF_OK) << status.message;
  char header[12];
  EXPECT_EQ(files.read(&file, 0, 12, header, &status), -1);
  EXPECT_EQ(status.code, TF_DATA_LOSS);
  EXPECT_THAT(status.message, HasSubstr("channel train, epoch 0: record 0 at byte 0: corrupt length"));
  files.cleanup(&file);
  feeder.join();

  filesystem.new_random_access_file(&plugin.state, "headrace.pipe://train", &file, &status);
  EXPECT_EQ(status.code, TF_INVALID_ARGUMENT);
  EXPECT_THAT(status.message, HasSubstr("wanted a JSON object"));
}

TEST_F(PluginTest, OptionsAreCheckedByName) {
  const auto wrong = [](const std::string& options) {
    const char* message = headrace_pipe_check(options.c_str());
    return std::string(message == nullptr ? "" : message);
  };
  EXPECT_EQ(wrong(Options("train", "TFRecord")), "");
  EXPECT_THAT(wrong(Options("train", "CSV")),
              HasSubstr("record_format: found \"CSV\", wanted TFRecord, RecordIO or TextLine"));
  EXPECT_THAT(wrong(Options("test", "TFRecord")),
              HasSubstr("channel test: the job has no such channel; it has: eval, train"));
  EXPECT_THAT(wrong(Options("eval", "TFRecord")), HasSubstr("found TrainingInputMode \"File\", wanted \"Pipe\""));
  EXPECT_THAT(wrong(R"({"channel": 1})"), HasSubstr("channel: found 1, wanted a string"));
  EXPECT_THAT(wrong(R"({"channel": "train", "benchmark": 1})"), HasSubstr("benchmark: found 1, wanted true or false"));
  EXPECT_THAT(wrong(R"({"channel": "train", "max_corrupted_records_to_skip": 18446744073709551615})"),
              HasSubstr("wanted an integer"));
  EXPECT_THAT(wrong(R"({"channel": "train", "color": "red"})"), HasSubstr("there is no option color"));
}

TEST_F(PluginTest, PythonGetsTheSameChunks) {
  std::thread feeder = Feed(0, "a\n\nccc\n");
  const char* error = nullptr;
  headrace_pipe* pipe = headrace_pipe_open(Options("train", "TextLine").c_str(), &error);
  ASSERT_NE(pipe, nullptr) << error;
  const char* tensor = nullptr;
  const int64_t size = headrace_pipe_read(pipe, &tensor, &error);
  ASSERT_EQ(size, 17);
  EXPECT_EQ(std::string(tensor, 17), std::string("\x08\x07\x12\x04\x12\x02\x08\x03\x22\x07\x01\x00\x03", 13) + "accc");
  EXPECT_EQ(headrace_pipe_read(pipe, &tensor, &error), 0);
  headrace_pipe_close(pipe);
  feeder.join();
}

TEST_F(PluginTest, RecordsBeforeACorruptOneReachPythonToo) {
  std::thread feeder = Feed(0, std::string("\x0a\x23\xd7\xce\x04\0\0\0good", 12) + "and then nonsense");
  const char* error = nullptr;
  headrace_pipe* pipe = headrace_pipe_open(Options("train", "RecordIO").c_str(), &error);
  ASSERT_NE(pipe, nullptr) << error;
  const char* tensor = nullptr;
  const int64_t size = headrace_pipe_read(pipe, &tensor, &error);
  ASSERT_GT(size, 4);
  EXPECT_EQ(std::string(tensor + size - 4, 4), "good");
  ASSERT_EQ(headrace_pipe_read(pipe, &tensor, &error), -1);
  EXPECT_THAT(error, HasSubstr("channel train, epoch 0: record 1 at byte 12"));
  headrace_pipe_close(pipe);
  feeder.join();

  EXPECT_EQ(headrace_pipe_open("{}", &error), nullptr);
  EXPECT_THAT(error, HasSubstr("channel"));
}

}  // namespace
}  // namespace headrace::pipe_filesystem
