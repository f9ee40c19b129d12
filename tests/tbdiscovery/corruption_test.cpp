// No text, however cut or broken, brings a parser down.
#include <array>
#include <map>

#include "jackal/tbdiscovery/report.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"
#include "tbdiscovery/fixtures.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;

namespace {

/// Every capture under the file name that its command writes to.
std::vector<std::pair<std::string, std::string>> captures() {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"system_profiler_json/", "system_profiler.json"},
      {"system_profiler_text/", "system_profiler.txt"},
      {"networksetup/listnetworkserviceorder", "service_order.txt"},
      {"networksetup/", "hardware_ports.txt"},
      {"ibv/ibv_devices", "ibv_devices.txt"},
      {"ibv/rdma_ctl", "rdma_ctl.txt"},
      {"ibv/", "ibv_devinfo.txt"},
      {"ifconfig/", "ifconfig.txt"},
      {"routes/", "routes.txt"}};
  std::vector<std::pair<std::string, std::string>> found;
  const std::filesystem::path root(JACKAL_FIXTURES);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto name = std::filesystem::relative(entry.path(), root).string();
    for (const auto& [prefix, file] : kinds) {
      if (name.compare(0, prefix.size(), prefix) != 0) continue;
      if (!entry.is_directory()) found.emplace_back(file, fixture(name));
      break;
    }
  }
  return found;
}

std::size_t known_things(const NodeReport& report) {
  return (report.buses ? report.buses->size() : 0) + (report.interfaces ? report.interfaces->size() : 0) +
         report.findings.size();
}

}  // namespace

TEST_CASE("every prefix of every capture is read without a crash") {
  const auto all = captures();
  REQUIRE(all.size() >= 30);
  for (const auto& [file, bytes] : all) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto report = parse(probes_of("m", {{file, bytes.substr(0, length)}}));
      REQUIRE(known_things(report) < 1000);
    }
  }
}

TEST_CASE("every corrupted byte of every capture is read without a crash") {
  constexpr std::array wrong = {'\0', '\xff', ':', '"', '9', '\n'};
  constexpr std::size_t step = support::kSanitized ? wrong.size() : 1;
  for (const auto& [file, bytes] : captures()) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (std::size_t i = at % step; i < wrong.size(); i += step) {
        auto broken = bytes;
        broken[at] = wrong[i];
        REQUIRE(known_things(parse(probes_of("m", {{file, broken}}))) < 1000);
      }
    }
  }
}
