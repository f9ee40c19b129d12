// One rank of a job, started by `launch` in end-to-end tests: calls of the matrix, checked against the
// reference, noted to standard output. Or one operation for ever, to be broken off.
// usage: collectives_job SEED      every operation with every algorithm, then a mixture
//        collectives_job forever   says "going" on rank 0, then sums until an error ends it: exit 3
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

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

int check(jackal::Group& group, std::uint64_t seed) {
  Diary diary;
  play_all(group, every_operation(seed), diary);
  mix(group, {seed, 60, 100000, true}, diary);
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

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  try {
    jackal::Group group = jackal::init();
    const std::string what = argv[1];
    return what == "forever" ? go_on(group) : check(group, std::strtoull(argv[1], nullptr, 10));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "collectives_job: %s\n", error.what());
    return 1;
  }
}
