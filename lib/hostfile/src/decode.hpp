// From the JSON document to the model: shape and single values. What spans hosts is checked in matrix.hpp.
#pragma once

#include <vector>

#include "document.hpp"
#include "jackal/base/error.hpp"
#include "jackal/hostfile/hostfile.hpp"

namespace jackal::hostfile {

/// Where a host stands in the document; 0 for what it does not have (0 is the outermost value).
struct HostPlace {
  Index host = 0;
  Index ssh = 0;
  Index rdma = 0;
  Index links = 0;
};

struct Decoded {
  Hostfile hostfile;
  std::vector<HostPlace> places;  // one a host
};

Result<Decoded> decode(const Document& document);

}  // namespace jackal::hostfile
