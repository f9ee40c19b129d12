#include "jackal/remote/descriptor_limit.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <initializer_list>

namespace jackal::remote {
namespace {

// Far more than ranks can need, and no more than what a loop over all descriptors does in no time.
constexpr rlim_t kMost = 65'536;
constexpr rlim_t kMostOfMacos = 10'240;  // a soft limit above OPEN_MAX is refused there

rlimit before{};
bool raised = false;

}  // namespace

void raise_descriptor_limit() {
  rlimit now{};
  if (raised || ::getrlimit(RLIMIT_NOFILE, &now) != 0) return;
  for (const rlim_t most : {kMost, kMostOfMacos}) {
    const rlimit wanted{std::min(now.rlim_max, most), now.rlim_max};
    if (wanted.rlim_cur <= now.rlim_cur) return;
    if (::setrlimit(RLIMIT_NOFILE, &wanted) != 0) continue;
    before = now;
    raised = true;
    return;
  }
}

void restore_descriptor_limit() {
  if (raised) ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace jackal::remote
