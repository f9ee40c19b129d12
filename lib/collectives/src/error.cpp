#include "error.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace jackal {
inline namespace v1 {

Error::Error(Code code, const std::string& what, int rank, std::string host_name, std::string link_name,
             std::string operation_name)
    : std::runtime_error(what),
      host(std::move(host_name)),
      link(std::move(link_name)),
      operation(std::move(operation_name)),
      code_(code),
      rank_(rank) {}
Error::Error(const Error&) = default;
Error& Error::operator=(const Error&) = default;
Error::~Error() = default;

const char* code_name(Code code) noexcept {
  switch (code) {
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::mismatch:
      return "mismatch";
    case Code::timeout:
      return "timeout";
    case Code::peer_lost:
      return "peer_lost";
    case Code::link_down:
      return "link_down";
    case Code::unavailable:
      return "unavailable";
    case Code::unauthorized:
      return "unauthorized";
    case Code::aborted:
      return "aborted";
    case Code::io:
      return "io";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

void detail::refuse_sizes(const char* operation, std::size_t in, std::size_t out, std::size_t expected) {
  throw Error(Code::invalid_argument,
              std::string(operation) + ": " + std::to_string(in) + " elements in need " +
                  std::to_string(expected) + " out, but there are " + std::to_string(out),
              -1, "", "", operation);
}

}  // namespace v1

namespace collectives {

std::string rank_name(int rank, const std::string& host) {
  const std::string name = "rank " + std::to_string(rank);
  return host.empty() ? name : name + " (" + host + ")";
}

int poll_milliseconds(Deadline deadline) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp(left, milliseconds(0), milliseconds(60000)).count());
}

std::string seconds_text(std::chrono::milliseconds duration) {
  const auto milliseconds = duration.count();
  std::string text = std::to_string(milliseconds / 1000);
  if (milliseconds % 1000 != 0) {
    text += "." + std::to_string(1000 + milliseconds % 1000).substr(1);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + " s";
}

bool out_of_descriptors(int number) { return number == EMFILE || number == ENFILE; }

std::string system_text(int number) {
  const std::string text = std::generic_category().message(number);
  return out_of_descriptors(number) ? text + "; raise the limit (ulimit -n)" : text;
}

}  // namespace collectives
}  // namespace jackal
