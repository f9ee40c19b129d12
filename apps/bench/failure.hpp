// Why a run ended early. The library's errors and the tools' cannot meet in one file (both are called
// jackal::Error), so both become this.
#pragma once

#include <stdexcept>
#include <string>

namespace jackal::bench {

enum class Reason { usage, bad_input, no_group, output, internal };

class Failure : public std::runtime_error {
public:
  Failure(Reason reason, const std::string& what) : std::runtime_error(what), reason_(reason) {}
  Reason reason() const { return reason_; }

private:
  Reason reason_;
};

}  // namespace jackal::bench
