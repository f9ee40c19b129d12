// The exit codes that launch, distributed-config and jackal-bench share (sysexits.h numbers where one fits).
#pragma once

#include "jackal/base/error.hpp"

namespace jackal {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,        // the job, plan or check did not succeed
  kExitDiffers = 3,       // distributed-config --check
  kExitUsage = 64,        // EX_USAGE
  kExitBadInput = 65,     // EX_DATAERR
  kExitUnreachable = 69,  // EX_UNAVAILABLE
  kExitInternal = 70,     // EX_SOFTWARE
  kExitOutput = 74,       // EX_IOERR
  kExitTimeout = 124,     // as timeout(1)
  kExitInterrupted = 130,
};

/// The exit code with which a tool ends because of an error of this kind.
constexpr int exit_code_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return kExitUsage;
    case ErrorCode::bad_input:
    case ErrorCode::not_found:
      return kExitBadInput;
    case ErrorCode::unreachable:
    case ErrorCode::unauthenticated:
    case ErrorCode::lost:
      return kExitUnreachable;
    case ErrorCode::timed_out:
      return kExitTimeout;
    case ErrorCode::io:
      return kExitOutput;
    case ErrorCode::internal:
      return kExitInternal;
  }
  return kExitInternal;
}

}  // namespace jackal
