// How many files this process may have open at a time: many ranks on one machine need more than the usual
// soft limit, and they themselves get what they would have had.
#pragma once

namespace jackal::remote {

/// As far up as the hard limit allows. Once, before there are threads.
void raise_descriptor_limit();
/// For a child, between fork and exec: as it was before. Async-signal-safe.
void restore_descriptor_limit();

}  // namespace jackal::remote
