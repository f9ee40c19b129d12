// Whatever the bytes: the reader returns, its errors are complete, and what it accepts survives a rewrite.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jackal/hostfile/reader.hpp"
#include "jackal/hostfile/writer.hpp"

namespace {

using namespace jackal::hostfile;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(std::string_view text, const ReadOptions& options) {
  const auto file = parse(text, "h", options);
  if (!file) {
    require(file.error().code == jackal::ErrorCode::bad_input);
    require(file.error().where.starts_with("h:"));
    require(file.error().what.find("found ") != std::string::npos);
    require(file.error().what.find(", expected ") != std::string::npos);
    return;
  }
  const std::string json = to_json(file->hostfile);
  const auto again = parse(json, "h", options);
  require(again.has_value());
  require(again->hostfile == file->hostfile);
  require(to_json(again->hostfile) == json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, {});
  for (const Backend backend : {Backend::jaccl, Backend::jaccl_ring, Backend::jackal}) check(text, {backend});
  return 0;
}
