#include "bench/pinning.hpp"

namespace jackal::bench {

std::string pin_to_core(int) { return "macOS lets no program choose its cores"; }

}  // namespace jackal::bench
