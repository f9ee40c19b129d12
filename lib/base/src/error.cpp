#include "jackal/base/error.hpp"

#include <system_error>

namespace jackal {

std::string Error::text() const {
  std::string text = where.empty() ? what : where + ": " + what;
  if (!hint.empty()) text += "\n  " + hint;
  return text;
}

std::string errno_text(int number) { return std::generic_category().message(number); }

}  // namespace jackal
