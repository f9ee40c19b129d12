// The C ABI, used by C code on two ranks.
#include <array>
#include <thread>

#include "collectives/ranks.hpp"
#include "support/catch.hpp"

extern "C" void c_api_check(const char* (*variable)(const char* name, void* context), void* context,
                            char* problem, std::size_t size);

namespace {

const char* variable_of(const char* name, void* context) {
  const auto& variables = *static_cast<const ranks::Variables*>(context);
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : found->second.c_str();
}

}  // namespace

TEST_CASE("a C program can do all that there is") {
  const char* transport = GENERATE("shm", "tcp");
  const ranks::Job job(2, {{"JACKAL_TRANSPORT", transport}});
  std::array<std::string, 2> problems;
  std::array<std::thread, 2> threads;
  for (int rank = 0; rank < 2; ++rank)
    threads[static_cast<std::size_t>(rank)] = std::thread([&, rank] {
      std::array<char, 512> problem{};
      ranks::Variables variables = job.variables(rank);
      c_api_check(variable_of, &variables, problem.data(), problem.size());
      problems[static_cast<std::size_t>(rank)] = problem.data();
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(problems[0] == "");
  CHECK(problems[1] == "");
}
