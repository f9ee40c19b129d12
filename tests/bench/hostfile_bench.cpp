// How long a host file takes to read: a mesh of 128 hosts, every pair with its device and its link. The file
// is written once and read from the page cache, as by a second `launch`. Prints the median and the range.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "jackal/hostfile/reader.hpp"
#include "jackal/hostfile/writer.hpp"

namespace {

using namespace jackal::hostfile;

constexpr std::size_t kHosts = 128;
constexpr std::size_t kReads = 41;

std::string address(std::size_t from, std::size_t to) { return fmt::format("10.{}.{}.1", from, to); }

Hostfile mesh() {
  Hostfile file;
  file.backend = Backend::jaccl;
  for (std::size_t i = 0; i < kHosts; ++i) {
    Host& host = file.hosts.emplace_back();
    host.ssh = fmt::format("mac{}", i);
    host.ips = {fmt::format("192.168.1.{}", i + 1)};
    host.rdma.resize(kHosts);
    host.links.resize(kHosts);
    for (std::size_t j = 0; j < kHosts; ++j) {
      if (i == j) continue;
      const std::string interface = fmt::format("en{}", j);
      host.rdma[j] = {"rdma_" + interface};
      host.links[j] = {{address(i, j),
                        address(j, i),
                        interface,
                        "rdma_" + interface,
                        std::to_string(j),
                        fmt::format("7E6B6B6D-0000-4000-8000-{:06}{:06}", i, j),
                        {}}};
    }
  }
  return file;
}

int measure(const std::filesystem::path& path) {
  std::vector<double> milliseconds;
  for (std::size_t n = 0; n < kReads; ++n) {
    const auto start = std::chrono::steady_clock::now();
    const auto file = read(path);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (!file || file->hostfile.hosts.size() != kHosts) return 1;
    milliseconds.push_back(took.count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  fmt::print("mesh of {} hosts with links, {:.1f} MB: read in {:.1f} ms (median of {}, {:.1f} to {:.1f})\n",
             kHosts, static_cast<double>(std::filesystem::file_size(path)) / 1e6, milliseconds[kReads / 2],
             kReads, milliseconds.front(), milliseconds.back());
  return 0;
}

}  // namespace

int main() {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("jackal-bench-{}.json", ::getpid());
  if (const auto written = write(path, mesh()); !written) {
    fmt::print(stderr, "{}\n", written.error().text());
    return 1;
  }
  const int status = measure(path);
  std::filesystem::remove(path);
  return status;
}
