#include "bench/memory.hpp"

#include <cstring>
#include <new>

namespace jackal::bench {

Memory::Memory(Group& group, Buffers kind, std::size_t bytes) {
  constexpr std::size_t kPage = 16384;  // of Apple's machines; a multiple of everybody else's
  const std::size_t whole_pages = (bytes / kPage + 1) * kPage;
  if (kind == Buffers::jackal) {
    own_.emplace(group, whole_pages);
    data_ = static_cast<std::byte*>(own_->data());
  } else {
    ordinary_.reset(std::aligned_alloc(kPage, whole_pages));
    if (!ordinary_) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(ordinary_.get());
  }
  std::memset(data_, 0, whole_pages);
}

}  // namespace jackal::bench
