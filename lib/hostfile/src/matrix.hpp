// What must hold across hosts: the device matrix (`rdma`) where a backend uses it, and the links.
#pragma once

#include <optional>

#include "decode.hpp"

namespace jackal::hostfile {

/// The first thing wrong with the device matrix for `backend`; nothing for one that does not use it.
///  - jaccl joins every pair, jaccl-ring each rank with its two neighbours, by the same number of devices all
///    around (JACCL's own rule); jackal takes any cabling, and no matrix at all.
///  - Each row has one entry a host and none for the host itself.
///  - Used pairs list as many devices one way as the other: device k of both is cable k.
std::optional<Error> check_matrix(const Document& document, const Decoded& decoded, Backend backend);

/// The first thing wrong with the links, whatever the backend: shape as above, and link k of (i, j) is the
/// cable of link k of (j, i), so their addresses mirror each other; the devices they name are those of
/// `rdma`.
std::optional<Error> check_links(const Document& document, const Decoded& decoded);

}  // namespace jackal::hostfile
