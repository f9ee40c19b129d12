// The buffers that calls are given: page-aligned, ordinary memory or the library's own.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>

#include "bench/options.hpp"
#include "jackal/collectives.h"

namespace jackal::bench {

class Memory {
public:
  /// At least `bytes`, every page of it touched. Throws std::bad_alloc or the library's error.
  Memory(Group& group, Buffers kind, std::size_t bytes);

  std::byte* data() const { return data_; }

private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> ordinary_;
  std::optional<Buffer> own_;
  std::byte* data_ = nullptr;
};

}  // namespace jackal::bench
