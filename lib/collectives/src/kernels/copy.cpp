// copy() for large blocks, and which instruction set was chosen.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/copy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace jackal::collectives::HWY_NAMESPACE {
#if JACKAL_KERNELS_VECTORS

// `to` is aligned for vectors, `bytes` a multiple of four of them.
void copy_around_cache(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) {
  const hn::ScalableTag<std::uint8_t> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < bytes; i += 4 * lanes) {
    const auto v0 = hn::LoadU(d, from + i);
    const auto v1 = hn::LoadU(d, from + i + lanes);
    const auto v2 = hn::LoadU(d, from + i + 2 * lanes);
    const auto v3 = hn::LoadU(d, from + i + 3 * lanes);
    hn::Stream(v0, d, to + i);
    hn::Stream(v1, d, to + i + lanes);
    hn::Stream(v2, d, to + i + 2 * lanes);
    hn::Stream(v3, d, to + i + 3 * lanes);
  }
  hwy::FlushStream();
}

const char* target_name() { return hwy::TargetName(HWY_TARGET); }

#else

void copy_around_cache(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
}

const char* target_name() { return "portable"; }

#endif
}  // namespace jackal::collectives::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jackal::collectives {
namespace {

HWY_EXPORT(copy_around_cache);
HWY_EXPORT(target_name);

// Four of the widest vectors there are (SVE's 2048 bits).
constexpr std::size_t kBlock = 1024;

}  // namespace

void copy(void* to, const void* from, std::size_t bytes, std::size_t total_bytes) {
  if (bytes == 0 || to == from) return;
  auto* target = static_cast<std::uint8_t*>(to);
  const auto* source = static_cast<const std::uint8_t*>(from);
  if (bytes < (total_bytes < kStreamBytes ? kStreamBytes : kStreamBlock)) {
    std::memcpy(target, source, bytes);
    return;
  }
  const std::size_t head = bytes_to_boundary(to, kBlock);
  const std::size_t body = (bytes - head) / kBlock * kBlock;
  std::memcpy(target, source, head);
  HWY_DYNAMIC_DISPATCH(copy_around_cache)(target + head, source + head, body);
  std::memcpy(target + head + body, source + head + body, bytes - head - body);
}

std::string kernel_target() { return HWY_DYNAMIC_DISPATCH(target_name)(); }

}  // namespace jackal::collectives
#endif
