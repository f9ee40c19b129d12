#include "bench/options.hpp"

#include "bench/sizes.hpp"

namespace jackal::bench {

std::vector<std::uint64_t> sizes_of(const Options& options) {
  if (!options.sizes.empty()) return options.sizes;
  return size_series(options.min_bytes, options.max_bytes, options.factor);
}

}  // namespace jackal::bench
