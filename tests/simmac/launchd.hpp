// launchd's system domain: what launchctl speaks to, and what a start of the machine runs.
#pragma once

#include <filesystem>
#include <optional>

#include "simmac/commands.hpp"

namespace jackal::simmac {

struct Job {
  std::string label;
  Words argv;
  bool run_at_load = false;
};

/// nullopt: no property list that launchd would take.
std::optional<Job> read_job(const std::filesystem::path& file);
/// Starts it and does not wait for its end.
void run_job(const Job& job);
/// Loads every job below /Library/LaunchDaemons anew.
void start_launchd();

}  // namespace jackal::simmac
