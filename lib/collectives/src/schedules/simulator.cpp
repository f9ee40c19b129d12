#include "schedules/simulator.hpp"

#include <algorithm>
#include <queue>
#include <utility>

#include "schedules/flow.hpp"

namespace jackal::collectives {
namespace {

// What the buffers between two ranks hold of a message that nobody has asked for yet: as much as the buffers
// of a TCP connection hold at first.
constexpr std::int64_t kEagerBytes = 256 << 10;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// One message or sum takes a quarter of an hour at most, so that no sum of times overflows.
constexpr std::int64_t kLongestNs = 1'000'000'000'000;

std::int64_t nanoseconds(std::int64_t bytes, std::int64_t bytes_per_ms) {
  const std::int64_t rate = std::clamp<std::int64_t>(bytes_per_ms, 1, kLongestNs);
  const std::int64_t whole = bytes / rate;
  if (whole >= kLongestNs / 1'000'000) return kLongestNs;
  return whole * 1'000'000 + (bytes % rate * 1'000'000 + rate - 1) / rate;
}

bool receives(Step::Kind kind) {
  return kind == Step::Kind::receive || kind == Step::Kind::receive_reduce ||
         kind == Step::Kind::reduce_receive;
}

bool sums(Step::Kind kind) {
  return kind != Step::Kind::send && kind != Step::Kind::receive && kind != Step::Kind::copy;
}

// Who computes when: each rank, and each core of a host with fewer cores than ranks.
class Processors {
public:
  explicit Processors(const Fabric& fabric)
      : fabric_(fabric), rank_free_(at(fabric.ranks), 0), cores_(fabric.cores_of_host.size()) {
    std::vector<int> crowd(fabric.cores_of_host.size(), 0);
    for (const int host : fabric.host_of) ++crowd[at(host)];
    for (std::size_t host = 0; host < crowd.size(); ++host)
      if (crowd[host] > fabric.cores_of_host[host]) cores_[host].assign(at(fabric.cores_of_host[host]), 0);
  }

  /// Takes the first time from `now` on at which `rank` has `duration` to spare; when it starts.
  std::int64_t take(int rank, std::int64_t now, std::int64_t duration) {
    std::int64_t& mine = rank_free_[at(rank)];
    std::vector<std::int64_t>& cores = cores_[at(fabric_.host_of[at(rank)])];
    std::int64_t start = std::max(now, mine);
    if (!cores.empty()) {
      const auto core = std::min_element(cores.begin(), cores.end());
      start = std::max(start, *core);
      *core = start + duration;
    }
    mine = start + duration;
    return start;
  }

private:
  const Fabric& fabric_;
  std::vector<std::int64_t> rank_free_;
  std::vector<std::vector<std::int64_t>> cores_;  // of each host; empty where there are enough
};

struct Event {
  std::int64_t time = 0;
  std::uint32_t number = 0;  // of the event: ties go in the order of their making
  int what = 0;              // a step that is done, or -1 - the line on which something has come
  int slice = 0;

  bool operator>(const Event& other) const {
    return time != other.time ? time > other.time : number > other.number;
  }
};

}  // namespace

class Simulator::Run {
public:
  Run(const Simulator& plan, std::int64_t chunk_bytes, int slices, std::vector<Travel>* travels)
      : plan_(plan),
        fabric_(*plan.fabric_),
        slices_(slices),
        slice_bytes_((chunk_bytes + slices - 1) / slices),
        travels_(travels),
        processors_(fabric_),
        open_(plan.kinds_.size() * at(slices)),
        whole_(open_.size()),
        left_(at(fabric_.ranks) * at(slices)) {
    // One more than there are steps to wait for: the slice has to begin.
    for (std::size_t step = 0; step < plan.kinds_.size(); ++step)
      std::fill_n(open_.begin() + static_cast<std::ptrdiff_t>(step * at(slices)), slices,
                  plan.waits_for_[step] + 1);
    for (const Line& line : plan.lines_) {
      const Turn first(at(line.messages), at(slices), kWindow);
      lines_.push_back({first, first, 0, 0});
    }
  }

  std::int64_t time() {
    for (int rank = 0; rank < fabric_.ranks; ++rank)
      for (int slice = 0; slice < std::min(slices_, static_cast<int>(kWindow)); ++slice)
        begin(rank, slice, 0);
    std::int64_t now = 0;
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now = event.time;
      if (event.what < 0) {
        ++lines_[at(-1 - event.what)].arrived;
        take_in(-1 - event.what, now);
      } else {
        done(event.what, event.slice, now);
      }
    }
    return now;
  }

private:
  // How far a line is.
  struct LineState {
    Turn sending;           // what is to be sent next
    Turn taking;            // what is to be taken in next
    std::size_t arrived;    // messages
    std::int64_t free = 0;  // when the cables are
  };

  std::int64_t bytes_of(int step) const {
    return (slice_bytes_ * plan_.blocks_[at(step)] + plan_.parts_ - 1) / plan_.parts_;
  }
  std::int64_t& whole(int step, std::size_t slice) { return whole_[at(step) * at(slices_) + slice]; }
  int& open(int step, std::size_t slice) { return open_[at(step) * at(slices_) + slice]; }

  // Of the message whose turn it is.
  int send_of(const Line& line, const Turn& turn) const { return plan_.sends_[at(line.first) + turn.step()]; }
  int receive_of(const Line& line, const Turn& turn) const {
    return plan_.receives_[at(line.first) + turn.step()];
  }
  bool may_send(const Line& line, const Turn& turn) {
    return !turn.done() && open(send_of(line, turn), turn.slice()) == 0;
  }
  bool wanted(const Line& line, const Turn& turn) { return open(receive_of(line, turn), turn.slice()) == 0; }

  void add_event(std::int64_t time, int what, std::size_t slice) {
    events_.push({time, count_++, what, static_cast<int>(slice)});
  }

  void begin(int rank, int slice, std::int64_t now) {
    const int first = plan_.first_step_[at(rank)];
    const int end = plan_.first_step_[at(rank) + 1];
    left_[at(rank) * at(slices_) + at(slice)] = end - first;
    for (int step = first; step < end; ++step)
      if (--open(step, at(slice)) == 0) may_start(step, slice, now);
  }

  void may_start(int step, int slice, std::int64_t now) {
    const Step::Kind kind = plan_.kinds_[at(step)];
    const int line = plan_.step_lines_[at(step)];
    if (line >= 0) {
      send_on(line, now);
      if (receives(kind)) take_in(line, now);
      return;
    }
    const std::int64_t duration = nanoseconds(
        bytes_of(step), kind == Step::Kind::copy ? fabric_.copy_bytes_per_ms : fabric_.reduce_bytes_per_ms);
    add_event(processors_.take(plan_.ranks_[at(step)], now, duration) + duration, step, at(slice));
  }

  void send_on(int number, std::int64_t now) {
    const Line& line = plan_.lines_[at(number)];
    LineState& state = lines_[at(number)];
    for (; may_send(line, state.sending); state.sending.advance()) {
      const int step = send_of(line, state.sending);
      const std::int64_t bytes = bytes_of(step);
      const bool eager = bytes <= kEagerBytes;
      if (!eager && !wanted(line, state.sending)) return;
      const Path& path = fabric_.path(line.from, line.to);
      const std::int64_t work = fabric_.step_ns + nanoseconds(bytes, fabric_.copy_bytes_per_ms);
      const std::int64_t begun = processors_.take(line.from, now, work);
      const std::int64_t start = std::max(begun + fabric_.step_ns, state.free);
      const std::int64_t end =
          std::max(start + nanoseconds(bytes, path.bytes_per_ms * path.cables), begun + work);
      if (travels_ != nullptr) travels_->push_back({line.from, line.to, start, end, bytes});
      state.free = end;
      const int receive = receive_of(line, state.sending);
      whole(receive, state.sending.slice()) = end + path.latency_ns;
      add_event(eager ? begun + work : end, step, state.sending.slice());
      // Taking in may begin before the end has come, but not be over before.
      add_event(std::max(start, end - work_of_receiving(receive)) + path.latency_ns, -1 - number, 0);
    }
  }

  // A socket gives bytes only as a copy, which is then summed; from memory and slabs they are summed where
  // they are.
  std::int64_t work_of_receiving(int step) const {
    const bool adds = sums(plan_.kinds_[at(step)]);
    const Line& line = plan_.lines_[at(plan_.step_lines_[at(step)])];
    const bool copies = !adds || fabric_.path(line.from, line.to).transport == "tcp";
    return fabric_.step_ns + (copies ? nanoseconds(bytes_of(step), fabric_.copy_bytes_per_ms) : 0) +
           (adds ? nanoseconds(bytes_of(step), fabric_.reduce_bytes_per_ms) : 0);
  }

  void take_in(int number, std::int64_t now) {
    const Line& line = plan_.lines_[at(number)];
    LineState& state = lines_[at(number)];
    for (; state.taking.number() < state.arrived && wanted(line, state.taking); state.taking.advance()) {
      const int step = receive_of(line, state.taking);
      const std::int64_t work = work_of_receiving(step);
      const std::int64_t end =
          std::max(processors_.take(line.to, now, work) + work, whole(step, state.taking.slice()));
      add_event(end, step, state.taking.slice());
    }
  }

  void done(int step, int slice, std::int64_t now) {
    for (int i = plan_.first_follower_[at(step)]; i < plan_.first_follower_[at(step + 1)]; ++i) {
      const int follower = plan_.followers_[at(i)];
      if (--open(follower, at(slice)) == 0) may_start(follower, slice, now);
    }
    // Room for another slice.
    const int rank = plan_.ranks_[at(step)];
    if (--left_[at(rank) * at(slices_) + at(slice)] == 0 && slice + static_cast<int>(kWindow) < slices_)
      begin(rank, slice + static_cast<int>(kWindow), now);
  }

  const Simulator& plan_;
  const Fabric& fabric_;
  const int slices_;
  const std::int64_t slice_bytes_;
  std::vector<Travel>* const travels_;
  Processors processors_;
  std::vector<int> open_;            // what is to wait for, of each step and slice
  std::vector<std::int64_t> whole_;  // when a message has come completely, by the step that takes it in
  std::vector<int> left_;            // steps not done, of each rank and slice
  std::vector<LineState> lines_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint32_t count_ = 0;
};

std::optional<Simulator> Simulator::of(std::string_view algorithm, const Shape& shape, Topology& topology) {
  Simulator simulator(topology.fabric());
  for (int rank = 0; rank < topology.ranks(); ++rank) {
    const auto program = make_program(algorithm, shape, topology, rank);
    if (!program) return std::nullopt;
    simulator.add(rank, *program);
  }
  simulator.connect();
  return simulator;
}

int Simulator::line_between(int from, int to) {
  line_of_.resize(at(fabric_->ranks) * at(fabric_->ranks), -1);
  int& line = line_of_[at(from) * at(fabric_->ranks) + at(to)];
  if (line < 0) {
    line = static_cast<int>(lines_.size());
    lines_.push_back({from, to, 0, 0});
  }
  return line;
}

void Simulator::add(int rank, const Program& program) {
  parts_ = program.parts;
  const auto after = dependencies(program);
  const int first = static_cast<int>(kinds_.size());
  first_step_.push_back(first);
  std::vector<int> counts(program.steps.size() + 1, 0);
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    kinds_.push_back(step.kind);
    ranks_.push_back(rank);
    blocks_.push_back(step.kind == Step::Kind::send ? step.a.blocks : step.to.blocks);
    waits_for_.push_back(static_cast<int>(after[i].size()));
    for (const int earlier : after[i]) ++counts[at(earlier)];
    int line = -1;
    if (step.kind == Step::Kind::send) line = line_between(rank, step.peer);
    if (receives(step.kind)) line = line_between(step.peer, rank);
    if (step.kind == Step::Kind::send) ++lines_[at(line)].messages;
    step_lines_.push_back(line);
  }
  int place = static_cast<int>(followers_.size());
  std::vector<int> next;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    first_follower_.push_back(place);
    next.push_back(place);
    place += counts[i];
  }
  followers_.resize(at(place));
  for (std::size_t i = 0; i < program.steps.size(); ++i)
    for (const int earlier : after[i]) followers_[at(next[at(earlier)]++)] = first + static_cast<int>(i);
}

void Simulator::connect() {
  first_follower_.push_back(static_cast<int>(followers_.size()));
  first_step_.push_back(static_cast<int>(kinds_.size()));
  line_of_ = {};
  int messages = 0;
  std::vector<int> sends;
  for (Line& line : lines_) {
    line.first = messages;
    sends.push_back(messages);
    messages += line.messages;
  }
  std::vector<int> receives = sends;
  sends_.resize(at(messages));
  receives_.resize(at(messages));
  for (int step = 0; step < static_cast<int>(kinds_.size()); ++step) {
    const int line = step_lines_[at(step)];
    if (line < 0) continue;
    if (kinds_[at(step)] == Step::Kind::send)
      sends_[at(sends[at(line)]++)] = step;
    else
      receives_[at(receives[at(line)]++)] = step;
  }
}

std::int64_t Simulator::most_sums() const {
  std::vector<std::int64_t> blocks(at(fabric_->ranks), 0);
  for (std::size_t step = 0; step < kinds_.size(); ++step)
    if (sums(kinds_[step])) blocks[at(ranks_[step])] += blocks_[step];
  return *std::max_element(blocks.begin(), blocks.end()) * 1000 / parts_;
}

std::int64_t Simulator::run(std::int64_t chunk_bytes, int slices, std::vector<Travel>* travels) const {
  return Run(*this, chunk_bytes, slices, travels).time();
}

}  // namespace jackal::collectives
