#include <algorithm>

#include "schedules/algorithms.hpp"
#include "schedules/builder.hpp"

namespace jackal::collectives {
namespace {

// One rank's place in the tree.
struct Node {
  const Tree& tree;
  int rank;
  Builder builder;

  Node(const Tree& where, int self) : tree(where), rank(self) {}

  bool root() const { return parent() < 0; }
  int parent() const { return tree.parent[static_cast<std::size_t>(rank)]; }
  const std::vector<int>& children() const { return tree.children[static_cast<std::size_t>(rank)]; }
  /// Who has most below is served first.
  std::vector<int> children_down() const { return {children().rbegin(), children().rend()}; }
  int below(int other) const { return tree.below[static_cast<std::size_t>(other)]; }
  /// Where the subtree of `child` is in a row of chunks in tree order that starts with this rank's.
  Piece row_of(int child) const {
    const int offset =
        tree.place[static_cast<std::size_t>(child)] - tree.place[static_cast<std::size_t>(rank)];
    return chunks_of(Space::scratch, offset, below(child));
  }
};

// Adds what the children send to `own`; the sum is in the piece returned and has been sent on.
Piece add_up(Node& node, Piece own, Piece into) {
  Piece sum = own;
  for (const int child : node.children()) {
    node.builder.receive_reduce(child, into, sum);
    sum = into;
  }
  if (!node.root()) node.builder.send(node.parent(), sum);
  return sum;
}

void pass_down(Node& node, Piece what) {
  if (!node.root()) node.builder.receive(node.parent(), what);
  for (const int child : node.children_down()) node.builder.send(child, what);
}

void all_reduce(Node& node) {
  const Piece output = chunks_of(Space::output, 0, 1);
  const Piece sum = add_up(node, chunks_of(Space::input, 0, 1), output);
  if (node.root()) node.builder.copy(output, sum);
  pass_down(node, output);
}

void reduce(Node& node) {
  const bool scratch = !node.root() && !node.children().empty();
  if (scratch) node.builder.scratch(1);
  const Piece output = chunks_of(Space::output, 0, 1);
  const Piece sum =
      add_up(node, chunks_of(Space::input, 0, 1), scratch ? chunks_of(Space::scratch, 0, 1) : output);
  if (node.root()) node.builder.copy(output, sum);
}

// The root has all chunks in rank order and hands each child its subtree's, run by run; further down each
// subtree travels in one message, in tree order.
void scatter_from(Node& node, Space source) {
  const Piece own = chunks_of(Space::output, 0, 1);
  if (node.root()) {
    for (const int child : node.children_down())
      for (const Tree::Run& run : node.tree.runs(child))
        node.builder.send(child, chunks_of(source, run.first, run.ranks));
    return node.builder.copy(own, chunks_of(source, node.rank, 1));
  }
  if (node.children().empty()) return node.builder.receive(node.parent(), own);
  if (node.parent() == node.tree.root) {
    int offset = 0;
    for (const Tree::Run& run : node.tree.runs(node.rank)) {
      node.builder.receive(node.parent(), chunks_of(Space::scratch, offset, run.ranks));
      offset += run.ranks;
    }
  } else {
    node.builder.receive(node.parent(), node.row_of(node.rank));
  }
  for (const int child : node.children_down()) node.builder.send(child, node.row_of(child));
  node.builder.copy(own, chunks_of(Space::scratch, 0, 1));
}

void scatter(Node& node) {
  if (!node.root() && !node.children().empty()) node.builder.scratch(node.below(node.rank));
  scatter_from(node, Space::input);
}

// Scratch serves the sums of all chunks, then the scatter.
void reduce_scatter(Node& node) {
  const int ranks = static_cast<int>(node.tree.order.size());
  if (!node.children().empty()) node.builder.scratch(ranks);
  const Piece sum = add_up(node, chunks_of(Space::input, 0, ranks), chunks_of(Space::scratch, 0, ranks));
  scatter_from(node, sum.space);
}

// As the scatter, the other way.
void gather(Node& node) {
  const Piece own = chunks_of(Space::input, 0, 1);
  if (node.root()) {
    node.builder.copy(chunks_of(Space::output, node.rank, 1), own);
    for (const int child : node.children())
      for (const Tree::Run& run : node.tree.runs(child))
        node.builder.receive(child, chunks_of(Space::output, run.first, run.ranks));
    return;
  }
  if (node.children().empty()) return node.builder.send(node.parent(), own);
  node.builder.scratch(node.below(node.rank));
  node.builder.copy(chunks_of(Space::scratch, 0, 1), own);
  for (const int child : node.children()) node.builder.receive(child, node.row_of(child));
  if (node.parent() != node.tree.root) return node.builder.send(node.parent(), node.row_of(node.rank));
  int offset = 0;
  for (const Tree::Run& run : node.tree.runs(node.rank)) {
    node.builder.send(node.parent(), chunks_of(Space::scratch, offset, run.ranks));
    offset += run.ranks;
  }
}

// Up what the subtree has, down what it has not.
void all_gather(Node& node) {
  const auto output = [](const Tree::Run& run) { return chunks_of(Space::output, run.first, run.ranks); };
  node.builder.copy(chunks_of(Space::output, node.rank, 1), chunks_of(Space::input, 0, 1));
  for (const int child : node.children())
    for (const Tree::Run& run : node.tree.runs(child)) node.builder.receive(child, output(run));
  if (!node.root()) {
    for (const Tree::Run& run : node.tree.runs(node.rank)) node.builder.send(node.parent(), output(run));
    for (const Tree::Run& run : node.tree.runs_outside(node.rank))
      node.builder.receive(node.parent(), output(run));
  }
  for (const int child : node.children_down())
    for (const Tree::Run& run : node.tree.runs_outside(child)) node.builder.send(child, output(run));
}

// One token: whatever is received into it is waited for by all that follows.
void barrier(Node& node) {
  node.builder.scratch(1);
  const Piece token = chunks_of(Space::scratch, 0, 1);
  for (const int child : node.children()) node.builder.receive(child, token);
  if (!node.root()) node.builder.send(node.parent(), token);
  pass_down(node, token);
}

}  // namespace

Program tree_shaped(const Tree& tree, const Shape& shape, int rank) {
  Node node(tree, rank);
  switch (shape.operation) {
    case Operation::all_reduce:
      all_reduce(node);
      break;
    case Operation::reduce_scatter:
      reduce_scatter(node);
      break;
    case Operation::all_gather:
    case Operation::all_gather_v:
      all_gather(node);
      break;
    case Operation::broadcast:
      pass_down(node, chunks_of(Space::output, 0, 1));
      break;
    case Operation::reduce:
      reduce(node);
      break;
    case Operation::gather:
      gather(node);
      break;
    case Operation::scatter:
      scatter(node);
      break;
    default:
      barrier(node);
      break;
  }
  return node.builder.take();
}

std::optional<Program> tree_program(Topology& topology, const Shape& shape, int rank) {
  if (shape.operation == Operation::all_to_all || shape.ranks < 2) return std::nullopt;
  return tree_shaped(topology.tree(has_root(shape.operation) ? shape.root : topology.centre()), shape, rank);
}

}  // namespace jackal::collectives
