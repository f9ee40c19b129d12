// Saved probes that can be shown to strangers. Host and user names, serial numbers, UUIDs, MAC and other
// hardware identifiers and all addresses but loopback, self-assigned and multicast ones give way to
// stand-ins: the same value to the same one everywhere, across nodes, networks still holding the same
// addresses, so that map and problems stay as they were. Pure.
#pragma once

#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::tbdiscovery {

RawProbes redact(const RawProbes& probes);

}  // namespace jackal::tbdiscovery
