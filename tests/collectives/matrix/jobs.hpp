// Jobs of the matrix: a group of ranks, as processes or as threads of this one, that plays cases.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "collectives/matrix/diary.hpp"
#include "collectives/matrix/layout.hpp"

namespace matrix {

enum class Ranks { processes, threads };

/// The names of each operation's algorithms in one group, asked for once.
class Names {
public:
  explicit Names(jackal::Group& group) : group_(group) {}
  const std::vector<std::string>& of(Operation operation);

private:
  jackal::Group& group_;
  std::map<Operation, std::vector<std::string>> known_;
};

/// Plays these cases, in order, noting each.
void play_all(jackal::Group& group, const std::vector<Case>& cases, Diary& diary);

/// Runs `body` on every rank of a new job; what went wrong on any of them, nothing when nothing did.
std::vector<std::string> problems_of(Ranks kind, const ranks::Job& job,
                                     const std::function<void(jackal::Group&, Diary&)>& body,
                                     std::chrono::seconds limit = std::chrono::minutes(2));

/// The whole number in this variable, or `otherwise`.
int setting(const char* variable, int otherwise);

}  // namespace matrix
