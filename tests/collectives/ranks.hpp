// Ranks for tests: as threads of this process, or as children of it that may die.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
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

/// Runs `body` for every rank in a thread of its own, without a group.
void as_threads(int size, const std::function<void(int rank)>& body);

/// What a rank in a process of its own has written to its report, and how it ended.
struct Report {
  std::string text;
  int signal = 0;     // that ended it; 0: none
  bool late = false;  // it was still running when the limit was over, and has been killed
};

/// Runs `body` for every rank in a process of its own, with the descriptor of its report.
std::vector<Report> as_processes(int size, const std::function<void(int rank, int report)>& body,
                                 std::chrono::seconds limit);

/// The same for reports of one piece, or what the rank threw. A rank that is killed reports "signal N".
std::vector<std::string> fork_and_run(int size, const std::function<std::string(int rank)>& body,
                                      std::chrono::seconds limit = std::chrono::minutes(1));

/// Zeroed memory that processes share which are forked while it lives.
std::shared_ptr<void> shared_memory(std::size_t bytes);

/// One T that processes share which are forked while it lives.
template <class T>
class Shared {
  static_assert(std::is_trivially_destructible_v<T>);

public:
  Shared() : memory_(shared_memory(sizeof(T))), value_(new (memory_.get()) T{}) {}
  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }

private:
  std::shared_ptr<void> memory_;
  T* value_;
};

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
