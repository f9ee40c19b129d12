#include "schedules/algorithms.hpp"
#include "schedules/builder.hpp"

namespace jackal::collectives {
namespace {

// One rank's view. Turns: in turn i everybody sends to the i-th rank after it and hears from the i-th before,
// so that no rank is everybody's first.
struct Mesh {
  const Shape& shape;
  int rank;
  Builder builder;

  int turns() const { return shape.ranks; }
  int after(int turn) const { return (rank + turn) % shape.ranks; }
  int before(int turn) const { return (rank + shape.ranks - turn) % shape.ranks; }
  bool root() const { return rank == shape.root; }
};

Piece one(Space space, int block) { return {space, block, 1}; }

// This rank's part of everybody's vector, added up.
void add_part(Mesh& mesh, Piece own, Piece to) {
  if (mesh.turns() == 1) mesh.builder.copy(to, own);
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.receive_reduce(mesh.before(i), to, i == 1 ? own : to);
}

void reduce_scatter(Mesh& mesh) {
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.send(mesh.after(i), one(Space::input, mesh.after(i)));
  add_part(mesh, one(Space::input, mesh.rank), one(Space::output, 0));
}

void all_reduce(Mesh& mesh) {
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.send(mesh.after(i), one(Space::input, mesh.after(i)));
  const Piece part = one(Space::output, mesh.rank);
  add_part(mesh, one(Space::input, mesh.rank), part);
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.send(mesh.after(i), part);
  for (int i = 1; i < mesh.turns(); ++i)
    mesh.builder.receive(mesh.before(i), one(Space::output, mesh.before(i)));
}

void reduce(Mesh& mesh) {
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.send(mesh.after(i), one(Space::input, mesh.after(i)));
  const Piece part = one(mesh.root() ? Space::output : Space::scratch, mesh.rank);
  add_part(mesh, one(Space::input, mesh.rank), part);
  if (!mesh.root()) {
    mesh.builder.scratch(1);
    return mesh.builder.send(mesh.shape.root, part);
  }
  for (int i = 1; i < mesh.turns(); ++i)
    mesh.builder.receive(mesh.before(i), one(Space::output, mesh.before(i)));
}

void all_gather(Mesh& mesh) {
  mesh.builder.copy(one(Space::output, mesh.rank), one(Space::input, 0));
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.send(mesh.after(i), one(Space::input, 0));
  for (int i = 1; i < mesh.turns(); ++i)
    mesh.builder.receive(mesh.before(i), one(Space::output, mesh.before(i)));
}

// The i-th rank after the root brings the i-th part to all others.
void broadcast(Mesh& mesh) {
  const int root = mesh.shape.root;
  const int ranks = mesh.shape.ranks;
  const auto part_of = [root, ranks](int rank) {
    return one(Space::output, (rank - root + ranks) % ranks - 1);
  };
  if (mesh.root()) {
    for (int i = 1; i < ranks; ++i) mesh.builder.send(mesh.after(i), part_of(mesh.after(i)));
    return;
  }
  mesh.builder.receive(root, part_of(mesh.rank));
  for (int i = 1; i < ranks; ++i)
    if (mesh.after(i) != root) mesh.builder.send(mesh.after(i), part_of(mesh.rank));
  for (int i = 1; i < ranks; ++i)
    if (mesh.before(i) != root) mesh.builder.receive(mesh.before(i), part_of(mesh.before(i)));
}

void gather(Mesh& mesh) {
  if (!mesh.root()) return mesh.builder.send(mesh.shape.root, one(Space::input, 0));
  mesh.builder.copy(one(Space::output, mesh.rank), one(Space::input, 0));
  for (int i = 1; i < mesh.turns(); ++i)
    mesh.builder.receive(mesh.before(i), one(Space::output, mesh.before(i)));
}

void scatter(Mesh& mesh) {
  if (!mesh.root()) return mesh.builder.receive(mesh.shape.root, one(Space::output, 0));
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.send(mesh.after(i), one(Space::input, mesh.after(i)));
  mesh.builder.copy(one(Space::output, 0), one(Space::input, mesh.rank));
}

// In place, what comes takes the place of what goes: that is put aside first.
void all_to_all(Mesh& mesh) {
  const Space from = mesh.shape.in_place ? Space::scratch : Space::input;
  if (mesh.shape.in_place) {
    mesh.builder.scratch(mesh.shape.ranks);
    for (int i = 1; i < mesh.turns(); ++i)
      mesh.builder.copy(one(Space::scratch, mesh.after(i)), one(Space::input, mesh.after(i)));
  }
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.send(mesh.after(i), one(from, mesh.after(i)));
  mesh.builder.copy(one(Space::output, mesh.rank), one(Space::input, mesh.rank));
  for (int i = 1; i < mesh.turns(); ++i)
    mesh.builder.receive(mesh.before(i), one(Space::output, mesh.before(i)));
}

void barrier(Mesh& mesh) {
  mesh.builder.scratch(2);
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.send(mesh.after(i), one(Space::scratch, 0));
  for (int i = 1; i < mesh.turns(); ++i) mesh.builder.receive(mesh.before(i), one(Space::scratch, 1));
}

int parts(const Shape& shape) {
  switch (shape.operation) {
    case Operation::all_reduce:
    case Operation::reduce:
      return shape.ranks;
    case Operation::broadcast:
      return shape.ranks - 1;
    default:
      return 1;
  }
}

}  // namespace

std::optional<Program> mesh_program(Topology& topology, const Shape& shape, int rank) {
  // Among two, a broadcast of parts is the direct one.
  if (!topology.complete() || (shape.operation == Operation::broadcast && shape.ranks < 3))
    return std::nullopt;
  Mesh mesh{shape, rank, Builder(parts(shape))};
  switch (shape.operation) {
    case Operation::all_reduce:
      all_reduce(mesh);
      break;
    case Operation::reduce_scatter:
      reduce_scatter(mesh);
      break;
    case Operation::all_gather:
    case Operation::all_gather_v:
      all_gather(mesh);
      break;
    case Operation::broadcast:
      broadcast(mesh);
      break;
    case Operation::reduce:
      reduce(mesh);
      break;
    case Operation::gather:
      gather(mesh);
      break;
    case Operation::scatter:
      scatter(mesh);
      break;
    case Operation::all_to_all:
      all_to_all(mesh);
      break;
    case Operation::barrier:
      barrier(mesh);
      break;
    default:
      return std::nullopt;
  }
  return mesh.builder.take();
}

}  // namespace jackal::collectives
