#include "jackal/tbdiscovery/html.hpp"

#include <regex>

#include "support/catch.hpp"
#include "tbdiscovery/scenarios.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;

namespace {

std::string page_of(const RawProbes& probes, const Request& request = {},
                    const std::vector<CableMeasurement>& measurements = {}) {
  const auto map = build_map(parse(probes));
  const auto plan = make_plan(map, request);
  const auto problems = find_problems(map, request, plan.has_value());
  const auto setup = plan ? make_setup(map, *plan).value() : std::vector<NodeSetup>{};
  return to_html({map, problems, plan, setup, measurements});
}

/// The first tag that closes something else than what is open; empty when all match.
std::string unbalanced(const std::string& page) {
  static const std::regex kTag("<(/?)([a-z][a-z0-9]*)([^<>]*)>");
  static const std::set<std::string> kVoid = {"meta"};
  std::vector<std::string> open;
  for (std::sregex_iterator it(page.begin(), page.end(), kTag), end; it != end; ++it) {
    const auto name = (*it)[2].str();
    const auto rest = (*it)[3].str();
    if (kVoid.count(name) != 0 || (!rest.empty() && rest.back() == '/')) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return it->str();
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

}  // namespace

TEST_CASE("every scenario makes a page whose tags match and that asks for nothing") {
  for (const auto& scenario : scenarios()) {
    INFO(scenario.name);
    const auto page = page_of(scenario.probes, scenario.request);
    CHECK(unbalanced(page).empty());
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("src=") == std::string::npos);
    CHECK(page.find("href=") == std::string::npos);
    CHECK(page.find("url(") == std::string::npos);
  }
}

TEST_CASE("names are shown, never obeyed") {
  auto cluster = set_up(mesh_of(2));
  cluster.machines[0].name = "<img src=x onerror=alert(1)>";
  cluster.machines[1].ports[5].drive = "\"><script>alert(2)</script>";
  const auto page = page_of(jackal::simmac::probes(cluster));
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("&lt;img src=x onerror=alert(1)&gt;") != std::string::npos);
  CHECK(page.find("&lt;script&gt;") != std::string::npos);
}

TEST_CASE("the page has the problems, the plan, the commands and what was measured") {
  auto cluster = mesh_of(2);
  cluster.machines[1].sudo = false;
  const auto page =
      page_of(jackal::simmac::probes(cluster), {}, {{0, Figure{0.31, "ping, 10 packets"}, std::nullopt}});
  for (const auto* part :
       {"<svg", "sudo-password", "NOPASSWD", "Backend jaccl, mesh", "<small>0</small>m1", "On m1",
        "sudo ifconfig en2", "0.31 ms (ping, 10 packets)", "not measured", "&quot;rdma_en2&quot;"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  CHECK(page_of(jackal::simmac::probes(cluster)).find("Measured links") == std::string::npos);
}
