// Ranks for tests: as threads of this process, or as children of it that may die.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "jackal/collectives.h"

namespace ranks {

using Variables = std::map<std::string, std::string>;

/// Options that look variables up in `variables` instead of in the environment.
jackal::InitOptions options(Variables variables);

/// A port of 127.0.0.1 that was free just now.
int free_port();

/// What rank `rank` of `size` is to find: JACKAL_* with a meeting place of this job's own.
class Job {
public:
  explicit Job(int size, Variables more = {});
  int size() const { return size_; }
  Variables variables(int rank) const;
  jackal::InitOptions options(int rank) const { return ranks::options(variables(rank)); }

private:
  int size_;
  Variables common_;
};

/// Runs `body` for every rank in a thread of its own, with its group; rethrows the first exception.
void run(const Job& job, const std::function<void(jackal::Group&)>& body);

/// As run(), but what each rank threw is returned: nothing where it threw nothing.
std::vector<std::optional<jackal::Error>> errors(const Job& job,
                                                 const std::function<void(jackal::Group&)>& body);

/// Runs `body` for every rank in a process of its own and returns each one's report. A rank that is killed
/// reports "signal N". All of them are ended after a minute.
std::vector<std::string> fork_and_run(int size, const std::function<std::string(int rank)>& body);

/// A directory that goes with the object.
class Directory {
public:
  Directory();
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& bytes) const;  // returns the path

private:
  std::string path_;
};

}  // namespace ranks
