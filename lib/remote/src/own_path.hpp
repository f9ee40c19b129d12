// Where the running program lies, so that it finds what was installed beside it.
#pragma once

#include <string>

namespace jackal::remote {

/// The directory of the executable, links resolved; "." when the system will not tell.
std::string own_directory();

}  // namespace jackal::remote
