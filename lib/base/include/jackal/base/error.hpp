// The one error value of the command-line tools: a code to act on and a message for the person.
// Whoever knows the cause makes the Error; everybody above passes it on unchanged.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace jackal {

enum class ErrorCode {
  usage,            // the command line cannot be carried out
  bad_input,        // a file or another program's output is not what it must be
  unreachable,      // no connection to a host
  unauthenticated,  // the host refused us, or we refused its key
  lost,             // a connection that worked is gone
  timed_out,
  not_found,  // a file or program that must exist does not
  io,         // the operating system refused to read or write
  internal,   // a bug of ours
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string where;  // file:line:column, host, rank or flag; may be empty
  std::string what;   // what was tried and what came back
  std::string hint;   // what the person can do next; may be empty

  /// "where: what" and, on a line of its own, the hint.
  std::string text() const;
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// "No such file or directory" for ENOENT, …; safe to call from any thread.
std::string errno_text(int number);

}  // namespace jackal
