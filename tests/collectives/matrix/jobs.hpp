// Jobs of the matrix: a group of ranks, as processes or as threads of this one, that plays cases.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "collectives/matrix/diary.hpp"
#include "collectives/matrix/layout.hpp"

namespace matrix {

enum class Ranks { processes, threads };

/// Plays these cases, in order, noting each.
void play_all(jackal::Group& group, const std::vector<Case>& cases, Diary& diary);

/// Runs `body` on every rank of a new job; what went wrong on any of them, nothing when nothing did.
std::vector<std::string> problems_of(Ranks kind, const ranks::Job& job,
                                     const std::function<void(jackal::Group&, Diary&)>& body,
                                     std::chrono::seconds limit = std::chrono::minutes(2));

/// The whole number in this variable, or `otherwise`.
int setting(const char* variable, int otherwise);

}  // namespace matrix
