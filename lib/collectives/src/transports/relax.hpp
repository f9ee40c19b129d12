// What a processor is told inside a loop that waits for another one.
#pragma once

namespace jackal::collectives {

#if defined(__x86_64__) || defined(__i386__)
inline void relax() { __builtin_ia32_pause(); }
#elif defined(__aarch64__)
inline void relax() { asm volatile("isb" ::: "memory"); }  // "yield" is a no-op on most of them
#else
inline void relax() {}
#endif

}  // namespace jackal::collectives
