#include "jobs.hpp"

#include <unistd.h>

#include <cstdlib>
#include <exception>

#include "collectives/ranks.hpp"
#include "collectives/verbs_desk.hpp"

extern char** environ;

namespace jobs {

Devices mesh(int size) {
  const auto n = static_cast<std::size_t>(size);
  Devices devices(n, std::vector<std::vector<std::string>>(n));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      if (i != j) devices[i][j] = {"rdma_en" + std::to_string(j)};
  return devices;
}

Devices ring(int size, int cables) {
  const auto n = static_cast<std::size_t>(size);
  Devices devices(n, std::vector<std::vector<std::string>>(n));
  for (std::size_t i = 0; i < n; ++i)
    for (const std::size_t j : {(i + 1) % n, (i + n - 1) % n})
      for (int k = static_cast<int>(devices[i][j].size()); k < cables; ++k)
        devices[i][j].push_back("rdma_en" + std::to_string(j) + std::to_string(k));
  return devices;
}

jaccl::Config config(int size) { return config(mesh(size)); }

jaccl::Config config(Devices devices) {
  return jaccl::Config()
      .set_devices(std::move(devices))
      .set_coordinator("127.0.0.1:" + std::to_string(ranks::free_port()));
}

namespace {

Variables ours() {
  Variables found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    for (const char* prefix : {"JACCL_", "MLX_", "JACKAL_", "FAKE_VERBS_NODE"})
      if (text.starts_with(prefix)) found[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return found;
}

void replace(const Variables& old, const Variables& now) {
  for (const auto& [name, value] : old) ::unsetenv(name.c_str());
  for (const auto& [name, value] : now) ::setenv(name.c_str(), value.c_str(), 1);
}

}  // namespace

Environment::Environment(const Variables& variables) : before_(ours()) { replace(before_, variables); }

Environment::~Environment() { replace(ours(), before_); }

Variables without_rdma(const std::string& transport, int timeout_seconds) {
  return {{"JACKAL_TRANSPORT", transport},
          {"JACKAL_VERBS_LIBRARY", "/nowhere/libibverbs.so"},
          {"JACKAL_TIMEOUT", std::to_string(timeout_seconds)}};
}

Variables over_rdma() {
  verbs_desk::world();
  return {{"JACKAL_TRANSPORT", "verbs"},
          {"JACKAL_VERBS_LIBRARY", FAKE_VERBS_LIBRARY},
          {"JACKAL_VERBS_LIMITS", "apple"},
          {"JACKAL_TIMEOUT", "50"}};
}

void run(const jaccl::Config& config, const std::function<void(jaccl::Group&)>& body) {
  run(
      config.get_size(),
      [&](int rank) {
        jaccl::Config own = config;
        return own.set_rank(rank);
      },
      body);
}

void run(int size, const std::function<jaccl::Config(int rank)>& config,
         const std::function<void(jaccl::Group&)>& body) {
  std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(size));
  ranks::as_threads(size, [&](int rank) {
    try {
      body(*jaccl::init(config(rank), true));
    } catch (...) {
      thrown[static_cast<std::size_t>(rank)] = std::current_exception();
    }
  });
  for (const std::exception_ptr& one : thrown)
    if (one) std::rethrow_exception(one);
}

std::string thrown(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace jobs
