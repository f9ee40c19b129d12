#include "jackal/tbdiscovery/redact.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/problems.hpp"
#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"
#include "tbdiscovery/fixtures.hpp"
#include "tbdiscovery/random_cluster.hpp"
#include "tbdiscovery/scenarios.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;
namespace sim = jackal::simmac;

namespace {

/// Found by other means than the code under test uses.
std::set<std::string> identifiers_in(const RawProbes& probes) {
  static const std::regex kPattern(
      "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
      "|[0-9a-f]{2}(:[0-9a-f]{2}){5}|0x[0-9A-F]{16}|\\b[0-9a-f]{12}ac05\\b"
      "|\\b(10|172|192|8|203)\\.[0-9]+\\.[0-9]+\\.[0-9]+\\b|fe80::[0-9a-f:]*");
  std::set<std::string> found;
  for (const auto& node : probes) {
    for (const auto& [file, output] : node.files) {
      for (std::sregex_iterator it(output.bytes.begin(), output.bytes.end(), kPattern), end; it != end; ++it)
        found.insert(it->str());
    }
  }
  return found;
}

std::string everything(const RawProbes& probes) {
  std::string text;
  for (const auto& node : probes) {
    text += node.node + "\n";
    for (const auto& [file, output] : node.files) text += output.bytes + output.standard_error + "\n";
  }
  return text;
}

bool holds_word(const std::string& text, const std::string& word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const auto is_word = [&](std::size_t i) {
      return i < text.size() && std::isalnum(static_cast<unsigned char>(text[i])) != 0;
    };
    if (!is_word(at - 1) && !is_word(at + word.size())) return true;
  }
  return false;
}

/// What the map says, with places in the list for names.
std::vector<std::string> shape_of(const ClusterMap& map, const Request& request) {
  std::map<std::string, std::string> place;
  for (std::size_t i = 0; i < map.nodes.size(); ++i) place[map.nodes[i].name()] = std::to_string(i);
  std::vector<std::string> lines;
  for (const auto& cable : map.cables) {
    auto line = std::to_string(cable.gbps) + (cable.seen_by_a ? "a" : "") + (cable.seen_by_b ? "b" : "") +
                (rdma_obstacle(map, cable).empty() ? " rdma" : " tcp");
    for (const End& end : {cable.a, cable.b})
      line += " " + std::to_string(end.node) + "." + std::to_string(end.port) + map.port(end).interface;
    for (const auto& hub : cable.through) line += " " + hub;
    lines.push_back(std::move(line));
  }
  for (const auto& stranger : map.strangers)
    lines.push_back("stranger " + std::to_string(stranger.port.node) + stranger.name);
  const auto plan = make_plan(map, request);
  lines.push_back(plan ? std::string(to_string(plan->topology)) : "no plan");
  for (const auto& problem : find_problems(map, request, plan.has_value())) {
    lines.push_back(std::string(to_string(problem.code)) + " " +
                    (problem.node.empty() ? "" : place[problem.node]) + " " + problem.port +
                    (problem.cable ? " cable " + std::to_string(*problem.cable) : ""));
  }
  return lines;
}

void check_redacted(const RawProbes& original, const Request& request = {}) {
  const auto clean = redact(original);
  const auto text = everything(clean);
  for (const auto& identifier : identifiers_in(original)) {
    INFO(identifier);
    CHECK(text.find(identifier) == std::string::npos);
  }
  for (const auto& node : original) {
    INFO(node.node);
    CHECK(!holds_word(text, node.node));
  }
  CHECK(shape_of(build_map(parse(clean)), request) == shape_of(build_map(parse(original)), request));
}

}  // namespace

TEST_CASE("property: redacted scenarios hold nothing of the original and say the same") {
  for (const auto& scenario : scenarios()) {
    INFO(scenario.name);
    check_redacted(scenario.probes, scenario.request);
  }
}

TEST_CASE("property: redacted random cablings say the same") {
  for (unsigned seed = 0; seed < support::rounds(60); ++seed) {
    INFO(seed);
    auto probes = sim::probes(random_cluster(seed));
    for (auto& node : probes) node.node = "host-" + node.node;
    check_redacted(probes);
  }
}

TEST_CASE("captures of real machines can be redacted and still be read") {
  for (const auto* name :
       {"mbp-m5max-local-rdma-off-dock-and-peer", "mbp-m5max-peer-rdma-on-tb3drive-and-peer"})
    check_redacted({probes_of(
        "studio.example.com",
        {{"system_profiler.json", fixture("system_profiler_json/" + std::string(name) + ".json")},
         {"hardware_ports.txt", fixture("networksetup/mbp-m5max-en1-en6-en2-bridge-present.txt")},
         {"ibv_devinfo.txt", fixture("ibv/ibv_devinfo-mbp-m5max-all-port-down-peer-rdma-disabled.txt")},
         {"ifconfig.txt", fixture("ifconfig/en2-tb5-apipa-active-tn3205.txt")}})});
}

TEST_CASE("one value has one stand-in, in every notation and on every node") {
  const auto clean = redact(
      {probes_of("anna@mac1.home.example", {{"ifconfig.txt", "ether 36:00:0a:00:00:04\ninet 10.1.2.3\n"}}),
       probes_of("anna@mac2", {{"routes.txt", "10.1.2/24          36:0:a:0:0:4      UCS en2\n"},
                               {"ibv_devinfo.txt",
                                "GID[  1]:\t\t::ffff:10.1.2.3\nGID[  2]:\t\t"
                                "0000:0000:0000:0000:0000:ffff:0a01:0203\nsaid anna to mac1 and mac2\n"}})});
  CHECK(clean[0].node == "user1@node1");
  CHECK(clean[1].node == "user1@node2");
  const auto& first = clean[0].files.at("ifconfig.txt").bytes;
  const auto mac = first.substr(6, 17);
  const auto ip = first.substr(29, first.size() - 30);
  const auto network = ip.substr(0, ip.rfind('.'));
  CHECK(ip != "10.1.2.3");
  CHECK(ip.substr(ip.rfind('.')) == ".3");
  CHECK(clean[1].files.at("routes.txt").bytes == network + "/24          " + mac + "      UCS en2\n");
  const auto& gids = clean[1].files.at("ibv_devinfo.txt").bytes;
  CHECK(gids.find("::ffff:" + ip) != std::string::npos);
  const auto mapped = mapped_ipv4({2, gids.substr(gids.find("0000:"), 39)});
  REQUIRE(mapped);
  CHECK(to_string(*mapped) == ip);
  CHECK(gids.find("said user1 to node1 and node2") != std::string::npos);
}

TEST_CASE("serial numbers and what Linux says are redacted, what everybody has stays") {
  const auto clean = redact(
      {probes_of("lx", {{"thunderbolt.txt",
                         "/sys/bus/thunderbolt/devices/0-0/unique_id:d2030000-0080-7f08-23d8-8c4b1b01e1ff\n"
                         "/sys/bus/thunderbolt/devices/0-1.0/net/thunderbolt0/address:02:8b:1c:00:00:01\n"},
                        {"infiniband.txt",
                         "/sys/class/infiniband/x/ports/1/gids/0:fe80:0000:0000:0000:0202:03ff:fe04:0506\n"
                         "/sys/class/infiniband/x/ports/1/gids/1:0000:0000:0000:0000:0000:0000:0000:0000\n"},
                        {"system_profiler.txt",
                         "          Serial Number: C02XK1234567\n          UID: 0x05AC1234567890AB\n"
                         "again C02XK1234567\n"},
                        {"ifconfig.txt",
                         "inet 127.0.0.1 netmask 0xff000000\ninet 169.254.7.9 netmask 0xffff0000\n"
                         "inet 8.8.4.4\ninet 100.100.1.2\n"}})});
  const auto text = everything(clean);
  for (const auto* gone :
       {"d2030000", "8b:1c", "0202:03ff", "C02XK", "1234567890AB", "8.8.4.4", "100.100.1.2"})
    CHECK(text.find(gone) == std::string::npos);
  for (const auto* kept :
       {"127.0.0.1", "169.254.7.9", "0xff000000", "gids/1:0000:0000:0000:0000:0000:0000:0000:0000",
        "gids/0:fe80:0000:", "198.18.0.4", "SERIAL0001\n", "/0-1.0/net/thunderbolt0/address:02:00:5e"})
    CHECK(text.find(kept) != std::string::npos);
}
