#include "data/cifar10_dataset.h"

#include <atomic>
#include <thread>

#include <archive.h>
#include <archive_entry.h>
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "headrace/data.h"

#include "base/testing/source_directory.h"
#include "data/cifar10_files.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A web server on the loopback device that serves one body, a connection a request.
class WebServer {
 public:
  struct Behaviour {
    bool ranges = true;    // answers 206 to a Range
    size_t cut_after = 0;  // closes the connection after so many bytes of a body; 0: never
    int status = 200;
  };
  WebServer(std::string body, Behaviour behaviour) : body_(std::move(body)), behaviour_(behaviour) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    ::listen(listener_, 8);
    thread_ = std::thread([this] { Serve(); });
  }
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  ~WebServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/file"; }
  // Where each answered body began.
  const std::vector<size_t>& starts() const { return starts_; }

 private:
  void Serve() {
    for (int peer = 0; (peer = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(peer)) Answer(peer);
  }

  void Answer(int peer) {
    std::string request;
    char chunk[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = ::recv(peer, chunk, sizeof chunk, 0);
      if (n <= 0) return;
      request.append(chunk, static_cast<size_t>(n));
    }
    const size_t range = request.find("Range: bytes=");
    const size_t start = range == std::string::npos || !behaviour_.ranges ? 0 : std::stoul(request.substr(range + 13));
    starts_.push_back(start);
    std::string body = start < body_.size() ? body_.substr(start) : "";
    std::string head = fmt::format("HTTP/1.1 {} x\r\n", behaviour_.status);
    if (behaviour_.status == 200 && start > 0 && body.empty()) head = "HTTP/1.1 416 x\r\n";
    if (behaviour_.status == 200 && start > 0 && !body.empty())
      head = fmt::format("HTTP/1.1 206 x\r\nContent-Range: bytes {}-{}/{}\r\n", start, body_.size() - 1, body_.size());
    head += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n", body.size());
    if (behaviour_.cut_after > 0 && body.size() > behaviour_.cut_after) body.resize(behaviour_.cut_after);
    const std::string answer = head + body;
    ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::shutdown(peer, SHUT_WR);
    while (::recv(peer, chunk, sizeof chunk, 0) > 0) continue;
  }

  std::string body_;
  Behaviour behaviour_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::vector<size_t> starts_;
  std::thread thread_;
};

std::string Noise(size_t size) {
  Random random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  return bytes;
}

class DownloadTest : public testing::Test {
 protected:
  std::string Md5Of(std::string_view bytes) {
    SetContents(dir_ / "md5", bytes);
    return *Md5OfFile(dir_ / "md5");
  }
  TemporaryDirectory dir_;
  std::string body_ = Noise(300000);
};

TEST_F(DownloadTest, Md5) { EXPECT_EQ(Md5Of("abc"), "900150983cd24fb0d6963f7d28e17f72"); }

TEST_F(DownloadTest, WholeFile) {
  WebServer server(body_, {});
  uint64_t last = 0;
  ASSERT_TRUE(Download(server.url(), Md5Of(body_), dir_ / "f", [&](std::string_view, uint64_t done, uint64_t total) {
    last = done;
    EXPECT_LE(done, total);
  }));
  EXPECT_EQ(Contents(dir_ / "f"), body_);
  EXPECT_EQ(last, body_.size());
  EXPECT_FALSE(std::filesystem::exists(dir_ / "f.part"));
}

TEST_F(DownloadTest, GoesOnAfterABreak) {
  WebServer server(body_, {.cut_after = 120000});
  ASSERT_TRUE(Download(server.url(), Md5Of(body_), dir_ / "f"));
  EXPECT_EQ(Contents(dir_ / "f"), body_);
  EXPECT_THAT(server.starts(), ElementsAre(0u, 120000u, 240000u));
}

TEST_F(DownloadTest, GoesOnInTheNextRun) {
  WebServer server(body_, {.cut_after = 60000});
  const auto first = Download(server.url(), Md5Of(body_), dir_ / "f");
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(first.error().message(), HasSubstr("download stopped at 180000 of 300000 bytes"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "f"));
  ASSERT_TRUE(Download(server.url(), Md5Of(body_), dir_ / "f"));
  EXPECT_EQ(Contents(dir_ / "f"), body_);
}

TEST_F(DownloadTest, APartThatIsWholeIsUsed) {
  SetContents(dir_ / "f.part", body_);
  WebServer server(body_, {});
  ASSERT_TRUE(Download(server.url(), Md5Of(body_), dir_ / "f"));
  EXPECT_EQ(Contents(dir_ / "f"), body_);
}

TEST_F(DownloadTest, AServerWithoutRangesStartsAnew) {
  SetContents(dir_ / "f.part", body_.substr(0, 1000));
  WebServer server(body_, {.ranges = false});
  ASSERT_TRUE(Download(server.url(), Md5Of(body_), dir_ / "f"));
  EXPECT_EQ(Contents(dir_ / "f"), body_);
}

TEST_F(DownloadTest, WrongMd5AndMissingFile) {
  WebServer server(body_, {});
  const auto wrong = Download(server.url(), std::string(32, '0'), dir_ / "f");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), ErrorCode::kDataLoss);
  EXPECT_THAT(wrong.error().message(), HasSubstr("wanted 00000000000000000000000000000000"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "f.part"));
  WebServer missing("gone", {.status = 404});
  EXPECT_EQ(Download(missing.url(), "", dir_ / "g").error().code(), ErrorCode::kNotFound);
}

// --- The data set ----------------------------------------------------------------------------------------------

std::vector<Element> AllOf(const std::string& path) {
  std::vector<Element> elements;
  auto iterator = Dataset::TFRecord({path}).map(cifar10::ParseRecord).MakeIterator();
  while (auto element = iterator.Next()) elements.push_back(std::move(*element));
  return elements;
}

TEST(Cifar10Dataset, Sample) {
  const TemporaryDirectory dir;
  const auto splits = MakeCifar10Dataset({.data_dir = dir / "d", .sample = true});
  ASSERT_TRUE(splits) << splits.error().message();
  constexpr size_t kImages[] = {1600, 400, 400};
  const char* kNames[] = {"train", "validation", "eval"};
  const char* kBatches[] = {"data_batch_1.bin", "data_batch_5.bin", "test_batch.bin"};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*splits)[i].path, dir / fmt::format("d/{}/{}.tfrecords", kNames[i], kNames[i]));
    const auto elements = AllOf((*splits)[i].path);
    ASSERT_EQ(elements.size(), kImages[i]);
    EXPECT_EQ((*splits)[i].images, kImages[i]);
    // The first record, byte by byte.
    const std::string batch = Contents(InSourceDirectory("data/cifar10-sample/" + std::string(kBatches[i])));
    EXPECT_EQ(elements[0].y().data<float>()[static_cast<size_t>(batch[0])], 1.f);
    const auto* pixels = elements[0].x().data<uint8_t>();
    for (size_t p = 0; p < 1024; ++p)
      for (size_t c = 0; c < 3; ++c) ASSERT_EQ(pixels[p * 3 + c], static_cast<uint8_t>(batch[1 + c * 1024 + p]));
  }
}

TEST(Cifar10Dataset, RefusesIncompleteDirectories) {
  const TemporaryDirectory dir;
  std::filesystem::create_directories(dir / "in");
  const auto error = [&] { return MakeCifar10Dataset({.data_dir = dir / "d", .from = dir / "in"}).error().message(); };
  for (const char* name : kCifar10BatchNames) SetContents(dir / "in/" + name, std::string(kCifar10BatchBytes, '\1'));
  std::filesystem::remove(dir / "in/data_batch_3.bin");
  EXPECT_THAT(error(), HasSubstr("data_batch_3.bin is missing"));
  SetContents(dir / "in/data_batch_3.bin", std::string(kCifar10RecordBytes, '\1'));
  EXPECT_THAT(error(), HasSubstr("data_batch_3.bin: found 3073 bytes, wanted 30730000"));
  std::string wrong(kCifar10BatchBytes, '\1');
  wrong[kCifar10RecordBytes] = 10;
  SetContents(dir / "in/data_batch_3.bin", wrong);
  EXPECT_THAT(error(), HasSubstr("data_batch_3.bin: record 1 at byte 3073: found the label 10, wanted 0 to 9"));
  EXPECT_FALSE(std::filesystem::exists(dir / "d/train"));
}

// A small cifar-10-binary.tar.gz with the sample's batches.
void WriteArchive(const std::string& path, size_t batches) {
  archive* writer = archive_write_new();
  archive_write_add_filter_gzip(writer);
  archive_write_set_format_ustar(writer);
  archive_write_open_filename(writer, path.c_str());
  for (size_t i = 0; i < batches; ++i) {
    const std::string bytes = Contents(InSourceDirectory("data/cifar10-sample/" + std::string(kCifar10BatchNames[i])));
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, (std::string("cifar-10-batches-bin/") + kCifar10BatchNames[i]).c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(writer, entry);
    archive_write_data(writer, bytes.data(), bytes.size());
    archive_entry_free(entry);
  }
  archive_write_free(writer);
}

TEST(Cifar10Dataset, ReadsArchives) {
  const TemporaryDirectory dir;
  WriteArchive(dir / "a.tar.gz", 6);
  const auto batches = ReadCifar10Archive(dir / "a.tar.gz");
  ASSERT_TRUE(batches) << batches.error().message();
  EXPECT_EQ(*batches, *ReadCifar10Directory(InSourceDirectory("data/cifar10-sample")));
  WriteArchive(dir / "b.tar.gz", 5);
  EXPECT_THAT(ReadCifar10Archive(dir / "b.tar.gz").error().message(), HasSubstr("test_batch.bin is missing"));
  std::string bytes = Contents(dir / "a.tar.gz");
  bytes.resize(bytes.size() / 2);
  SetContents(dir / "a.tar.gz", bytes);
  EXPECT_EQ(ReadCifar10Archive(dir / "a.tar.gz").error().code(), ErrorCode::kDataLoss);
  EXPECT_THAT(MakeCifar10Dataset({.data_dir = dir / "d", .from = dir / "a.tar.gz"}).error().message(),
              HasSubstr("wanted c32a1d4ab5d03f1284b67883e8d87530"));
}

}  // namespace
}  // namespace headrace::data
