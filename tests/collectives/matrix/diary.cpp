#include "collectives/matrix/diary.hpp"

#include <unistd.h>

#include <algorithm>
#include <sstream>

namespace matrix {
namespace {

constexpr std::size_t kMostProblems = 12;

struct Entry {
  std::string what;
  bool done = false;
  std::uint64_t digest = 0;
  std::string problem;
};

std::vector<Entry> entries_of(const std::string& diary) {
  std::vector<Entry> entries;
  std::istringstream lines(diary);
  for (std::string line; std::getline(lines, line);) {
    const std::string rest = line.size() > 2 ? line.substr(2) : "";
    if (line[0] == '>') entries.push_back({rest, false, 0, ""});
    if (entries.empty()) entries.push_back({"init", false, 0, ""});
    Entry& last = entries.back();
    if (line[0] == '!') last.problem = "threw " + rest;
    if (line[0] != '=') continue;
    std::istringstream fields(rest);
    fields >> last.digest;
    std::getline(fields >> std::ws, last.problem);
    last.done = true;
  }
  return entries;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void Diary::begin(const std::string& what) { add("> " + one_line(what) + "\n"); }

void Diary::done(const Verdict& verdict) {
  add("= " + std::to_string(verdict.digest) + " " + one_line(verdict.problem) + "\n");
}

void Diary::failed(const std::string& why) { add("! " + one_line(why) + "\n"); }

void Diary::add(const std::string& line) {
  if (descriptor_ < 0) {
    text_ += line;
    return;
  }
  for (std::size_t at = 0; at < line.size();) {
    const ssize_t written = ::write(descriptor_, line.data() + at, line.size() - at);
    if (written <= 0) return;
    at += static_cast<std::size_t>(written);
  }
}

std::vector<std::string> problems(const std::vector<std::string>& diaries,
                                  const std::vector<std::string>& ends) {
  std::vector<std::string> found;
  std::vector<std::vector<Entry>> all;
  for (const std::string& diary : diaries) all.push_back(entries_of(diary));
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const std::string who = "rank " + std::to_string(rank) + ": ";
    for (const Entry& entry : all[rank])
      if (!entry.problem.empty()) found.push_back(who + entry.what + ": " + entry.problem);
    const std::string last = all[rank].empty() ? "nothing" : all[rank].back().what;
    if (!ends[rank].empty()) found.push_back(who + ends[rank] + ", last at " + last);
    if (all[rank].size() != all[0].size())
      found.push_back(who + "did " + std::to_string(all[rank].size()) + " things, rank 0 did " +
                      std::to_string(all[0].size()));
    for (std::size_t i = 0; i < std::min(all[rank].size(), all[0].size()); ++i) {
      const Entry& mine = all[rank][i];
      if (mine.done && all[0][i].done && mine.digest != all[0][i].digest)
        found.push_back(who + mine.what + ": other bits than rank 0");
    }
  }
  if (found.size() > kMostProblems) found.resize(kMostProblems);
  return found;
}

}  // namespace matrix
