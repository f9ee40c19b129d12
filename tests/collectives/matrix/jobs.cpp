#include "collectives/matrix/jobs.hpp"

#include <cstdlib>
#include <stdexcept>

namespace matrix {
namespace {

void run_rank(const ranks::Job& job, int rank, const std::function<void(jackal::Group&, Diary&)>& body,
              Diary& diary) {
  try {
    jackal::Group group = jackal::init(job.options(rank));
    body(group, diary);
  } catch (const std::exception& error) {
    diary.failed(error.what());
  }
}

}  // namespace

const std::vector<std::string>& Names::of(Operation operation) {
  const auto [found, fresh] = known_.try_emplace(operation);
  if (fresh && has_algorithms(operation)) found->second = algorithms(group_, operation);
  return found->second;
}

void play_all(jackal::Group& group, const std::vector<Case>& cases, Diary& diary) {
  Names names(group);
  for (const Case& one : cases) {
    const std::string name = algorithm_of(one, names.of(one.operation));
    diary.begin(one.text() + " " + name);
    Verdict verdict = played(group, one, name);
    if (!replicates(one.operation)) verdict.digest = 0;
    diary.done(verdict);
  }
  group.barrier();  // who leaves passes no messages of others on any more
}

std::vector<std::string> problems_of(Ranks kind, const ranks::Job& job,
                                     const std::function<void(jackal::Group&, Diary&)>& body,
                                     std::chrono::seconds limit) {
  std::vector<std::string> diaries;
  std::vector<std::string> ends;
  if (kind == Ranks::threads) {
    std::vector<Diary> kept(static_cast<std::size_t>(job.size()));
    ranks::as_threads(job.size(),
                      [&](int rank) { run_rank(job, rank, body, kept[static_cast<std::size_t>(rank)]); });
    for (const Diary& diary : kept) diaries.push_back(diary.text());
    ends.resize(kept.size());
  } else {
    const auto reports = ranks::as_processes(
        job.size(),
        [&](int rank, int report) {
          Diary diary(report);
          run_rank(job, rank, body, diary);
        },
        limit);
    for (const ranks::Report& report : reports) {
      diaries.push_back(report.text);
      ends.push_back(report.late          ? "was not done in time"
                     : report.signal != 0 ? "signal " + std::to_string(report.signal)
                                          : "");
    }
  }
  return problems(diaries, ends);
}

int setting(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*end != '\0' || value < 0 || value > 1000000)
    throw std::runtime_error(std::string(variable) + " is no number");
  return static_cast<int>(value);
}

}  // namespace matrix
