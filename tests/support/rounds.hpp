// How often a property test draws: every round in an optimised build; a part of them under the sanitizers,
// which are many times slower and see in each round what they look for.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define JACKAL_TESTS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define JACKAL_TESTS_SANITIZED 1
#endif
#endif

namespace support {

#ifdef JACKAL_TESTS_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

constexpr unsigned rounds(unsigned whole) { return kSanitized ? whole / 5 : whole; }

}  // namespace support
