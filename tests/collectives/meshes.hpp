// Ranks that have met, as threads of a test: their control connections, before any data connection.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "collectives/ranks.hpp"
#include "control/rendezvous.hpp"

namespace ranks {

/// Jobs of `size` ranks that meet at `address`, a free port of it, changed by `change`.
inline std::vector<jackal::collectives::Job> jobs(
    int size, const std::function<void(jackal::collectives::Job&)>& change = {},
    const std::string& address = "127.0.0.1") {
  std::vector<jackal::collectives::Job> made(static_cast<std::size_t>(size));
  const auto port = static_cast<std::uint16_t>(free_port());
  for (int rank = 0; rank < size; ++rank) {
    jackal::collectives::Job& job = made[static_cast<std::size_t>(rank)];
    job.rank = rank;
    job.size = size;
    job.coordinator = {address, port};
    job.id = "test";
    job.secret = std::string(32, 's');
    if (change) change(job);
  }
  return made;
}

/// Lets all meet and runs `body` for each; what each one threw, "" for nothing. As init() does, whoever
/// throws announces it.
inline std::vector<std::string> meet_and_run(
    const std::vector<jackal::collectives::Job>& jobs,
    const std::function<void(jackal::collectives::Mesh& mesh, const jackal::collectives::Job& job)>& body) {
  namespace jc = jackal::collectives;
  std::vector<std::string> thrown(jobs.size());
  std::vector<std::thread> threads;
  for (const jc::Job& job : jobs)
    threads.emplace_back([&, rank = static_cast<std::size_t>(job.rank)] {
      try {
        jc::Mesh mesh = jc::meet(jobs[rank], std::chrono::seconds(30), jc::Log());
        try {
          body(mesh, jobs[rank]);
        } catch (const jc::Error& error) {
          mesh.announce(error);
          throw;
        }
        mesh.say_goodbye();
      } catch (const jc::Error& error) {
        thrown[rank] = std::string(jackal::code_name(error.code())) + " " + std::to_string(error.rank()) +
                       ": " + error.what();
      } catch (const std::exception& error) {
        thrown[rank] = error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  return thrown;
}

}  // namespace ranks
