// Names that the whole library shares. The tools' jackal::Error of lib/base is another type: no file here
// includes both its header and this one.
#pragma once

#include <chrono>
#include <string>

#include "jackal/collectives.h"

namespace jackal::collectives {

using Error = jackal::v1::Error;
using jackal::v1::Code;
using jackal::v1::Dtype;
using jackal::v1::Op;

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

/// "rank 2 (host c)", or "rank 2" while its host is unknown.
std::string rank_name(int rank, const std::string& host);

/// Milliseconds until `deadline` as poll() wants them: rounded up, 0 when it has passed, at most a minute.
int poll_milliseconds(Deadline deadline);

/// "60 s", "1.5 s": how long `duration` is, for a message.
std::string seconds_text(std::chrono::milliseconds duration);

/// Of an errno: this process may open no more, and waiting changes nothing.
bool out_of_descriptors(int number);

/// "Connection refused" for ECONNREFUSED, with a remedy where there is one; safe from any thread.
std::string system_text(int number);

}  // namespace jackal::collectives
