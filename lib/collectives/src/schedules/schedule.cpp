#include "schedules/schedule.hpp"

#include <algorithm>
#include <array>

#include "schedules/algorithms.hpp"

namespace jackal::collectives {
namespace {

struct Algorithm {
  std::string_view name;
  std::optional<Program> (*program)(Topology&, const Shape&, int rank);
};

// In the order in which equally fast ones are preferred.
constexpr std::array kAlgorithms = {
    Algorithm{"direct", direct_program},
    Algorithm{"mesh", mesh_program},
    Algorithm{"recursive-doubling", recursive_doubling_program},
    Algorithm{"halving-doubling", halving_doubling_program},
    Algorithm{"ring", ring_program},
    Algorithm{"tree", tree_program},
    Algorithm{"chain", chain_program},
    Algorithm{"routes", routes_program},
};

bool fits(const Shape& shape, const Topology& topology) {
  if (shape.ranks != topology.ranks() || !topology.connected()) return false;
  if (shape.operation < Operation::all_reduce || shape.operation > Operation::barrier) return false;
  return !has_root(shape.operation) || (shape.root >= 0 && shape.root < shape.ranks);
}

std::optional<int> input_at(const Shape& shape, int rank, int parts) {
  if (!shape.in_place) return std::nullopt;
  switch (shape.operation) {
    case Operation::all_reduce:
    case Operation::reduce:
    case Operation::all_to_all:
      return 0;
    case Operation::all_gather:
    case Operation::all_gather_v:
    case Operation::gather:
      return rank * parts;
    case Operation::reduce_scatter:
    case Operation::scatter:
      return -rank * parts;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool has_root(Operation operation) {
  return operation == Operation::broadcast || operation == Operation::reduce ||
         operation == Operation::gather || operation == Operation::scatter;
}

std::optional<Program> make_program(std::string_view algorithm, const Shape& shape, Topology& topology,
                                    int rank) {
  const auto found = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                                  [algorithm](const Algorithm& one) { return one.name == algorithm; });
  if (found == kAlgorithms.end() || !fits(shape, topology) || rank < 0 || rank >= shape.ranks)
    return std::nullopt;
  std::optional<Program> program = found->program(topology, shape, rank);
  if (program) program->input_at = input_at(shape, rank, program->parts);
  return program;
}

std::vector<std::string> algorithms_for(const Shape& shape, Topology& topology) {
  std::vector<std::string> names;
  for (const Algorithm& algorithm : kAlgorithms)
    if (make_program(algorithm.name, shape, topology, 0)) names.emplace_back(algorithm.name);
  return names;
}

std::optional<Program> make_program(std::string_view algorithm, const Shape& shape, const Fabric& fabric,
                                    int rank) {
  Topology topology(fabric);
  return make_program(algorithm, shape, topology, rank);
}

std::vector<std::string> algorithms_for(const Shape& shape, const Fabric& fabric) {
  Topology topology(fabric);
  return algorithms_for(shape, topology);
}

}  // namespace jackal::collectives
