// scenario_probes DIRECTORY: saves the probes of every scenario, and in scenarios.json what must be said of
// each.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "jackal/base/file.hpp"
#include "tbdiscovery/scenarios.hpp"

int main(int argc, char** argv) {
  using namespace jackal;
  using namespace jackal::tbdiscovery;
  if (argc != 2) {
    std::fprintf(stderr, "usage: scenario_probes DIRECTORY\n");
    return 64;
  }
  const std::filesystem::path root(argv[1]);
  auto table = nlohmann::json::array();
  for (const auto& scenario : test::scenarios()) {
    const auto directory = root / std::to_string(table.size());
    std::vector<std::string> nodes;
    for (const auto& node : scenario.probes) nodes.push_back(node.node);
    table.push_back({{"name", scenario.name},
                     {"probes", directory.string()},
                     {"nodes", nodes},
                     {"arguments", test::arguments(scenario.request)},
                     {"problems", scenario.expected},
                     {"exit", scenario.exit}});
    const auto written = write_probes(directory, scenario.probes);
    if (!written) {
      std::fprintf(stderr, "%s\n", written.error().text().c_str());
      return 74;
    }
  }
  return write_file(root / "scenarios.json", table.dump(2)) ? 0 : 74;
}
