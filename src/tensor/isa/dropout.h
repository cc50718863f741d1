// dropout.h: the mask of backend.h's DropoutDraw, a vector of consecutive elements at a time.
#pragma once

#include "tensor/backend.h"
#include "tensor/isa/lanes.h"

namespace headrace::tensor::HEADRACE_ISA {

class DropoutMask {
 public:
  explicit DropoutMask(const DropoutDraw& draw)
      : start_(Iota() * kStep + draw.key), threshold_(Threshold(draw.rate)), scale_(1.0f / (1.0f - draw.rate)) {}

  // Elements index, index + 1, ... : zero where dropped, value / (1 - rate) where kept.
  F32 Apply(int64_t index, F32 value) const {
    U32 word = start_ + static_cast<uint32_t>(index) * kStep;
    word ^= word >> 16;
    word *= 0x85EBCA6Bu;
    word ^= word >> 13;
    word *= 0xC2B2AE35u;
    word ^= word >> 16;
    return Where(word >= threshold_, value * scale_);
  }

 private:
  static constexpr uint32_t kStep = 0x9E3779B9u;

  // The smallest word that is kept: rate * 2^32 rounded up.
  static uint32_t Threshold(float rate) {
    const double exact = static_cast<double>(rate) * 4294967296.0;
    const auto whole = static_cast<uint32_t>(exact);
    return whole + (static_cast<double>(whole) < exact ? 1 : 0);
  }

  U32 start_;
  uint32_t threshold_;
  float scale_;
};

}  // namespace headrace::tensor::HEADRACE_ISA
