#include "jackal/tbdiscovery/drawing.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "drawing_text.hpp"
#include "jackal/tbdiscovery/json.hpp"
#include "lines.hpp"
#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"
#include "tbdiscovery/fixtures.hpp"
#include "tbdiscovery/random_cluster.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;
namespace sim = jackal::simmac;

namespace {

ClusterMap map_of(const sim::Cluster& cluster) { return build_map(parse(sim::probes(cluster))); }

/// Reads the part of Graphviz's grammar that we write: statements of words, quoted strings, "--" and lists in
/// brackets. Empty when the text keeps to it, else what was wrong.
std::string dot_fault(const std::string& text) {
  std::size_t at = 0;
  int braces = 0;
  int brackets = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\n') return "a line ends inside a string";
        if (text[at] == '\\') ++at;
      }
      if (at >= text.size()) return "a string does not end";
    } else if (c == '{' || c == '}') {
      braces += c == '{' ? 1 : -1;
    } else if (c == '[' || c == ']') {
      brackets += c == '[' ? 1 : -1;
      if (brackets < 0 || brackets > 1) return "brackets are nested";
    } else if (c == ';' && brackets != 0) {
      return "a statement ends inside brackets";
    } else if (std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ \n;,=-")
                   .find(c) == std::string_view::npos) {
      return std::string("a stray ") + c;
    }
    ++at;
  }
  return braces == 0 && brackets == 0 ? "" : "unbalanced";
}

/// Empty when every element is closed in order and text holds no bare special character.
std::string xml_fault(const std::string& text) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '&') {
      const auto end = text.find(';', at);
      if (end == std::string::npos || end - at > 6) return "a bare &";
      at = end;
    }
    if (text[at] != '<') {
      ++at;
      continue;
    }
    const auto end = text.find('>', at);
    if (end == std::string::npos) return "an element does not end";
    const auto tag = text.substr(at + 1, end - at - 1);
    at = end + 1;
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) return "a quote does not end in <" + tag + ">";
    if (tag.find('<') != std::string::npos) return "a bare <";
    if (tag.back() == '/') continue;
    if (tag.front() != '/') {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
    } else {
      if (open.empty() || open.back() != tag.substr(1)) return "closed out of order: " + tag;
      open.pop_back();
    }
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

sim::Cluster badly_named() {
  auto cluster = mesh_of(3);
  cluster.machines[0].name = "a\"b\\c\n<&>\x1b[31m\xff";
  cluster.machines[1].name =
      "\xc2\x9b"
      "31m ünïcode";
  cluster.machines[2].ports[5].drive = "Drive \"<&>\\";
  cluster.machines[1].model = "\"];\n}";
  cluster.strangers.push_back({0, 4});
  return cluster;
}

bool has_control(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < 0x20 && c != '\n') || c == 0x7f; }) ||
         text.find("\xc2\x9b") != std::string::npos;
}

}  // namespace

TEST_CASE("the picture of a mesh") {
  CHECK(draw_picture(map_of(mesh_of(3))) ==
        "    1  2  3\n"
        "m1 ─┬──┐\n"
        "m2 ─┴──┼──┐\n"
        "m3 ────┴──┘\n"
        "\n"
        "   1  m1 port 1 – m2 port 1: 80 Gb/s, RDMA\n"
        "   2  m1 port 2 – m3 port 1: 80 Gb/s, RDMA\n"
        "   3  m2 port 2 – m3 port 2: 80 Gb/s, RDMA\n");
}

TEST_CASE("several cables of a pair share a bracket, a machine apart has none") {
  auto cluster = machines(4);
  join(cluster, 0, 3);
  join(cluster, 0, 3);
  join(cluster, 0, 1);
  cluster.cables.back().hubs = {"TS5"};
  cluster.cables.back().gbps = 40;
  CHECK(draw_picture(map_of(cluster)) ==
        "    1  2\n"
        "m1 ─┬──╖\n"
        "m2 ─┘  ║\n"
        "m3     ║\n"
        "m4 ────╜\n"
        "\n"
        "   1  m1 port 3 – m2 port 1 through TS5: 40 Gb/s, TCP only: it passes through TS5\n"
        "   2  m1 port 1 – m4 port 1: 80 Gb/s, RDMA\n"
        "      m1 port 2 – m4 port 2: 80 Gb/s, RDMA\n");
}

TEST_CASE("the table says what is on every port") {
  sim::Cluster cluster{
      {sim::macbook("left", "10.0.0.1"), sim::mini_m4("right", "10.0.0.2")}, {{{0, 1}, {1, 2}, 40, {}}}, {}};
  cluster.machines[0].ports[2].drive = "PRO-G40";
  cluster.machines[0].ports[1].addresses = {{"172.31.240.1", 30}};
  const auto map = map_of(cluster);
  CHECK(draw_table(map) ==
        "machine  port  kind  speed    interface  RDMA       network          on it\n"
        "left     1     TB5            en1                                    free\n"
        "         2     TB5   40 Gb/s  en6        down       172.31.240.1/30  right port 4\n"
        "         3     TB5   40 Gb/s  en2        down                        PRO-G40\n"
        "right    1, 2  TB4            en2, en3                               free\n"
        "         4     TB4   40 Gb/s  en4        no device                   left port 2\n");
  CHECK(draw_table(map, 66) ==
        "machine  port  speed    RDMA       network          on it\n"
        "left     1                                          free\n"
        "         2     40 Gb/s  down       172.31.240.1/30  right port 4\n"
        "         3     40 Gb/s  down                        PRO-G40\n"
        "right    1, 2                                       free\n"
        "         4     40 Gb/s  no device                   left port 2\n");
}

TEST_CASE("a mesh of four and a ring of eight fit into 80 columns, and words are wrapped into 60") {
  for (const auto& cluster : {set_up(mesh_of(4)), set_up(ring_of(8, 1)), set_up(ring_of(2, 2))}) {
    const auto map = map_of(cluster);
    const auto plan = make_plan(map, {}).value();
    for (const auto& [text, width] : {std::pair{draw_table(map, 80), 80U},
                                      {draw_picture(map, 80), 80U},
                                      {draw_plan(map, plan, 80), 80U},
                                      {draw_picture(map, 60), 60U},
                                      {draw_problems(find_problems(map, {}, true), 60), 60U}}) {
      for (const auto line : lines_of(text)) {
        INFO(line);
        CHECK(width_of(std::string(line)) <= width);
      }
    }
    CHECK(draw_table(map, 80) == draw_table(map));
  }
}

TEST_CASE("problems that call for the same step are told once") {
  auto cluster = mesh_of(2);
  const auto map = map_of(cluster);
  CHECK(draw_problems(find_problems(map, {}, true)) ==
        "notice [no-ipv4-gid]\n"
        "  m1 port 1 (en2) has no IPv4 address yet, so RDMA finds no GID to use\n"
        "  m2 port 1 (en2) has no IPv4 address yet, so RDMA finds no GID to use\n"
        "  Why: A connection over this port would be refused with \"invalid argument\".\n"
        "  Next: Set the links up: the commands give it an address, and the GID follows.\n");
}

TEST_CASE("the plan in words") {
  const auto map = map_of(mesh_of(2));
  CHECK(draw_plan(map, make_plan(map, {}).value()) ==
        "backend jaccl, mesh: every two of the 2 machines share a cable that RDMA can use, so jaccl joins "
        "them in a mesh: "
        "each message takes one hop\n"
        "  rank 0  m1\n"
        "  rank 1  m2\n"
        "  m1 port 1  172.31.240.1  –  m2 port 1  172.31.240.2  RDMA\n");
}

TEST_CASE("Graphviz: machines, ports, cables") {
  CHECK(draw_dot(map_of(mesh_of(2))) ==
        "graph cluster {\n"
        "  node [shape=box];\n"
        "  n0 [label=\"m1 (Mac15,14)\"];\n"
        "  n1 [label=\"m2 (Mac15,14)\"];\n"
        "  n0 -- n1 [taillabel=\"1 en2\", headlabel=\"1 en2\", label=\"80 Gb/s\", style=solid];\n"
        "}\n");
  CHECK(dot_fault("graph g { n0 [label=\"a\"b\"]; }") == "a string does not end");
}

TEST_CASE("names that mean something to a terminal, Graphviz or XML do no harm") {
  const auto map = map_of(badly_named());
  const auto plan = make_plan(map, {});
  const auto problems = find_problems(map, {}, plan.has_value());
  CHECK(dot_fault(draw_dot(map)).empty());
  CHECK(xml_fault(draw_svg(map)).empty());
  for (const auto& text : {draw_table(map), draw_picture(map), draw_problems(problems),
                           draw_plan(map, plan.value()), draw_dot(map), draw_svg(map)}) {
    CHECK(!has_control(text));
  }
  CHECK(!nlohmann::json::parse(to_json(map, problems, plan, {}), nullptr, false).is_discarded());
}

TEST_CASE("the SVG shows every machine and every cable") {
  auto cluster = mesh_of(4);
  join(cluster, 0, 1);
  const auto svg = draw_svg(map_of(cluster));
  const auto count = [&](const std::string& what) {
    std::size_t found = 0;
    for (auto at = svg.find(what); at != std::string::npos; at = svg.find(what, at + 1)) ++found;
    return found;
  };
  CHECK(xml_fault(svg).empty());
  CHECK(count("<rect ") == 4);
  CHECK(count("<line ") == 7);
  CHECK(count("fill=\"#24292f\">1 en2<") == 4);
  CHECK(count("m1 port 4 – m2 port 4: 80 Gb/s, RDMA") == 1);
  CHECK(xml_fault(draw_svg(build_map({}))).empty());
}

TEST_CASE("a name that is too long for its box is cut between letters") {
  auto cluster = mesh_of(2);
  cluster.machines[0].name = "Büro";
  for (int i = 0; i < 20; ++i) cluster.machines[0].name += "ü";
  std::string shown = "Büro";
  for (int i = 0; i < 17; ++i) shown += "ü";
  CHECK(cluster.machines[0].name.size() > 40);
  CHECK(draw_svg(map_of(cluster)).find(cluster.machines[0].name + "</text>") != std::string::npos);
  cluster.machines[0].name += "ü";
  CHECK(draw_svg(map_of(cluster)).find(">" + shown + "...</text>") != std::string::npos);
}

TEST_CASE("the JSON: everything, with null for what is not known") {
  auto cluster = mesh_of(3);
  cluster.strangers.push_back({0, 5});
  cluster.machines[2].ports[5].drive = "PRO-G40";
  const auto map = map_of(cluster);
  const auto plan = make_plan(map, {});
  const auto json = nlohmann::json::parse(
      to_json(map, find_problems(map, {}, true), plan, make_setup(map, plan.value()).value()));
  CHECK(json["version"] == 1);
  CHECK(json["nodes"].size() == 3);
  CHECK(json["nodes"][0]["ports"][0]["receptacle"] == "1");
  CHECK(json["nodes"][0]["ports"][0]["generation"] == "TB5");
  CHECK(json["nodes"][0]["ports"][0]["bridge"].is_null());
  CHECK(json["nodes"][0]["rdma"] == "enabled");
  CHECK(json["cables"].size() == 3);
  CHECK(
      json["cables"][0]["ends"][1] ==
      nlohmann::json{{"node", "m2"}, {"receptacle", "1"}, {"interface", "en2"}, {"rdma_device", "rdma_en2"}});
  CHECK(json["others"].size() == 2);
  CHECK(json["problems"][0]["code"] == "no-ipv4-gid");
  CHECK(json["problems"][0]["cable"] == 0);
  CHECK(json["plan"]["backend"] == "jaccl");
  CHECK(json["plan"]["ranks"] == std::vector<std::string>{"m1", "m2", "m3"});
  CHECK(json["plan"]["hostfile"]["hosts"].size() == 3);
  CHECK(json["plan_error"].is_null());
  CHECK(json["setup"][0]["steps"][0]["argv"][0] == "ifconfig");
  const auto none =
      nlohmann::json::parse(to_json(map_of(machines(2)), {}, make_plan(map_of(machines(2)), {}), {}));
  CHECK(none["plan"].is_null());
  CHECK(none["plan_error"]["what"].is_string());
}

TEST_CASE("property: every cabling can be drawn") {
  for (unsigned seed = 0; seed < support::rounds(200); ++seed) {
    INFO("seed " << seed);
    const auto map = map_of(random_cluster(seed));
    REQUIRE(dot_fault(draw_dot(map)).empty());
    REQUIRE(xml_fault(draw_svg(map)).empty());
    const auto plan = make_plan(map, {});
    const auto json = nlohmann::json::parse(to_json(map, find_problems(map, {}, plan.has_value()), plan, {}));
    REQUIRE(json["cables"].size() == map.cables.size());
    const auto table = draw_table(map);
    for (const auto& cable : map.cables) {  // each from both ends, free ports beside it or not
      for (const auto& [here, there] : {std::pair{cable.a, cable.b}, {cable.b, cable.a}}) {
        const auto end = "  " + describe(map, there);
        REQUIRE((table.find(end + "\n") != std::string::npos ||
                 table.find(end + " through") != std::string::npos));
        REQUIRE(table.find(map.port(here).interface) != std::string::npos);
      }
    }
  }
}
