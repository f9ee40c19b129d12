// Whatever the words: the command line is read or refused as a usage error with advice, and a job that can be
// laid out can be previewed and printed. A newline separates the words.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "launch/dry_run.hpp"

namespace {

using namespace jackal::launch;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    words.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find('\0') != std::string_view::npos) return 0;  // no argument holds one
  const auto options = parse_options(words_of(text));
  if (!options) {
    require(options.error().code == jackal::ErrorCode::usage);
    require(!options.error().what.empty() && !options.error().hint.empty());
    return 0;
  }
  if (options->action != Action::dry_run || options->repeat > 8) return 0;
  const auto layout = make_layout(*options, std::nullopt);
  if (!layout || layout->size() > 64) return 0;
  const auto job = preview_job(*options, *layout);
  if (!job) return 0;
  require(job->size == layout->size());
  require(!dry_run_text(*job).empty());
  require(!dry_run_json(*job).empty());
  return 0;
}
