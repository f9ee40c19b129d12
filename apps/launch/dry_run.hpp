// What --dry-run prints: the job as it would run, with <placeholders> for what only the hosts can tell.
// Secrets are not shown. Pure.
#pragma once

#include <string>

#include "jackal/base/error.hpp"
#include "launch/job.hpp"

namespace jackal::launch {

/// The job, planned without contacting anybody.
Result<Job> preview_job(const Options& options, const Layout& layout);

/// For people: a paragraph a rank; the command is quoted so that it can be pasted into a shell.
std::string dry_run_text(const Job& job);

/// For programs: {"version": 1, …}, see launch(1). Bytes that are no UTF-8 stand as U+FFFD.
std::string dry_run_json(const Job& job);

}  // namespace jackal::launch
