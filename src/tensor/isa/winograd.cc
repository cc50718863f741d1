// The table of this instruction set's Winograd kernels: picks the template for the tile size.
#include "tensor/isa/gemm_tile.h"
#include "tensor/isa/winograd_input.h"
#include "tensor/isa/winograd_kernels.h"
#include "tensor/isa/winograd_output.h"
#include "tensor/isa/winograd_weights.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

// FUNCTION<mh, mw>(tiles' size)(arguments)
#define HEADRACE_SIZED(FUNCTION, TILES)                                  \
  ((TILES).mh == 4 ? ((TILES).mw == 4 ? FUNCTION<4, 4> : FUNCTION<4, 2>) \
                   : ((TILES).mw == 4 ? FUNCTION<2, 4> : FUNCTION<2, 2>))

void TransformInput(const WinogradInput& in, const WinogradTiles& tiles, const TileBlock& block, float* strip, float* v,
                    int64_t v_plane) {
  HEADRACE_SIZED(TransformInputSized, tiles)(in, tiles, block, strip, v, v_plane);
}

void Multiply(int points, int64_t tiles, int64_t c, int64_t fp, const float* v, int64_t cp, int64_t v_plane,
              const float* u, float* m, int64_t m_plane) {
  for (int p = 0; p < points; ++p) {
    GemmPanels<false>(tiles, c, fp, v + p * v_plane, cp, 1, u + p * c * fp, m + p * m_plane);
  }
}

void TransformOutput(const WinogradOutput& out, const WinogradTiles& tiles, const TileBlock& block, const float* m,
                     int64_t m_plane) {
  HEADRACE_SIZED(TransformOutputSized, tiles)(out, tiles, block, m, m_plane);
}

void TransformGradient(const WinogradGradient& in, const WinogradTiles& tiles, const TileBlock& block, float* m,
                       int64_t m_plane) {
  HEADRACE_SIZED(TransformGradientSized, tiles)(in, tiles, block, m, m_plane);
}

void Accumulate(bool first, int points, int64_t tiles, int64_t c, int64_t fp, const float* v, int64_t cp,
                int64_t v_plane, const float* m, int64_t m_plane, float* u) {
  const auto gemm = first ? GemmPanels<false> : GemmPanels<true>;
  for (int p = 0; p < points; ++p) gemm(c, tiles, fp, v + p * v_plane, 1, cp, m + p * m_plane, u + p * c * fp);
}

void TransformKernel(const WinogradTiles& tiles, int64_t c_count, int64_t f_count, int64_t fp, const float* g,
                     int64_t g_row, int64_t c_begin, int64_t c_end, float* u) {
  HEADRACE_SIZED(TransformKernelSized, tiles)(tiles, c_count, f_count, fp, g, g_row, c_begin, c_end, u);
}

void TransformKernelGradient(const WinogradTiles& tiles, int64_t c_count, int64_t f_count, int64_t fp,
                             const float* const* parts, int64_t part_count, int64_t c_begin, int64_t c_end, bool first,
                             float* dg, int64_t dg_tap) {
  HEADRACE_SIZED(TransformKernelGradientSized, tiles)
  (tiles, c_count, f_count, fp, parts, part_count, c_begin, c_end, first, dg, dg_tap);
}

}  // namespace

const WinogradKernels& GetWinogradKernels() {
  static constexpr WinogradKernels kKernels = {kLanes,          TransformInput,         Multiply,
                                               TransformOutput, TransformGradient,      Accumulate,
                                               TransformKernel, TransformKernelGradient};
  return kKernels;
}

}  // namespace headrace::tensor::HEADRACE_ISA
