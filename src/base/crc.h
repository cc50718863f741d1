// The cyclic checksums of S3: CRC32 (IEEE 802.3), CRC32C (Castagnoli), CRC64NVME; with carry-less multiplication where
// the processor has it.
#pragma once

#include <cstdint>
#include <string_view>

namespace headrace {

// Each continues `crc`, the checksum of what came before (0 at the start).
uint32_t Crc32(std::string_view bytes, uint32_t crc = 0);
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);
uint64_t Crc64Nvme(std::string_view bytes, uint64_t crc = 0);

// The same by tables, for tests and for processors without the instruction.
uint32_t Crc32ByTable(std::string_view bytes, uint32_t crc = 0);
uint32_t Crc32cByTable(std::string_view bytes, uint32_t crc = 0);
uint64_t Crc64NvmeByTable(std::string_view bytes, uint64_t crc = 0);

}  // namespace headrace
