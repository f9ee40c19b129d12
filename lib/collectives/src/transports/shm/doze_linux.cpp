#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "transports/shm/doze.hpp"

namespace jackal::collectives::shm {

void doze(const std::atomic<std::uint32_t>& word, std::uint32_t seen, std::chrono::microseconds longest) {
  timespec time{};
  time.tv_sec = longest.count() / 1000000;
  time.tv_nsec = longest.count() % 1000000 * 1000;
  ::syscall(SYS_futex, &word, FUTEX_WAIT, seen, &time, nullptr, 0);
}

void wake(const std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace jackal::collectives::shm
