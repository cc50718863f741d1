// FNV-1a over words of eight bytes: tells different bytes apart, against accidents and not against forgers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace headrace::hvd {

inline uint64_t Hash(const void* data, size_t bytes, uint64_t hash = 0xCBF29CE484222325u) {
  const auto* at = static_cast<const unsigned char*>(data);
  const auto mix = [&hash](uint64_t word) {
    hash ^= word;
    hash *= 0x100000001B3u;
    hash ^= hash >> 29;  // high bytes of a word reach the low ones of the hash
  };
  for (; bytes >= 8; at += 8, bytes -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  for (; bytes > 0; ++at, --bytes) mix(*at);
  return hash;
}

}  // namespace headrace::hvd
