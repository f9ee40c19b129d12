// Sleeping on a word of memory that processes share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace jackal::collectives::shm {

/// Returns when somebody calls wake() on the word, after `longest`, at once when the word is not `seen`, or
/// for no reason.
void doze(const std::atomic<std::uint32_t>& word, std::uint32_t seen, std::chrono::microseconds longest);
void wake(const std::atomic<std::uint32_t>& word);

}  // namespace jackal::collectives::shm
