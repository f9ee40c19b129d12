#include "collectives/checker.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace checker {
namespace {

using namespace jackal::collectives;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// Numbers for expressions: equal numbers, equal expressions. An element is named by its chunk and part.
class Symbols {
public:
  struct Meaning {
    std::uint64_t ranks = 0;  // whose elements it is of
    int operands = 0;
    int element = -1;
  };

  int leaf(int rank, int element) {
    return number({-1 - rank, element}, {std::uint64_t{1} << rank, 1, element});
  }
  int operation(int a, int b) {
    const Meaning& left = meaning(a);
    const Meaning& right = meaning(b);
    if (left.element != right.element) return kNonsense;
    return number({a, b}, {left.ranks | right.ranks, left.operands + right.operands, left.element});
  }
  const Meaning& meaning(int symbol) const { return meanings_[at(symbol)]; }

  static constexpr int kNonsense = 0;

private:
  int number(std::pair<int, int> key, Meaning meaning) {
    const auto [place, fresh] = numbers_.try_emplace(key, static_cast<int>(meanings_.size()));
    if (fresh) meanings_.push_back(meaning);
    return place->second;
  }

  std::map<std::pair<int, int>, int> numbers_;
  std::vector<Meaning> meanings_{Meaning{}};
};

int chunks_in(Space space, const Shape& shape, const Program& program) {
  const Operation operation = shape.operation;
  if (space == Space::scratch) return program.scratch_chunks;
  if (operation == Operation::barrier) return 0;
  if (space == Space::input) {
    if (operation == Operation::broadcast) return 0;
    const bool all = operation == Operation::reduce_scatter || operation == Operation::scatter ||
                     operation == Operation::all_to_all;
    return all ? shape.ranks : 1;
  }
  const bool all = operation == Operation::all_gather || operation == Operation::all_gather_v ||
                   operation == Operation::gather || operation == Operation::all_to_all;
  return all ? shape.ranks : 1;
}

bool exists(Space space, const Shape& shape, int rank) {
  if (space == Space::input) return shape.operation != Operation::scatter || rank == shape.root;
  if (space == Space::output)
    return (shape.operation != Operation::reduce && shape.operation != Operation::gather) ||
           rank == shape.root;
  return true;
}

// One rank: its program, its memory as symbols, and what is done.
struct Rank {
  Program program;
  std::vector<std::vector<int>> after;  // dependencies
  std::vector<std::vector<int>> before;
  std::vector<int> open;             // dependencies not done
  std::vector<std::uint64_t> heard;  // by the end of each step: of which ranks' start
  std::vector<int> cells;
  int input_cell = 0;
  int output_cell = 0;
  int scratch_cell = 0;
  int done = 0;

  int& cell(Space space, int block) {
    const int first = space == Space::input    ? input_cell
                      : space == Space::output ? output_cell
                                               : scratch_cell;
    return cells[at(first + block)];
  }
};

struct Message {
  std::vector<int> symbols;
  std::uint64_t heard = 0;
};

// What goes one way between two ranks.
struct Line {
  std::vector<int> sends;     // steps
  std::vector<int> receives;  // steps
  std::size_t sent = 0;
  std::size_t received = 0;
  bool eager = false;
  std::deque<Message> under_way;
};

class Machine {
public:
  Machine(std::string_view algorithm, const Shape& shape, Topology& topology, const Run& run)
      : shape_(shape), topology_(topology), run_(run), random_(run.seed) {
    for (int rank = 0; rank < shape.ranks; ++rank) add(algorithm, rank);
  }

  std::string check() {
    if (!problem_.empty()) return problem_;
    for (int rank = 0; rank < shape_.ranks && problem_.empty(); ++rank) check_steps(rank);
    if (problem_.empty()) match_sizes();
    if (problem_.empty()) execute();
    if (problem_.empty()) check_results();
    return problem_;
  }

private:
  void fail(int rank, const std::string& what, int step = -1) {
    if (!problem_.empty()) return;
    problem_ =
        "rank " + std::to_string(rank) + (step < 0 ? "" : ", step " + std::to_string(step)) + ": " + what;
  }

  bool may_share(int rank) const {
    return run_.places != Places::apart && (run_.places != Places::differ || rank % 2 == 0);
  }
  bool shares(int rank) const {
    return run_.places == Places::same || (run_.places == Places::differ && rank % 2 == 0);
  }

  void add(std::string_view algorithm, int rank) {
    Shape shape = shape_;
    shape.in_place = may_share(rank);
    std::optional<Program> program = make_program(algorithm, shape, topology_, rank);
    if (!program) return fail(rank, "has no program");
    Rank state;
    state.program = std::move(*program);
    state.after = dependencies(state.program);
    const std::size_t steps = state.program.steps.size();
    state.before.resize(steps);
    state.open.resize(steps);
    state.heard.assign(steps, std::uint64_t{1} << rank);
    for (std::size_t i = 0; i < steps; ++i) {
      state.open[i] = static_cast<int>(state.after[i].size());
      for (const int earlier : state.after[i]) state.before[at(earlier)].push_back(static_cast<int>(i));
    }
    ranks_.push_back(std::move(state));
    fill(rank);
  }

  int blocks(Space space, int rank) const {
    const Program& program = ranks_[at(rank)].program;
    return exists(space, shape_, rank) ? chunks_in(space, shape_, program) * program.parts : 0;
  }

  void fill(int rank) {
    Rank& state = ranks_[at(rank)];
    const int parts = state.program.parts;
    if (shares(rank) && state.program.input_at) {
      state.input_cell = std::max(0, *state.program.input_at);
      state.output_cell = std::max(0, -*state.program.input_at);
    } else {
      state.output_cell = blocks(Space::input, rank);
    }
    state.scratch_cell = std::max(state.input_cell + blocks(Space::input, rank),
                                  state.output_cell + blocks(Space::output, rank));
    state.cells.assign(at(state.scratch_cell + blocks(Space::scratch, rank)), Symbols::kNonsense);
    for (int block = 0; block < blocks(Space::input, rank); ++block)
      state.cell(Space::input, block) = symbols_.leaf(rank, block);
    if (shape_.operation == Operation::broadcast && rank == shape_.root)
      for (int block = 0; block < parts; ++block)
        state.cell(Space::output, block) = symbols_.leaf(rank, block);
  }

  // What decides the length of a block: its part, and where lengths differ by chunk, whose it is.
  int length(Space space, int block, int rank) const {
    const int parts = ranks_[at(rank)].program.parts;
    if (shape_.operation != Operation::all_gather_v) return block % parts;
    return space == Space::input ? rank * parts + block : block;
  }
  std::vector<int> lengths(const Piece& piece, int rank) const {
    std::vector<int> all;
    for (int i = 0; i < piece.blocks; ++i) all.push_back(length(piece.space, piece.first + i, rank));
    return all;
  }

  void check_steps(int rank) {
    const Rank& state = ranks_[at(rank)];
    if (state.program.parts != ranks_[0].program.parts) return fail(rank, "has other parts than rank 0");
    for (int i = 0; i < static_cast<int>(state.program.steps.size()); ++i) {
      const Step& step = state.program.steps[at(i)];
      const bool local = step.kind == Step::Kind::copy || step.kind == Step::Kind::reduce;
      if (!local && !talks(rank, step.peer)) return fail(rank, "no link to its peer", i);
      std::vector<Piece> pieces;
      if (step.kind != Step::Kind::receive) pieces.push_back(step.a);
      if (step.kind == Step::Kind::reduce) pieces.push_back(step.b);
      if (step.kind != Step::Kind::send) pieces.push_back(step.to);
      for (const Piece& piece : pieces) {
        if (piece.blocks < 1 || piece.first < 0 || piece.first + piece.blocks > blocks(piece.space, rank))
          return fail(rank, "leaves its space", i);
        if (lengths(piece, rank) != lengths(pieces.front(), rank)) return fail(rank, "pieces differ", i);
      }
      if (step.kind != Step::Kind::send && step.to.space == Space::input)
        return fail(rank, "writes to input", i);
      if (step.kind == Step::Kind::send) lines_[{rank, step.peer}].sends.push_back(i);
      if (!local && step.kind != Step::Kind::send) lines_[{step.peer, rank}].receives.push_back(i);
    }
  }

  bool talks(int rank, int peer) const {
    return peer >= 0 && peer < shape_.ranks && peer != rank && topology_.fabric().path(rank, peer).linked();
  }

  const Step& step_of(int rank, int step) const { return ranks_[at(rank)].program.steps[at(step)]; }

  void match_sizes() {
    for (auto& [ends, line] : lines_) {
      const auto [from, to] = ends;
      if (line.sends.size() != line.receives.size()) return fail(from, "sends more or less than is received");
      for (std::size_t k = 0; k < line.sends.size(); ++k) {
        const Piece& sent = step_of(from, line.sends[k]).a;
        const Piece& received = step_of(to, line.receives[k]).to;
        if (lengths(sent, from) != lengths(received, to))
          return fail(from, "sends another length than is received", line.sends[k]);
      }
      line.eager = run_.links == Links::mixed && random_() % 2 == 0;
    }
  }

  bool ready(int rank, int step) const { return ranks_[at(rank)].open[at(step)] == 0; }

  // Everything that can happen next; each is tried when drawn, and may turn out impossible yet.
  struct Event {
    int rank = 0;
    int step = 0;
  };

  void execute() {
    for (int rank = 0; rank < shape_.ranks; ++rank)
      for (int i = 0; i < static_cast<int>(ranks_[at(rank)].program.steps.size()); ++i)
        if (ready(rank, i)) events_.push_back({rank, i});
    while (!events_.empty() && problem_.empty()) {
      std::swap(events_[random_() % events_.size()], events_.back());
      const Event event = events_.back();
      events_.pop_back();
      attempt(event.rank, event.step);
    }
    for (int rank = 0; rank < shape_.ranks; ++rank)
      if (ranks_[at(rank)].done != static_cast<int>(ranks_[at(rank)].program.steps.size()))
        fail(rank, "does not end");
  }

  void attempt(int rank, int number) {
    const Step& step = step_of(rank, number);
    switch (step.kind) {
      case Step::Kind::copy:
        store(rank, number, load(rank, step.a));
        return finish(rank, number);
      case Step::Kind::reduce:
        store(rank, number, combine(load(rank, step.a), load(rank, step.b)));
        return finish(rank, number);
      case Step::Kind::send:
        return move(rank, step.peer);
      default:
        return move(step.peer, rank);
    }
  }

  // Lets go over the line what can go now.
  void move(int from, int to) {
    Line& line = lines_[{from, to}];
    const bool can_send = line.sent < line.sends.size() && ready(from, line.sends[line.sent]);
    const bool awaited = line.received < line.receives.size() && ready(to, line.receives[line.received]);
    if (can_send && (line.eager || awaited)) {
      const int number = line.sends[line.sent++];
      line.under_way.push_back({load(from, step_of(from, number).a), ranks_[at(from)].heard[at(number)]});
      finish(from, number);
    }
    if (awaited && !line.under_way.empty()) {
      const Message message = std::move(line.under_way.front());
      line.under_way.pop_front();
      const int number = line.receives[line.received++];
      const Step& step = step_of(to, number);
      ranks_[at(to)].heard[at(number)] |= message.heard;
      if (step.kind == Step::Kind::receive) store(to, number, message.symbols);
      if (step.kind == Step::Kind::receive_reduce)
        store(to, number, combine(load(to, step.a), message.symbols));
      if (step.kind == Step::Kind::reduce_receive)
        store(to, number, combine(message.symbols, load(to, step.a)));
      finish(to, number);
    }
    // The next of either end may have been drawn already, when it was not its turn.
    if (line.sent < line.sends.size() && ready(from, line.sends[line.sent]) &&
        (line.eager || (line.received < line.receives.size() && ready(to, line.receives[line.received]))))
      events_.push_back({from, line.sends[line.sent]});
    else if (!line.under_way.empty() && ready(to, line.receives[line.received]))
      events_.push_back({to, line.receives[line.received]});
  }

  std::vector<int> load(int rank, const Piece& piece) {
    std::vector<int> symbols;
    for (int i = 0; i < piece.blocks; ++i)
      symbols.push_back(ranks_[at(rank)].cell(piece.space, piece.first + i));
    return symbols;
  }

  std::vector<int> combine(std::vector<int> a, const std::vector<int>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = symbols_.operation(a[i], b[i]);
    return a;
  }

  void store(int rank, int number, const std::vector<int>& symbols) {
    const Piece& to = step_of(rank, number).to;
    for (int i = 0; i < to.blocks; ++i) ranks_[at(rank)].cell(to.space, to.first + i) = symbols[at(i)];
  }

  void finish(int rank, int number) {
    Rank& state = ranks_[at(rank)];
    ++state.done;
    for (const int later : state.before[at(number)]) {
      state.heard[at(later)] |= state.heard[at(number)];
      if (--state.open[at(later)] == 0) events_.push_back({rank, later});
    }
  }

  std::uint64_t everybody() const { return (std::uint64_t{1} << shape_.ranks) - 1; }

  void check_results() {
    for (int rank = 0; rank < shape_.ranks; ++rank) {
      Rank& state = ranks_[at(rank)];
      if (shape_.operation == Operation::barrier) {
        std::uint64_t heard = std::uint64_t{1} << rank;
        for (const std::uint64_t ranks : state.heard) heard |= ranks;
        if (heard != everybody()) fail(rank, "leaves the barrier early");
      }
      if (!(shares(rank) && state.program.input_at))
        for (int block = 0; block < blocks(Space::input, rank); ++block)
          if (state.cell(Space::input, block) != symbols_.leaf(rank, block)) fail(rank, "input has changed");
      for (int block = 0; block < blocks(Space::output, rank); ++block)
        if (!right(rank, block, state.cell(Space::output, block)))
          fail(rank, "block " + std::to_string(block) + " of output is wrong");
    }
  }

  bool right(int rank, int block, int symbol) {
    const int parts = ranks_[at(rank)].program.parts;
    const int chunk = block / parts;
    const int part = block % parts;
    const auto sum_of = [&](int element) {
      const Symbols::Meaning& meaning = symbols_.meaning(symbol);
      return meaning.ranks == everybody() && meaning.operands == shape_.ranks && meaning.element == element;
    };
    switch (shape_.operation) {
      case Operation::all_reduce:
        return sum_of(block) && symbol == ranks_[0].cell(Space::output, block);
      case Operation::reduce:
        return sum_of(block);
      case Operation::reduce_scatter:
        return sum_of(rank * parts + part);
      case Operation::broadcast:
        return symbol == symbols_.leaf(shape_.root, block);
      case Operation::scatter:
        return symbol == symbols_.leaf(shape_.root, rank * parts + part);
      case Operation::all_to_all:
        return symbol == symbols_.leaf(chunk, rank * parts + part);
      default:
        return symbol == symbols_.leaf(chunk, part);
    }
  }

  Shape shape_;
  Topology& topology_;
  Run run_;
  std::mt19937 random_;
  Symbols symbols_;
  std::vector<Rank> ranks_;
  std::map<std::pair<int, int>, Line> lines_;
  std::vector<Event> events_;
  std::string problem_;
};

// The cells that a piece covers, those of input and output in one row where they may be the same memory.
std::vector<std::pair<int, int>> cells(const Program& program, const Piece& piece) {
  std::vector<std::pair<int, int>> all;
  for (int i = 0; i < piece.blocks; ++i) {
    int row = static_cast<int>(piece.space);
    int block = piece.first + i;
    if (piece.space == Space::input && program.input_at) {
      row = static_cast<int>(Space::output);
      block += *program.input_at;
    }
    all.emplace_back(row, block);
  }
  return all;
}

bool meet(const Program& program, const Piece& a, const Piece& b) {
  const auto first = cells(program, a);
  const auto second = cells(program, b);
  return std::any_of(first.begin(), first.end(), [&second](const auto& cell) {
    return std::find(second.begin(), second.end(), cell) != second.end();
  });
}

bool collide(const Program& program, const Step& a, const Step& b) {
  for (const Piece& piece : {b.a, b.b, b.to})
    if (meet(program, a.to, piece)) return true;
  return meet(program, a.a, b.to) || meet(program, a.b, b.to);
}

}  // namespace

std::string problem_of(std::string_view algorithm, const Shape& shape, Topology& topology, const Run& run) {
  return Machine(algorithm, shape, topology, run).check();
}

std::string unordered_steps(const Program& program) {
  const auto after = dependencies(program);
  const std::size_t steps = program.steps.size();
  std::vector<std::vector<bool>> ordered(steps, std::vector<bool>(steps, false));
  for (std::size_t later = 0; later < steps; ++later) {
    for (const int direct : after[later]) {
      ordered[later][at(direct)] = true;
      for (std::size_t i = 0; i < at(direct); ++i)
        if (ordered[at(direct)][i]) ordered[later][i] = true;
    }
    for (std::size_t earlier = 0; earlier < later; ++earlier)
      if (collide(program, program.steps[earlier], program.steps[later]) && !ordered[later][earlier])
        return "steps " + std::to_string(earlier) + " and " + std::to_string(later);
  }
  return "";
}

}  // namespace checker
