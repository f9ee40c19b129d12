// What JACKAL_LOG asks for, on standard error, a line at a time. Silent unless that variable is set.
#pragma once

#include <string>
#include <string_view>

namespace jackal::collectives {

enum class LogLevel { off, error, warn, info, debug };

class Log {
public:
  Log() = default;
  /// `rank` -1: not known.
  Log(LogLevel level, int rank) : level_(level), rank_(rank) {}

  void error(std::string_view text) const { write(LogLevel::error, "error", text); }
  void warn(std::string_view text) const { write(LogLevel::warn, "warn", text); }
  void info(std::string_view text) const { write(LogLevel::info, "info", text); }
  void debug(std::string_view text) const { write(LogLevel::debug, "debug", text); }

private:
  void write(LogLevel level, std::string_view name, std::string_view text) const;

  LogLevel level_ = LogLevel::off;
  int rank_ = -1;
};

}  // namespace jackal::collectives
