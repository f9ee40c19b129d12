// Between fork and whatever follows: lets go of every descriptor but one. Async-signal-safe.
#pragma once

namespace jackal::remote {

void close_descriptors_except(int kept);

}  // namespace jackal::remote
