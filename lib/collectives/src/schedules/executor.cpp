#include "schedules/executor.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "schedules/flow.hpp"
#include "schedules/layout.hpp"
#include "schedules/plan.hpp"

namespace jackal::collectives {
namespace {

// Programs that are kept ready. A training loop uses a handful.
constexpr std::size_t kMostPlans = 16;
// One write takes so much, so that reading is never far behind: what was sent is still in the cache when the
// other rank copies it, and both directions move at once.
constexpr std::size_t kWriteBytes = 512 << 10;
// One reduction takes so much, which stays in the second-level cache.
constexpr std::size_t kReduceBytes = 128 << 10;
// What looking at all channels once costs beside a look at memory: a system call each.
constexpr std::uint32_t kSpinsPerRound = 16;
// As long as look() may be put off while everybody sleeps, and where nothing wakes up by itself.
constexpr int kNapMilliseconds = 10;
constexpr int kBlindNapMilliseconds = 1;

// Where one lane is in the sequence of its transfers.
struct Place {
  Turn turn;
  std::size_t slot = 0;
  std::size_t step = 0;   // of the plan
  std::size_t begin = 0;  // elements of the transfer that this lane carries
  std::size_t end = 0;
};

// One direction of one cable.
struct Stream {
  Channel* channel = nullptr;
  int rank = -1;
  const std::vector<int>* steps = nullptr;
  std::size_t cable = 0;
  std::size_t cables = 1;
  Place place;
  std::size_t at = 0;           // bytes done of this lane's part of the transfer
  std::size_t header_left = 0;  // bytes
  std::array<std::byte, Executor::kHeaderLimit> header;
  // A reduction's element of which only the first bytes have come.
  std::array<std::byte, 16> torn;
  std::size_t torn_bytes = 0;
};

// A slice that is under way.
struct Slot {
  std::size_t slice = 0;
  std::size_t steps_left = 0;
  std::vector<int> waits_for;  // unfinished steps before each one
  std::vector<std::size_t> shares_left;
  Layout::Places places;
};

}  // namespace

class Executor::State {
public:
  State(Lanes lanes, Crowding crowding) : lanes_(std::move(lanes)), crowding_(crowding) {}

  Traffic run(const Program& program, const Memory& memory, Dtype dtype, Op op, std::int64_t slice_bytes,
              std::span<const std::byte> header, const CheckHeader& check, Watch& watch);
  std::vector<int> awaited() const;
  std::size_t memory_bytes() const { return scratch_.capacity(); }

private:
  // A plan with the state of its lanes, which is set anew for every call.
  struct Prepared {
    explicit Prepared(const Program& program) : plan(program) {}
    Plan plan;
    std::vector<Stream> outgoing;
    std::vector<Stream> incoming;
  };

  Prepared& prepare(const Program& program);
  void connect(Prepared& prepared);
  void begin();
  void begin_slice(Slot& slot, std::size_t slice);
  void rewind(Stream& stream);

  bool settle(Stream& stream, Place& place) const;
  bool ready(const Place& place) const;
  const Step& step_of(const Place& place) const { return prepared_->plan.program.steps[place.step]; }
  std::size_t share_bytes(const Place& place) const { return (place.end - place.begin) * element_; }

  bool move();
  bool push(Stream& stream);
  bool sent(Stream& stream, std::size_t bytes);
  bool pull(Stream& stream);
  bool take_header(Stream& stream);
  std::size_t read(Stream& stream, const Step& step);
  std::size_t reduce(Stream& stream, const Step& step);
  void combine(const Place& place, const Step& step, std::size_t skip, const std::byte* come,
               std::size_t elements);
  void finish_share(Stream& stream);
  void finish_step(std::size_t slot, std::size_t step);
  void compute(Slot& slot, const Step& step);
  bool compute_ready();
  void sleep(Pacer& pacer);

  Lanes lanes_;
  Crowding crowding_;
  std::vector<std::unique_ptr<Prepared>> prepared_plans_;
  std::size_t next_victim_ = 0;
  std::array<Slot, kWindow> slots_;
  std::vector<std::byte> scratch_;
  struct Local {
    std::size_t slot;
    std::size_t step;
  };
  std::vector<Local> local_;  // steps to compute
  std::vector<pollfd> polled_;

  // Of the call under way.
  Prepared* prepared_ = nullptr;
  Layout layout_;
  Kernel kernel_;
  std::size_t element_ = 1;
  std::size_t window_ = 1;
  std::size_t slices_left_ = 0;
  Layout::Places places_;
  std::span<const std::byte> header_;
  const CheckHeader* check_ = nullptr;
  Watch* watch_ = nullptr;
  Traffic traffic_;
};

Executor::State::Prepared& Executor::State::prepare(const Program& program) {
  for (const auto& one : prepared_plans_)
    if (one->plan.program == program) return *one;
  auto made = std::make_unique<Prepared>(program);
  connect(*made);
  if (prepared_plans_.size() < kMostPlans) return *prepared_plans_.emplace_back(std::move(made));
  next_victim_ = (next_victim_ + 1) % kMostPlans;
  return *(prepared_plans_[next_victim_] = std::move(made));
}

void Executor::State::connect(Prepared& prepared) {
  const auto add = [this](std::vector<Stream>& streams, const Plan::Flow& flow) {
    const auto& cables = lanes_[static_cast<std::size_t>(flow.peer)];
    if (cables.empty())
      throw Error(Code::internal,
                  "the schedule uses a link to rank " + std::to_string(flow.peer) + ", but there is none",
                  flow.peer);
    for (std::size_t cable = 0; cable < cables.size(); ++cable) {
      Stream& stream = streams.emplace_back();
      stream.channel = cables[cable];
      stream.rank = flow.peer;
      stream.steps = &flow.steps;
      stream.cable = cable;
      stream.cables = cables.size();
    }
  };
  for (const Plan::Flow& flow : prepared.plan.sends) add(prepared.outgoing, flow);
  for (const Plan::Flow& flow : prepared.plan.receives) add(prepared.incoming, flow);
}

Traffic Executor::State::run(const Program& program, const Memory& memory, Dtype dtype, Op op,
                             std::int64_t slice_bytes, std::span<const std::byte> header,
                             const CheckHeader& check, Watch& watch) {
  if (program.steps.empty()) return {};
  prepared_ = &prepare(program);
  element_ = dtype_size(dtype);
  kernel_ = kernel_of(op == Op::average ? Op::sum : op, dtype);
  // All of this depends on what all ranks know alike.
  const std::size_t most = std::max(element_, most_slice_bytes(lanes_.size()));
  const std::size_t bytes = slice_bytes <= 0 ? most : std::min(static_cast<std::size_t>(slice_bytes), most);
  layout_.set(program.parts, element_, memory.count, memory.counts,
              std::max<std::size_t>(1, bytes / element_));
  window_ = std::min(kWindow, layout_.slices());
  places_ = {static_cast<std::byte*>(const_cast<void*>(memory.input)), static_cast<std::byte*>(memory.output),
             nullptr};
  header_ = header;
  check_ = &check;
  watch_ = &watch;
  traffic_ = {};
  begin();
  Pacer pacer(watch, crowding_);
  while (slices_left_ > 0) {
    if (move()) {
      pacer.reset();
    } else if (pacer.weary()) {
      sleep(pacer);
    } else {
      pacer.pause(kSpinsPerRound);
    }
  }
  return traffic_;
}

void Executor::State::begin() {
  const auto chunks = static_cast<std::size_t>(prepared_->plan.program.scratch_chunks);
  const std::size_t each = (chunks * layout_.slice_longest() * element_ + 63) / 64 * 64;
  if (scratch_.size() < each * window_) scratch_.resize(each * window_);
  slices_left_ = layout_.slices();
  local_.clear();
  for (std::size_t i = 0; i < window_; ++i) {
    slots_[i].places = places_;
    slots_[i].places.scratch = scratch_.data() + each * i;
    begin_slice(slots_[i], i);
  }
  for (Stream& stream : prepared_->outgoing) rewind(stream);
  for (Stream& stream : prepared_->incoming) rewind(stream);
}

void Executor::State::begin_slice(Slot& slot, std::size_t slice) {
  const Plan& plan = prepared_->plan;
  slot.slice = slice;
  slot.steps_left = plan.program.steps.size();
  slot.waits_for.assign(plan.blockers.begin(), plan.blockers.end());
  slot.shares_left.assign(plan.program.steps.size(), 0);
  for (std::size_t step = 0; step < plan.program.steps.size(); ++step) {
    const Step& one = plan.program.steps[step];
    if (one.peer < 0) {
      if (plan.blockers[step] == 0) local_.push_back({slice % kWindow, step});
      continue;
    }
    const std::size_t cables = lanes_[static_cast<std::size_t>(one.peer)].size();
    slot.shares_left[step] =
        cables == 1 ? 1 : share_count(layout_.elements(travels(one), slice) * element_, cables);
  }
}

void Executor::State::rewind(Stream& stream) {
  stream.place.turn = Turn(stream.steps->size(), layout_.slices(), kWindow);
  stream.header_left = header_.size();
  stream.at = 0;
  stream.torn_bytes = 0;
  settle(stream, stream.place);
}

// Moves `place` on to the next transfer of which this lane carries a part, from where it is. False: none
// left.
bool Executor::State::settle(Stream& stream, Place& place) const {
  for (; !place.turn.done(); place.turn.advance()) {
    place.step = static_cast<std::size_t>((*stream.steps)[place.turn.step()]);
    place.slot = place.turn.slice() % kWindow;
    const std::size_t elements = layout_.elements(travels(step_of(place)), place.turn.slice());
    const Share share = share_of(elements, share_count(elements * element_, stream.cables),
                                 place.turn.number(), stream.cable, stream.cables);
    place.begin = share.begin;
    place.end = share.end;
    if (share.any) return true;
  }
  return false;
}

bool Executor::State::ready(const Place& place) const {
  if (place.turn.done()) return false;
  const Slot& slot = slots_[place.slot];
  return slot.slice == place.turn.slice() && slot.waits_for[place.step] == 0;
}

bool Executor::State::move() {
  bool moved = compute_ready();
  for (Stream& stream : prepared_->outgoing) moved = push(stream) || moved;
  for (Stream& stream : prepared_->incoming) moved = pull(stream) || moved;
  return moved;
}

// Hands over the header and all transfers that may go, as far as one write takes them.
bool Executor::State::push(Stream& stream) {
  if (!ready(stream.place)) return false;
  std::array<iovec, 16> pieces;
  std::size_t used = 0;
  std::size_t room = kWriteBytes;
  if (stream.header_left > 0) {
    const auto* rest = header_.data() + (header_.size() - stream.header_left);
    pieces[used++] = {const_cast<std::byte*>(rest), stream.header_left};
  }
  std::size_t skip = stream.at / element_;
  std::size_t odd = stream.at % element_;  // bytes of the first element that have gone
  for (Place place = stream.place; ready(place);) {
    const Slot& slot = slots_[place.slot];
    while (place.begin + skip < place.end && used < pieces.size() && room > 0) {
      const Segment part = layout_.segment(step_of(place).a, slot.slice, slot.places, place.begin + skip);
      const std::size_t elements = std::min(part.elements, place.end - place.begin - skip);
      const std::size_t bytes = std::min(elements * element_ - odd, room);
      pieces[used++] = {part.at + odd, bytes};
      room -= bytes;
      skip += elements;
      odd = 0;
    }
    if (used == pieces.size() || room == 0) break;
    place.turn.advance();
    skip = 0;
    if (!settle(stream, place)) break;
  }
  std::size_t written = 0;
  try {
    if (used > 0) written = stream.channel->write({pieces.data(), used});
  } catch (const Broken& broken) {
    watch_->lost(stream.rank, broken.what());
  }
  return sent(stream, written);
}

// So many bytes more have gone: finishes what is complete with them. True when anything was.
bool Executor::State::sent(Stream& stream, std::size_t bytes) {
  bool moved = bytes > 0;
  const std::size_t of_header = std::min(bytes, stream.header_left);
  stream.header_left -= of_header;
  bytes -= of_header;
  traffic_.sent += bytes;
  while (stream.header_left == 0 && ready(stream.place)) {
    const std::size_t here = std::min(bytes, share_bytes(stream.place) - stream.at);
    stream.at += here;
    bytes -= here;
    if (stream.at < share_bytes(stream.place)) break;
    finish_share(stream);
    moved = true;
  }
  return moved;
}

// Takes what has come, until a transfer is complete or there is no more.
bool Executor::State::pull(Stream& stream) {
  bool moved = false;
  try {
    while (ready(stream.place)) {
      if (stream.header_left > 0) {
        if (!take_header(stream)) return moved;
        moved = true;
      }
      const std::size_t size = share_bytes(stream.place);
      if (stream.at < size) {
        const Step& step = step_of(stream.place);
        const std::size_t got = step.kind == Step::Kind::receive ? read(stream, step) : reduce(stream, step);
        stream.at += got;
        traffic_.received += got;
        moved = moved || got > 0;
        // The others have their turn before this one goes on.
        if (stream.at < size) return moved;
      }
      finish_share(stream);
      moved = true;
      if (size > kWriteBytes) return true;
    }
  } catch (const Broken& broken) {
    watch_->lost(stream.rank, broken.what());
  }
  return moved;
}

bool Executor::State::take_header(Stream& stream) {
  while (stream.header_left > 0) {
    const auto come = stream.channel->peek(stream.header_left);
    if (come.empty()) return false;
    std::memcpy(stream.header.data() + (header_.size() - stream.header_left), come.data(), come.size());
    stream.header_left -= come.size();
    stream.channel->consume(come.size());
  }
  (*check_)(stream.rank, {stream.header.data(), header_.size()});
  return true;
}

std::size_t Executor::State::read(Stream& stream, const Step& step) {
  const Place& place = stream.place;
  const Slot& slot = slots_[place.slot];
  std::size_t all = 0;
  for (std::size_t at = stream.at; at < share_bytes(place);) {
    const std::size_t skip = at / element_;
    const std::size_t odd = at % element_;
    const Segment part = layout_.segment(step.to, slot.slice, slot.places, place.begin + skip);
    const std::size_t wanted = std::min(part.elements, place.end - place.begin - skip) * element_ - odd;
    const std::size_t got = stream.channel->read(part.at + odd, wanted);
    at += got;
    all += got;
    if (got < wanted) break;
  }
  return all;
}

// Combines straight from where the transport has put the bytes. They may end within an element, whose
// beginning then waits for the rest.
std::size_t Executor::State::reduce(Stream& stream, const Step& step) {
  const std::size_t left = share_bytes(stream.place) - stream.at;
  const auto come = stream.channel->peek(std::min(left, kReduceBytes));
  if (come.empty()) return 0;
  std::size_t used = 0;
  const auto keep = [&](std::size_t most) {
    const std::size_t more = std::min(most, come.size() - used);
    std::memcpy(stream.torn.data() + stream.torn_bytes, come.data() + used, more);
    stream.torn_bytes += more;
    used += more;
  };
  std::size_t element = stream.at / element_;
  if (stream.torn_bytes > 0) {
    keep(element_ - stream.torn_bytes);
    if (stream.torn_bytes == element_) {
      combine(stream.place, step, element++, stream.torn.data(), 1);
      stream.torn_bytes = 0;
    }
  }
  const std::size_t whole = (come.size() - used) / element_;
  combine(stream.place, step, element, come.data() + used, whole);
  used += whole * element_;
  keep(come.size() - used);
  stream.channel->consume(used);
  return used;
}

void Executor::State::combine(const Place& place, const Step& step, std::size_t skip, const std::byte* come,
                              std::size_t elements) {
  const Slot& slot = slots_[place.slot];
  while (elements > 0) {
    const Segment to = layout_.segment(step.to, slot.slice, slot.places, place.begin + skip);
    const Segment a = layout_.segment(step.a, slot.slice, slot.places, place.begin + skip);
    const std::size_t here = std::min({elements, to.elements, a.elements});
    if (step.kind == Step::Kind::receive_reduce) {
      kernel_.pair(a.at, come, to.at, here);
    } else {
      kernel_.pair(come, a.at, to.at, here);
    }
    skip += here;
    come += here * element_;
    elements -= here;
  }
}

void Executor::State::finish_share(Stream& stream) {
  const std::size_t slot = stream.place.slot;
  const std::size_t step = stream.place.step;
  stream.at = 0;
  stream.place.turn.advance();
  settle(stream, stream.place);
  if (--slots_[slot].shares_left[step] == 0) finish_step(slot, step);
}

void Executor::State::finish_step(std::size_t number, std::size_t step) {
  Slot& slot = slots_[number];
  const Plan& plan = prepared_->plan;
  for (const int next : plan.dependants[step]) {
    const auto index = static_cast<std::size_t>(next);
    if (--slot.waits_for[index] == 0 && plan.program.steps[index].peer < 0) local_.push_back({number, index});
  }
  if (--slot.steps_left > 0) return;
  --slices_left_;
  if (slot.slice + kWindow < layout_.slices()) begin_slice(slot, slot.slice + kWindow);
}

bool Executor::State::compute_ready() {
  if (local_.empty()) return false;
  // What these make ready comes behind them.
  for (std::size_t i = 0; i < local_.size(); ++i) {
    const Local one = local_[i];
    compute(slots_[one.slot], prepared_->plan.program.steps[one.step]);
    finish_step(one.slot, one.step);
  }
  local_.clear();
  return true;
}

void Executor::State::compute(Slot& slot, const Step& step) {
  for (std::size_t skip = 0;;) {
    const Segment to = layout_.segment(step.to, slot.slice, slot.places, skip);
    const Segment a = layout_.segment(step.a, slot.slice, slot.places, skip);
    std::size_t here = std::min(to.elements, a.elements);
    if (step.kind == Step::Kind::copy) {
      if (here == 0) return;
      if (to.at != a.at) collectives::copy(to.at, a.at, here * element_);
    } else {
      const Segment b = layout_.segment(step.b, slot.slice, slot.places, skip);
      here = std::min(here, b.elements);
      if (here == 0) return;
      kernel_.pair(a.at, b.at, to.at, here);
    }
    skip += here;
  }
}

// In the kernel, until a channel that is waited for moves or somebody has news.
void Executor::State::sleep(Pacer& pacer) {
  bool blind = false;
  polled_.clear();
  const auto add = [&](const Stream& stream, bool incoming) {
    if (!ready(stream.place)) return;
    const Channel::Interest interest = stream.channel->interest();
    blind = blind || interest.descriptor < 0;
    polled_.push_back({interest.descriptor, incoming ? interest.read_events : interest.write_events, 0});
  };
  for (const Stream& stream : prepared_->incoming) add(stream, true);
  for (const Stream& stream : prepared_->outgoing) add(stream, false);
  if (blind && !pacer.weary(false)) return pacer.pause(kSpinsPerRound);
  const std::size_t own = polled_.size();
  for (const int descriptor : watch_->wake_descriptors()) polled_.push_back({descriptor, POLLIN, 0});
  const int woken = ::poll(polled_.data(), static_cast<nfds_t>(polled_.size()),
                           blind ? kBlindNapMilliseconds : kNapMilliseconds);
  bool news = woken <= 0;
  for (std::size_t i = own; i < polled_.size(); ++i) news = news || polled_[i].revents != 0;
  if (news) pacer.look();
}

std::vector<int> Executor::State::awaited() const {
  std::vector<int> ranks;
  const auto add = [&](const std::vector<Stream>& streams) {
    for (const Stream& stream : streams)
      if (ready(stream.place)) ranks.push_back(stream.rank);
  };
  if (prepared_ == nullptr) return ranks;
  add(prepared_->incoming);
  if (ranks.empty()) add(prepared_->outgoing);
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
  return ranks;
}

Executor::Executor(Lanes lanes, Crowding crowding)
    : state_(std::make_unique<State>(std::move(lanes), crowding)) {}
Executor::~Executor() = default;

Traffic Executor::run(const Program& program, const Memory& memory, Dtype dtype, Op op,
                      std::int64_t slice_bytes, std::span<const std::byte> header, const CheckHeader& check,
                      Watch& watch) {
  return state_->run(program, memory, dtype, op, slice_bytes, header, check, watch);
}

std::vector<int> Executor::awaited() const { return state_->awaited(); }
std::size_t Executor::memory_bytes() const { return state_->memory_bytes(); }

}  // namespace jackal::collectives
