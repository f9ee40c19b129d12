// One rank of a job, started by `launch` in end-to-end tests: calls of the matrix, checked against the
// reference, noted to standard output. Or one operation for ever, to be broken off.
// usage: collectives_job SEED                  every operation with every algorithm, then a mixture
//        collectives_job sizes MOST            every operation on buffers of 4 to MOST bytes
//        collectives_job mix SEED STEPS MOST   a mixture of so many steps, chunks of about MOST bytes at most
//        collectives_job forever               says "going" on rank 0, then sums until an error ends it: exit
//        3
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "collectives/matrix/jobs.hpp"
#include "collectives/matrix/mix.hpp"

namespace {

using namespace matrix;

std::vector<Case> every_operation(std::uint64_t seed) {
  std::vector<Case> cases;
  for (int one = 0; one < kOperations; ++one)
    for (int algorithm = 0; algorithm < kMethods; ++algorithm)
      for (const std::size_t count : {1U, 1000U, 70001U}) {
        Case call = any(mixed(seed, cases.size()), 0);
        call.operation = static_cast<Operation>(one);
        call.pattern.dtype = Dtype::float32;
        call.pattern.op = Op::sum;
        call.count = count;
        call.algorithm = algorithm;
        if (algorithm == 0 || has_algorithms(call.operation)) cases.push_back(call);
      }
  return cases;
}

// No buffer of a call has more than these bytes, but for the least of one element a rank.
std::vector<Case> every_size(std::size_t most_bytes, int ranks) {
  std::vector<Case> cases;
  for (std::size_t bytes = 4; bytes <= most_bytes; bytes *= 4)
    for (int one = 0; one < kOperations; ++one) {
      Case call;
      call.operation = static_cast<Operation>(one);
      call.pattern = {bytes, Dtype::int32, Op::sum, Values::any};
      const bool whole = call.operation == Operation::all_reduce || call.operation == Operation::reduce ||
                         call.operation == Operation::broadcast || !has_algorithms(call.operation);
      call.count = std::max<std::size_t>(1, bytes / 4 / static_cast<std::size_t>(whole ? 1 : ranks));
      call.root = 1;
      cases.push_back(call);
    }
  return cases;
}

int report(const jackal::Group& group, const Diary& diary) {
  const auto found = problems({diary.text()}, {""});
  for (const std::string& problem : found)
    std::fprintf(stderr, "rank %d: %s\n", group.rank(), problem.c_str());
  // Equal on all ranks, in one line.
  std::uint64_t digest = 0;
  for (const char letter : diary.text()) digest = mixed(digest, static_cast<unsigned char>(letter));
  std::printf("rank %d of %d: %zu bytes of notes, digest %llx\n", group.rank(), group.size(),
              diary.text().size(), static_cast<unsigned long long>(digest));
  return found.empty() ? 0 : 1;
}

int check(jackal::Group& group, std::uint64_t seed) {
  Diary diary;
  play_all(group, every_operation(seed), diary);
  mix(group, {seed, 60, 100000, true}, diary);
  return report(group, diary);
}

int check_sizes(jackal::Group& group, std::size_t most_bytes) {
  Diary diary;
  play_all(group, every_size(most_bytes, group.size()), diary);
  return report(group, diary);
}

int check_mixture(jackal::Group& group, const Mixture& mixture) {
  Diary diary;
  mix(group, mixture, diary);
  const int status = report(group, diary);
  std::printf("repairs %llu\n", static_cast<unsigned long long>(group.stats().repairs));
  return status;
}

int go_on(jackal::Group& group) {
  // `launch` stops the others as soon as one has failed; each is to say first what it saw.
  std::signal(SIGTERM, SIG_IGN);
  std::vector<float> data(100000, 1.0F);
  try {
    for (bool said = false;; said = true) {
      group.all_sum(data, data, {.timeout = std::chrono::seconds(20)});
      if (said || group.rank() != 0) continue;
      std::puts("going");
      std::fflush(stdout);
    }
  } catch (const jackal::Error& error) {
    std::printf("rank %d: %s link=%s\n", group.rank(), jackal::code_name(error.code()), error.link.c_str());
    std::fprintf(stderr, "rank %d: %s\n", group.rank(), error.what());
    return 3;
  }
}

int run(jackal::Group& group, const std::vector<std::string>& words) {
  const auto number = [&words](std::size_t at) { return std::strtoull(words.at(at).c_str(), nullptr, 10); };
  if (words[0] == "forever") return go_on(group);
  if (words[0] == "sizes") return check_sizes(group, number(1));
  if (words[0] == "mix")
    return check_mixture(group, {number(1), static_cast<int>(number(2)), number(3), true});
  return check(group, number(0));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  try {
    jackal::Group group = jackal::init();
    return run(group, {argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "collectives_job: %s\n", error.what());
    return 1;
  }
}
