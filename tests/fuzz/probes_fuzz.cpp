// Any bytes as the output of any probe command: the first byte says which command of which of two machines,
// the rest is what it printed. Everything after the parsers runs on what they made of it.
#include <cstdint>

#include "jackal/tbdiscovery/drawing.hpp"
#include "jackal/tbdiscovery/html.hpp"
#include "jackal/tbdiscovery/json.hpp"
#include "jackal/tbdiscovery/redact.hpp"
#include "simmac/cluster.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace jackal::tbdiscovery;
  if (size == 0) return 0;
  static const RawProbes whole = [] {
    jackal::simmac::Cluster pair;
    pair.machines = {jackal::simmac::macbook("a", "10.0.0.1"), jackal::simmac::studio("b", "10.0.0.2")};
    pair.cables = {{{0, 0}, {1, 1}, 80, {}}, {{0, 2}, {1, 4}, 80, {}}};
    return jackal::simmac::probes(pair);
  }();
  const auto& names = probe_file_names();
  RawProbes probes = whole;
  // A Mac that says nothing else, or one that says everything else.
  if (data[0] >= 128) probes[0].files.clear();
  probes[0].files[std::string(names[data[0] % names.size()])].bytes.assign(data + 1, data + size);
  const ClusterMap map = build_map(parse(probes));
  Request request;
  request.allow_subset = true;
  request.backend = jackal::hostfile::Backend::jackal;
  const auto plan = make_plan(map, request);
  std::vector<NodeSetup> setup;
  if (plan) {
    SetupOptions options;
    options.persist = true;
    if (auto made = make_setup(map, *plan, options)) setup = std::move(*made);
    if (draw_plan(map, *plan).empty()) __builtin_trap();
  }
  const auto problems = find_problems(map, request, plan.has_value());
  if (draw_table(map).empty() || draw_dot(map).empty() || draw_svg(map).empty()) __builtin_trap();
  if (draw_problems(problems).empty() != problems.empty()) __builtin_trap();
  draw_picture(map);
  if (to_json(map, problems, plan, setup).empty()) __builtin_trap();
  if (to_html({map, problems, plan, setup, {}}).empty()) __builtin_trap();
  // What was redacted is read again by the same parsers.
  if (parse(redact(probes)).size() != probes.size()) __builtin_trap();
  return 0;
}
