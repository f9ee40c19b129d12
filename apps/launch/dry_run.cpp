#include "launch/dry_run.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "jackal/remote/quote.hpp"

namespace jackal::launch {
namespace {

constexpr int kJsonVersion = 1;
constexpr const char* kHiddenSecret = "<32 random bytes>";

std::string placeholder(const std::string& host) { return "<address of " + host + ">"; }

bool is_secret(const remote::File& file) { return file.variable == kSecretVariable; }

std::string indented(const std::string& text, std::string_view indent) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) result += fmt::format("{}{}\n", indent, line);
  return result;
}

std::string rank_text(const Job& job, const RankJob& rank) {
  const remote::Command& command = rank.command;
  std::string text = job.through_mpirun ? fmt::format("\nmpirun on {}\n", job.hosts[rank.host])
                                        : fmt::format("\nrank {} on {}\n", rank.rank, job.hosts[rank.host]);
  if (!command.directory.empty()) {
    text += fmt::format("  directory {}{}\n", remote::quote(command.directory),
                        rank.directory_required ? "" : " (where it exists)");
  }
  if (command.terminal) text += "  terminal\n";
  text += "  environment\n";
  for (const auto& [name, value] : command.environment) {
    text += fmt::format("    {}={}\n", name, value.empty() ? "" : remote::quote(value));
  }
  for (const remote::File& file : command.files) {
    text += fmt::format("  file {}, its path in {}\n", file.name, file.variable);
    text += indented(is_secret(file) ? kHiddenSecret : file.bytes, "    ");
  }
  return text + fmt::format("  command\n    {}\n", remote::quote(command.argv));
}

nlohmann::ordered_json rank_json(const Job& job, const RankJob& rank) {
  nlohmann::ordered_json environment = nlohmann::ordered_json::object();
  for (const auto& [name, value] : rank.command.environment) environment[name] = value;
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const remote::File& file : rank.command.files) {
    nlohmann::ordered_json entry{{"name", file.name}, {"variable", file.variable}};
    // Absent rather than false: bytes of a secret file are nowhere in the output.
    if (is_secret(file)) {
      entry["secret"] = true;
    } else {
      entry["bytes"] = file.bytes;
    }
    files.push_back(std::move(entry));
  }
  nlohmann::ordered_json made;
  if (!job.through_mpirun) made["rank"] = rank.rank;
  made["host"] = job.hosts[rank.host];
  made["directory"] = rank.command.directory;
  made["directory_required"] = rank.directory_required;
  made["terminal"] = rank.command.terminal;
  made["environment"] = std::move(environment);
  made["files"] = std::move(files);
  made["argv"] = rank.command.argv;
  return made;
}

}  // namespace

Result<Job> preview_job(const Options& options, const Layout& layout) {
  std::vector<NodeFacts> facts;
  for (const Host& host : layout.hosts) {
    facts.push_back({host.this_machine ? "127.0.0.1" : placeholder(host.ssh), placeholder(host.ssh), {}});
  }
  return plan_job(options, layout, facts, {"<job id>", kHiddenSecret, std::nullopt});
}

std::string dry_run_text(const Job& job) {
  std::string text = fmt::format("backend {}, {} rank{}", hostfile::to_string(job.backend), job.size,
                                 job.size == 1 ? "" : "s");
  if (!job.coordinator.empty()) text += fmt::format(", coordinator {}", job.coordinator);
  text += '\n';
  for (const std::string& note : job.notes) text += fmt::format("note: {}\n", note);
  for (const RankJob& rank : job.ranks) text += rank_text(job, rank);
  return text;
}

std::string dry_run_json(const Job& job) {
  nlohmann::ordered_json made;
  made["version"] = kJsonVersion;
  made["backend"] = std::string(hostfile::to_string(job.backend));
  made["size"] = job.size;
  made["through_mpirun"] = job.through_mpirun;
  made["coordinator"] = nullptr;
  if (!job.coordinator.empty()) made["coordinator"] = job.coordinator;
  made["notes"] = job.notes;
  made["ranks"] = nlohmann::ordered_json::array();
  for (const RankJob& rank : job.ranks) made["ranks"].push_back(rank_json(job, rank));
  return made.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace jackal::launch
