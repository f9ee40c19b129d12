// What a measuring program does around its contender: prints the table, writes the files, and knows the exit
// code.
#pragma once

#include <string>

#include "bench/contender.hpp"
#include "bench/failure.hpp"
#include "bench/options.hpp"
#include "bench/row.hpp"
#include "jackal/base/error.hpp"

namespace jackal::bench {

int exit_code_for(Reason reason);

/// Says the error on standard error; the exit code.
int end_with(const Error& error);

/// To standard output. Throws Failure.
void print(const std::string& text);

/// "all_reduce of float32 (sum), 4 ranks".
std::string title(const Options& options, int ranks);

/// Where --json and --plot say so. Throws Failure.
void write_files(const Options& options, int ranks, const std::vector<Row>& rows);

/// Measures, prints as it goes, writes the files; the exit code. Throws Failure.
int run_measurement(const Options& options, Contender& contender);

}  // namespace jackal::bench
