// Whatever the text: the splitter returns, and the words it finds survive being quoted and split again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jackal/remote/quote.hpp"
#include "launch/words.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find('\0') != std::string_view::npos) return 0;  // no argument holds one
  const auto words = jackal::launch::split_words(text, "--mpi-arg");
  if (!words) {
    require(words.error().where == "--mpi-arg");
    return 0;
  }
  const auto again = jackal::launch::split_words(jackal::remote::quote(*words), "--mpi-arg");
  require(again.has_value());
  require(*again == *words);
  return 0;
}
