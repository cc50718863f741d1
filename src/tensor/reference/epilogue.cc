// Channel statistics, and BatchNormalization + ReLU + MaxPooling2D + Dropout with their gradients.
#include <cmath>

#include "tensor/reference/reference_backend.h"
#include "tensor/reference/storage.h"

namespace headrace::tensor::reference {
namespace {

// Element `index` of x just behind BatchNormalization.
double Normalized(const EpilogueDesc& desc, const void* x, const float* scale, const float* shift, int64_t index) {
  const double value = Read(x, desc.dtype, index);
  if (!desc.batch_norm) return value;
  const int64_t channel = index % desc.c;
  return value * scale[channel] + shift[channel];
}

// What dropout multiplies element `index` with: 0, or 1 / (1 - rate).
double DropoutFactor(const DropoutDraw& dropout, int64_t index) {
  if (dropout.rate <= 0) return 1;
  uint32_t word = static_cast<uint32_t>(index) * 0x9E3779B9u + dropout.key;
  word ^= word >> 16;
  word *= 0x85EBCA6Bu;
  word ^= word >> 13;
  word *= 0xC2B2AE35u;
  word ^= word >> 16;
  if (word < static_cast<double>(dropout.rate) * 4294967296.0) return 0;
  return 1.0f / (1.0f - dropout.rate);
}

// Where in x the pooling window of an output element finds its maximum, the first one in row-major order.
struct Winner {
  int64_t index;  // into x
  double value;   // behind BatchNormalization, before ReLU
};

Winner FindWinner(const EpilogueDesc& desc, const void* x, const float* scale, const float* shift, int64_t n,
                  int64_t oh, int64_t ow, int64_t c) {
  Winner best{-1, 0};
  for (int64_t h = oh * desc.pool_h; h < (oh + 1) * desc.pool_h; ++h) {
    for (int64_t w = ow * desc.pool_w; w < (ow + 1) * desc.pool_w; ++w) {
      const int64_t index = ((n * desc.h + h) * desc.w + w) * desc.c + c;
      const double value = Normalized(desc, x, scale, shift, index);
      if (best.index < 0 || value > best.value) best = {index, value};
    }
  }
  return best;
}

// Calls body(output index, n, oh, ow, c) for every element of y.
template <typename Body>
void ForEachOutput(const EpilogueDesc& desc, const Body& body) {
  int64_t out = 0;
  for (int64_t n = 0; n < desc.n; ++n) {
    for (int64_t oh = 0; oh < desc.out_h(); ++oh) {
      for (int64_t ow = 0; ow < desc.out_w(); ++ow) {
        for (int64_t c = 0; c < desc.c; ++c, ++out) body(out, n, oh, ow, c);
      }
    }
  }
}

// g of backend.h, one value for every element of x.
std::vector<double> GradientBehindNormalization(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) {
  std::vector<double> g(desc.n * desc.h * desc.w * desc.c, 0.0);
  ForEachOutput(desc, [&](int64_t out, int64_t n, int64_t oh, int64_t ow, int64_t c) {
    const Winner winner = FindWinner(desc, args.x, args.scale, args.shift, n, oh, ow, c);
    if (desc.relu && !(winner.value > 0)) return;
    g[winner.index] = Read(args.dy, desc.dtype, out) * DropoutFactor(args.dropout, out);
  });
  return g;
}

}  // namespace

void ReferenceBackend::Moments(int64_t rows, int64_t c, DType dtype, const void* x,
                               const ChannelMoments& moments) const {
  for (int64_t channel = 0; channel < c; ++channel) {
    double sum = 0;
    for (int64_t row = 0; row < rows; ++row) sum += Read(x, dtype, row * c + channel);
    const double mean = sum / static_cast<double>(rows);
    double squares = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const double centered = Read(x, dtype, row * c + channel) - mean;
      squares += centered * centered;
    }
    moments.mean[channel] = static_cast<float>(mean);
    moments.variance[channel] = static_cast<float>(squares / static_cast<double>(rows));
  }
}

void ReferenceBackend::EpilogueForward(const EpilogueDesc& desc, const EpilogueForwardArgs& args) const {
  ForEachOutput(desc, [&](int64_t out, int64_t n, int64_t oh, int64_t ow, int64_t c) {
    double value = FindWinner(desc, args.x, args.scale, args.shift, n, oh, ow, c).value;
    if (desc.relu && value < 0) value = 0;
    Write(args.y, desc.dtype, out, value * DropoutFactor(args.dropout, out));
  });
}

void ReferenceBackend::EpilogueBackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const {
  if (!desc.batch_norm) return;
  const std::vector<double> g = GradientBehindNormalization(desc, args);
  std::vector<double> dgamma(desc.c, 0.0), dbeta(desc.c, 0.0);
  for (size_t i = 0; i < g.size(); ++i) {
    const size_t c = i % desc.c;
    dgamma[c] += g[i] * (Read(args.x, desc.dtype, i) - args.mean[c]) * args.rstd[c];
    dbeta[c] += g[i];
  }
  for (int64_t c = 0; c < desc.c; ++c) {
    args.dgamma[c] = static_cast<float>(dgamma[c]);
    args.dbeta[c] = static_cast<float>(dbeta[c]);
  }
}

void ReferenceBackend::EpilogueBackward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const {
  const std::vector<double> g = GradientBehindNormalization(desc, args);
  const double count = static_cast<double>(desc.n * desc.h * desc.w);
  for (size_t i = 0; i < g.size(); ++i) {
    double dx = g[i];
    if (desc.batch_norm) {
      const size_t c = i % desc.c;
      const double normalized = (Read(args.x, desc.dtype, i) - args.mean[c]) * args.rstd[c];
      dx = args.scale[c] * (g[i] - args.dbeta[c] / count - normalized * args.dgamma[c] / count);
    }
    Write(args.dx, desc.dtype, i, dx);
  }
}

}  // namespace headrace::tensor::reference
