// winograd_weights.h: U = G g G^T for the kernel, and its transpose dg = G^T dU G.
#pragma once

#include "tensor/isa/partial.h"
#include "tensor/isa/winograd_kernels.h"
#include "tensor/isa/winograd_math.h"
#include "tensor/isa/winograd_output.h"

namespace headrace::tensor::HEADRACE_ISA {

template <int MH, int MW>
static void TransformKernelSized(const WinogradTiles&, int64_t c_count, int64_t f_count, int64_t fp, const float* g,
                                 int64_t g_row, int64_t c_begin, int64_t c_end, float* u) {
  const int64_t plane = c_count * fp;
  for (int64_t k = 0; k < fp; k += kLanes) {
    const Part part = PartOf(f_count - k);
    for (int64_t c = c_begin; c < c_end; ++c) {
      F32 half[MH + 2][3];
      for (int j = 0; j < 3; ++j) {
        F32 column[3], out[MH + 2];
        for (int i = 0; i < 3; ++i) column[i] = LoadPart(g + ((i * 3 + j) * c_count + c) * g_row + k, part);
        Winograd<MH>::Kernel(column, out);
        for (int i = 0; i < MH + 2; ++i) half[i][j] = out[i];
      }
      float* to = u + PanelOffset(c_count, c, fp, k);
      for (int i = 0; i < MH + 2; ++i) {
        F32 out[MW + 2];
        Winograd<MW>::Kernel(half[i], out);
        for (int j = 0; j < MW + 2; ++j) Store(to + (i * (MW + 2) + j) * plane, out[j]);
      }
    }
  }
}

template <int MH, int MW>
static void TransformKernelGradientSized(const WinogradTiles&, int64_t c_count, int64_t f_count, int64_t fp,
                                         const float* const* parts, int64_t part_count, int64_t c_begin, int64_t c_end,
                                         bool first, float* dg, int64_t dg_tap) {
  const int64_t plane = c_count * fp;
  for (int64_t k = 0; k < fp; k += kLanes) {
    const Part part = PartOf(f_count - k);
    for (int64_t c = c_begin; c < c_end; ++c) {
      const int64_t offset = PanelOffset(c_count, c, fp, k);
      F32 half[3][MW + 2];
      for (int j = 0; j < MW + 2; ++j) {
        F32 column[MH + 2], out[3];
        for (int i = 0; i < MH + 2; ++i) {
          const int64_t at = offset + (i * (MW + 2) + j) * plane;
          column[i] = Load(parts[0] + at);
          for (int64_t q = 1; q < part_count; ++q) column[i] += Load(parts[q] + at);
        }
        Winograd<MH>::KernelGradient(column, out);
        for (int i = 0; i < 3; ++i) half[i][j] = out[i];
      }
      for (int i = 0; i < 3; ++i) {
        F32 out[3];
        Winograd<MW>::KernelGradient(half[i], out);
        for (int j = 0; j < 3; ++j) {
          float* to = dg + (i * 3 + j) * dg_tap + c * f_count + k;
          StorePart(to, first ? out[j] : out[j] + LoadPart(to, part), part);
        }
      }
    }
  }
}

}  // namespace headrace::tensor::HEADRACE_ISA
