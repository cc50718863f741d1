// The SDK's transfers and calls, for tests with real files and servers.
//
//   sdk_tool upload PATH URI        prints where it lies
//   sdk_tool download URI DIRECTORY prints the files
//   sdk_tool list URI               prints URIs
//   sdk_tool call SERVICE OPERATION JSON [MILLISECONDS]  prints the reply; a failure as its code, status and attempts
#include <cstdio>
#include <string>
#include <vector>

#include "headrace/sagemaker.h"

namespace {

using namespace headrace::sagemaker;

const TransferOptions kSmallParts{.part_bytes = uint64_t{5} << 20, .parallel = 4, .progress = {}};

int Call(const std::vector<std::string>& words) {
  const std::chrono::milliseconds timeout(words.size() > 4 ? std::stoi(words[4]) : 0);
  const auto reply = Client(words[1]).Call(words[2], words[3], {.timeout = timeout, .max_attempts = 0, .stop = {}});
  if (reply.ok()) {
    std::printf("%s\n", reply->c_str());
    return 0;
  }
  std::printf("%s %d %d\n", reply.error().service_code.c_str(), reply.error().status, reply.error().attempts);
  std::fprintf(stderr, "%s\n", reply.error().what());
  return 1;
}

int Run(const std::vector<std::string>& words) {
  const Session session;
  std::vector<std::string> lines;
  if (words[0] == "upload") lines = {S3Uploader::upload(words[1], words[2], session, kSmallParts)};
  if (words[0] == "download") lines = S3Downloader::download(words[1], words[2], session, kSmallParts);
  if (words[0] == "list") lines = S3Downloader::list(words[1], session);
  if (words[0] == "call") return Call(words);
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
