// Verbs for the tests of launch's pure half: a command line in, a layout or a job out. What fails to parse is
// a failed test, with the message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jackal/hostfile/reader.hpp"
#include "launch/job.hpp"
#include "launch/layout.hpp"
#include "launch/options.hpp"
#include "support/catch.hpp"

namespace jackal::launch {

using Words = std::vector<std::string>;

template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().text());
  return *std::move(result);
}

template <class T>
Error must_fail(const Result<T>& result) {
  if (result) FAIL("it went well");
  return result.error();
}

inline Options options_of(const Words& args) { return must(parse_options(args)); }

inline hostfile::Hostfile file_of(const std::string& json) {
  return must(hostfile::parse(json, "hosts.json")).hostfile;
}

/// The layout of a command line, "true" being the command; `json` is what --hostfile holds.
inline Result<Layout> try_layout(Words args, const std::optional<std::string>& json = std::nullopt) {
  args.emplace_back("true");
  std::optional<hostfile::Hostfile> file;
  if (json) file = file_of(*json);
  return make_layout(options_of(args), file);
}
inline Layout layout_of(const Words& args, const std::optional<std::string>& json = std::nullopt) {
  return must(try_layout(args, json));
}

inline Words host_of_rank(const Layout& layout) {
  Words names;
  for (const Rank& rank : layout.ranks) names.push_back(layout.hosts[rank.host].ssh);
  return names;
}

inline JobIdentity identity() { return {"job-1", std::string(32, 's'), 7}; }

/// One address a host: 10.0.0.1, 10.0.0.2, …; 127.0.0.1 for this machine.
inline std::vector<NodeFacts> facts_for(const Layout& layout) {
  std::vector<NodeFacts> facts;
  for (const Host& host : layout.hosts) {
    const std::string last = std::to_string(facts.size() + 1);
    facts.push_back({host.this_machine ? "127.0.0.1" : "10.0.0." + last, "192.168.0." + last, {}});
  }
  return facts;
}

inline Result<Job> try_job(Words args, const std::optional<std::string>& json = std::nullopt,
                           const std::optional<std::vector<NodeFacts>>& facts = std::nullopt) {
  const Layout layout = layout_of(args, json);
  args.emplace_back("true");
  return plan_job(options_of(args), layout, facts.value_or(facts_for(layout)), identity());
}
inline Job job_of(const Words& args, const std::optional<std::string>& json = std::nullopt,
                  const std::optional<std::vector<NodeFacts>>& facts = std::nullopt) {
  return must(try_job(args, json, facts));
}

/// The variable's value; nullopt when it is absent.
inline std::optional<std::string> variable(const RankJob& rank, const std::string& name) {
  for (const auto& entry : rank.command.environment) {
    if (entry.first == name) return entry.second;
  }
  return std::nullopt;
}

/// The bytes of the file whose path that variable holds; nullopt when there is none.
inline std::optional<std::string> file_in(const RankJob& rank, const std::string& variable_name) {
  for (const remote::File& file : rank.command.files) {
    if (file.variable == variable_name) return file.bytes;
  }
  return std::nullopt;
}

}  // namespace jackal::launch
