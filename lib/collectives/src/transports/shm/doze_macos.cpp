#include <ctime>

#include "transports/shm/doze.hpp"

namespace jackal::collectives::shm {

// The system's calls for this are private before macOS 14.4, so the word is looked at every now and then.
void doze(const std::atomic<std::uint32_t>& word, std::uint32_t seen, std::chrono::microseconds longest) {
  if (word.load() != seen) return;
  const timespec time = {0, static_cast<long>(longest.count() < 100 ? longest.count() : 100) * 1000};
  ::nanosleep(&time, nullptr);
}

void wake(const std::atomic<std::uint32_t>&) {}

}  // namespace jackal::collectives::shm
