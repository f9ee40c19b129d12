#include "jackal/hostfile/reader.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "decode.hpp"
#include "document.hpp"
#include "jackal/base/file.hpp"
#include "matrix.hpp"

namespace jackal::hostfile {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

/// What the JSON library would misread: it takes a NUL byte for the end of the text.
std::optional<Error> check_encoding(std::string_view text, std::string_view name) {
  const bool utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  const std::size_t nul = text.find('\0');
  if (!utf16 && nul == std::string_view::npos) return std::nullopt;
  return Error{ErrorCode::bad_input, place_of(name, text, utf16 ? 0 : nul),
               complaint("", utf16 ? "a UTF-16 byte order mark" : "a NUL byte", "text in UTF-8"),
               utf16 || nul < 4 ? "convert it, for example with: iconv -f UTF-16 -t UTF-8" : ""};
}

/// A ring goes from each rank to the next one: side by side, ranks of one host need no cable for that. One
/// warning tells of the first such host and counts the others.
std::vector<std::string> scattered_hosts(const Document& document, const Decoded& decoded) {
  std::map<std::string_view, std::size_t> last_rank;
  std::set<std::string_view> scattered;
  std::string warning;
  const std::vector<Host>& hosts = decoded.hostfile.hosts;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    const auto [seen, first] = last_rank.try_emplace(hosts[rank].ssh, rank);
    const std::size_t before = std::exchange(seen->second, rank);
    if (first || before + 1 == rank || !scattered.insert(hosts[rank].ssh).second) continue;
    if (scattered.size() > 1) continue;
    const Index at = decoded.places[rank].ssh;
    warning = fmt::format("{}: ({}) ranks {} and {} are both on {}, with other hosts between them",
                          document.place(at), document.pointer(at), before, rank, in_quotes(hosts[rank].ssh));
  }
  if (scattered.empty()) return {};
  if (scattered.size() > 1) warning += fmt::format(" (and so for {} more)", scattered.size() - 1);
  return {warning + "; listed side by side they would communicate faster"};
}

}  // namespace

Result<ReadResult> parse(std::string_view text, std::string_view name, const ReadOptions& options) {
  if (text.size() > kLargestFile) {
    return fail({ErrorCode::bad_input, std::string(name),
                 complaint("", fmt::format("{} bytes", text.size()),
                           fmt::format("a host file, of at most {}", kLargestFile)),
                 ""});
  }
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  if (auto error = check_encoding(text, name)) return fail(std::move(*error));
  const Result<Document> document = read_document(text, name);
  if (!document) return fail(document.error());
  Result<Decoded> decoded = decode(*document);
  if (!decoded) return fail(decoded.error());
  const Backend file_backend = decoded->hostfile.backend.value_or(Backend::ring);
  if (auto error = check_matrix(*document, *decoded, options.backend.value_or(file_backend))) {
    return fail(std::move(*error));
  }
  if (auto error = check_links(*document, *decoded)) return fail(std::move(*error));
  std::vector<std::string> warnings = scattered_hosts(*document, *decoded);
  return ReadResult{std::move(decoded->hostfile), std::move(warnings)};
}

Result<ReadResult> read(const std::filesystem::path& path, const ReadOptions& options) {
  Result<std::string> bytes = read_file(path, kLargestFile);
  if (!bytes) {
    Error error = std::move(bytes.error());
    if (error.hint.empty()) error.hint = "expected a host file: man jackal-hostfile shows the format";
    return fail(std::move(error));
  }
  return parse(*bytes, path.string(), options);
}

}  // namespace jackal::hostfile
