// RequestIds: unique names for requests, in the form of a UUID. Not secret and not guessable by accident.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

#include <fmt/core.h>

namespace headrace::http {

class RequestIds {
 public:
  std::string Next() {
    const uint64_t n = count_++;
    const uint64_t a = Mix(base_ + 2 * n), b = Mix(base_ + 2 * n + 1);
    return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 48 & 0xfff,
                       b & 0xffffffffffff);
  }

 private:
  static uint64_t Mix(uint64_t x) {  // splitmix64
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  static uint64_t Random() {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
  }

  const uint64_t base_ = Random();
  std::atomic<uint64_t> count_ = 0;
};

}  // namespace headrace::http
