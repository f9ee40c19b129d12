#include "transports/verbs/domain.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "transports/verbs/agreement.hpp"
#include "transports/verbs/departure.hpp"

namespace jackal::collectives {
namespace {

using std::chrono::milliseconds;

// Collectives and point-to-point messages do not wait for each other.
constexpr int kStreams = Connection::kStreams;
constexpr int kCollectiveStream = 0;
constexpr int kMessageStream = 1;
// The other side's questions are answered within this time even when nobody here calls anything; later when
// it has been quiet for long.
constexpr milliseconds kKeeperPause(1);
constexpr milliseconds kQuietPause(20);
constexpr milliseconds kQuietAfter(1000);
constexpr milliseconds kPortCheck(250);
constexpr milliseconds kLinger(1000);

struct Cable {
  int peer;
  int cable;
  std::string device;
  int queue_pairs = 0;
  int groups = 0;  // that it can carry
};

void check_matrix(const DeviceMatrix& devices, int size) {
  const auto refuse = [](const std::string& what) {
    throw Error(Code::invalid_argument, "the device matrix " + what, -1, "", "", "init");
  };
  const auto n = static_cast<std::size_t>(size);
  if (devices.size() != n)
    refuse("is of " + std::to_string(devices.size()) + " ranks, the job has " + std::to_string(size));
  for (std::size_t i = 0; i < n; ++i)
    if (devices[i].size() != n)
      refuse("has " + std::to_string(devices[i].size()) + " entries in row " + std::to_string(i));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      if (devices[i][j].size() != devices[j][i].size())
        refuse("names " + std::to_string(devices[i][j].size()) + " devices from rank " + std::to_string(i) +
               " to rank " + std::to_string(j) + ", but " + std::to_string(devices[j][i].size()) +
               " the other way");
}

// Every rank's word, or the error of the first one that has a problem: the same on every rank.
std::vector<Offer> agree(const Offer& mine, const std::vector<std::string>& hosts, const ShareBytes& share) {
  std::vector<Offer> offers;
  for (const std::string& bytes : share(mine.encode())) {
    const int from = static_cast<int>(offers.size());
    const std::string& host = hosts[static_cast<std::size_t>(from)];
    auto offer = Offer::decode(bytes);
    if (!offer)
      throw Error(Code::internal, rank_name(from, host) + " sent RDMA addresses that cannot be read", from,
                  host, "", "init");
    if (!offer->problem.empty())
      throw Error(offer->code, rank_name(from, host) + ": " + offer->problem, from, host, "", "init");
    offers.push_back(std::move(*offer));
  }
  return offers;
}

// Whatever goes wrong in `action`, the others are waiting to hear it.
template <class Action>
void attempt(std::mutex& guard, Offer& mine, const Action& action) {
  const std::lock_guard lock(guard);
  try {
    action();
  } catch (const Error& error) {
    mine.problem = error.what();
    mine.code = error.code();
  }
}

}  // namespace

// The connections, for all groups that use them; goes with the last of these.
class VerbsDomain::State {
public:
  State(int rank, int size, std::vector<std::string> hosts, const VerbsOptions& options)
      : rank_(rank), size_(size), hosts_(std::move(hosts)), options_(options), keeper_([this] { keep(); }) {}
  ~State();

  void connect(const DeviceMatrix& devices, const std::vector<bool>& wanted, const ShareBytes& share,
               Deadline deadline, Membership& membership);

  // By the position of a cable; null where no connection is made.
  const std::vector<Cable>& cables() const { return cables_; }
  Connection* connection(std::size_t cable) { return connections_[cable].get(); }
  std::mutex& guard() { return guard_; }
  int queue_pairs() const { return queue_pairs_; }

  // What a channel does; `connection` by its id.
  std::size_t write(int connection, int group, int stream, std::span<const iovec> pieces);
  std::size_t read(int connection, int group, int stream, void* to, std::size_t size);
  std::span<const std::byte> peek(int connection, int group, int stream, std::size_t most);
  void consume(int connection, int group, int stream, std::size_t size);

private:
  Device& device(const std::string& name) { return *devices_.at(name); }
  void open_devices(Deadline deadline);
  void choose_cables();
  void create_connections(const std::vector<Offer>& offers, Offer& mine);
  void connect_cables(const std::vector<Offer>& offers);

  Connection& ready(int connection);
  void advance(Connection& connection);
  void keep();
  bool tend();
  void check_ports();
  [[noreturn]] void depart();
  bool stopped_within(milliseconds time);
  bool quiet();

  const Departure departure_;  // ends after all else
  const int rank_;
  const int size_;
  const std::vector<std::string> hosts_;
  const VerbsOptions options_;
  const VerbsLibrary* library_ = nullptr;
  std::vector<Cable> cables_;
  std::map<std::string, std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<Connection>> connections_;  // of cables_, null where none is made
  int queue_pairs_ = 0;

  std::mutex guard_;                     // of devices and connections
  std::atomic<bool> connected_ = false;  // from then on neither are there more of them nor fewer
  std::mutex stop_guard_;
  std::condition_variable stop_;
  bool stopping_ = false;  // of stop_guard_
  std::thread keeper_;
};

// One group's streams over the connections.
class VerbsDomain::Membership {
public:
  Membership(std::shared_ptr<State> state, int size);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  const std::shared_ptr<State>& state() const { return state_; }
  // Both with the guard of the connections held.
  /// Joins the connections to `members`, and adds what the others have to know to `mine`.
  void join(const std::vector<int>& members, int rank, const std::vector<bool>& wanted, Offer& mine);
  void begin(const std::vector<Offer>& offers, int rank);
  /// How often a message was sent again.
  std::uint64_t repairs();

  std::vector<int> ranks;                        // by rank: its rank in the group that made the connections
  std::vector<std::vector<Channel*>> cables_of;  // by rank
  std::vector<Channel*> messages_of;             // by rank
  std::size_t memory_bytes = 0;
  bool given_up = false;

private:
  class Lane;
  struct Seat {
    int peer = 0;
    int cable = 0;
    int connection = 0;
    int group = 0;
  };

  bool settled();
  Connection& connection_of(const Seat& seat) {
    return *state_->connection(static_cast<std::size_t>(seat.connection));
  }

  std::shared_ptr<State> state_;
  std::vector<Seat> seats_;
  std::vector<std::unique_ptr<Channel>> lanes_;
};

class VerbsDomain::Membership::Lane : public Channel {
public:
  Lane(State& state, const Seat& seat, int stream, std::string name)
      : state_(state), seat_(seat), stream_(stream), name_(std::move(name)) {}

  std::size_t write(std::span<const iovec> pieces) override {
    return state_.write(seat_.connection, seat_.group, stream_, pieces);
  }
  std::size_t read(void* to, std::size_t size) override {
    return state_.read(seat_.connection, seat_.group, stream_, to, size);
  }
  std::span<const std::byte> peek(std::size_t most) override {
    return state_.peek(seat_.connection, seat_.group, stream_, most);
  }
  void consume(std::size_t size) override { state_.consume(seat_.connection, seat_.group, stream_, size); }
  Interest interest() const override { return {}; }
  const std::string& name() const override { return name_; }

private:
  State& state_;
  Seat seat_;
  int stream_;
  std::string name_;
};

VerbsDomain::Membership::Membership(std::shared_ptr<State> state, int size)
    : cables_of(static_cast<std::size_t>(size)),
      messages_of(static_cast<std::size_t>(size)),
      state_(std::move(state)) {}

void VerbsDomain::Membership::join(const std::vector<int>& members, int rank, const std::vector<bool>& wanted,
                                   Offer& mine) {
  ranks = members;
  for (std::size_t peer = 0; peer < members.size(); ++peer) {
    if (static_cast<int>(peer) == rank || !wanted[peer]) continue;
    for (std::size_t i = 0; i < state_->cables().size(); ++i) {
      const Cable& cable = state_->cables()[i];
      Connection* connection = state_->connection(i);
      if (cable.peer != members[peer] || connection == nullptr) continue;
      const std::optional<int> group = connection->join();
      if (!group)
        throw Error(Code::unavailable,
                    "RDMA device " + cable.device + ": its connections carry as many groups as they can", -1,
                    "", cable.device, "init");
      seats_.push_back({static_cast<int>(peer), cable.cable, static_cast<int>(i), *group});
      memory_bytes += connection->memory_bytes();
      mine.of(static_cast<int>(peer), cable.cable).end.tag = connection->tag(*group);
    }
  }
}

void VerbsDomain::Membership::begin(const std::vector<Offer>& offers, int rank) {
  for (const Seat& seat : seats_) {
    const auto peer = static_cast<std::size_t>(seat.peer);
    const auto cable = static_cast<std::size_t>(seat.connection);
    const std::string& device = state_->cables()[cable].device;
    const CableOffer* other = offers[peer].find(rank, seat.cable);
    if (other == nullptr)
      throw Error(Code::internal, "rank " + std::to_string(seat.peer) + " does not take part over " + device,
                  seat.peer, "", device, "init");
    state_->connection(cable)->begin(seat.group, other->end.tag);
    const auto add = [&](int stream) {
      lanes_.push_back(std::make_unique<Lane>(*state_, seat, stream, device));
      return lanes_.back().get();
    };
    cables_of[peer].push_back(add(kCollectiveStream));
    if (messages_of[peer] == nullptr) messages_of[peer] = add(kMessageStream);
  }
}

bool VerbsDomain::Membership::settled() {
  const std::lock_guard lock(state_->guard());
  return std::all_of(seats_.begin(), seats_.end(), [this](const Seat& seat) {
    const Connection& connection = connection_of(seat);
    return !connection.trouble().empty() || connection.quiet(seat.group);
  });
}

std::uint64_t VerbsDomain::Membership::repairs() {
  const std::lock_guard lock(state_->guard());
  std::uint64_t repairs = 0;
  for (const Seat& seat : seats_)
    for (int stream = 0; stream < kStreams; ++stream)
      repairs += connection_of(seat).stream(seat.group, stream).repairs();
  return repairs;
}

VerbsDomain::Membership::~Membership() {
  const Deadline patience = Clock::now() + kLinger;
  while (!given_up && !settled() && Clock::now() < patience) std::this_thread::sleep_for(kKeeperPause);
  const std::lock_guard lock(state_->guard());
  for (const Seat& seat : seats_) connection_of(seat).leave(seat.group);
}

void VerbsDomain::State::open_devices(Deadline deadline) {
  const LoadedVerbs loaded = load_verbs(options_.library);
  if (loaded.library == nullptr) throw Error(Code::unavailable, loaded.problem, -1, "", "", "init");
  library_ = loaded.library;
  const LimitProfile profile = options_.apple_limits    ? LimitProfile::apple
                               : options_.device_limits ? LimitProfile::device
                                                        : LimitProfile::automatic;
  for (const Cable& cable : cables_)
    if (devices_.count(cable.device) == 0)
      devices_[cable.device] = std::make_unique<Device>(*library_, cable.device, profile, deadline);
}

void VerbsDomain::State::choose_cables() {
  for (const auto& [name, device] : devices_) {
    std::vector<std::size_t> mine;
    std::vector<int> distances;
    for (std::size_t i = 0; i < cables_.size(); ++i) {
      if (cables_[i].device != name) continue;
      mine.push_back(i);
      distances.push_back((cables_[i].peer - rank_ + size_) % size_);
    }
    const ConnectionPlan plan = plan_connections(distances, size_, kStreams, device->limits());
    if (!plan.problem.empty())
      throw Error(Code::unavailable, "RDMA device " + name + ": " + plan.problem, -1, "", name, "init");
    for (const int kept : plan.neighbours) {
      Cable& cable = cables_[mine[static_cast<std::size_t>(kept)]];
      cable.queue_pairs = plan.queue_pairs;
      cable.groups = plan.groups;
    }
  }
}

void VerbsDomain::State::create_connections(const std::vector<Offer>& offers, Offer& mine) {
  std::map<std::string, std::vector<std::size_t>> by_device;
  std::vector<StreamSizes> sizes(cables_.size());
  for (std::size_t i = 0; i < cables_.size(); ++i) {
    Cable& cable = cables_[i];
    const CableOffer* other = offers[static_cast<std::size_t>(cable.peer)].find(rank_, cable.cable);
    cable.queue_pairs = other == nullptr ? 0 : std::min(cable.queue_pairs, other->queue_pairs);
    if (cable.queue_pairs == 0) continue;
    by_device[cable.device].push_back(i);
    sizes[i] = plan_connections({1}, size_, kStreams, apple_limits()).sizes;
    if (cable.queue_pairs == 1) sizes[i].classes[1] = {};
    sizes[i].checksum = options_.checksum;
  }
  connections_.resize(cables_.size());
  for (const auto& [name, members] : by_device) {
    int completions = 0;
    for (const std::size_t i : members) completions += requests_of(sizes[i], cables_[i].groups * kStreams);
    device(name).allocate(completions);
    for (const std::size_t i : members) {
      connections_[i] =
          std::make_unique<Connection>(device(name), static_cast<int>(i), sizes[i], cables_[i].groups);
      mine.cables[i].queue_pairs = cables_[i].queue_pairs;
      mine.cables[i].end = connections_[i]->end();
      queue_pairs_ += cables_[i].queue_pairs;
    }
  }
}

void VerbsDomain::State::connect_cables(const std::vector<Offer>& offers) {
  for (std::size_t i = 0; i < cables_.size(); ++i) {
    if (!connections_[i]) continue;
    const Cable& cable = cables_[i];
    const CableOffer* other = offers[static_cast<std::size_t>(cable.peer)].find(rank_, cable.cable);
    const std::string& host = hosts_[static_cast<std::size_t>(cable.peer)];
    if (other == nullptr || static_cast<int>(other->end.queue_pairs.size()) != cable.queue_pairs)
      throw Error(Code::internal, rank_name(cable.peer, host) + " made no connection over " + cable.device,
                  cable.peer, host, cable.device, "init");
    connections_[i]->connect(other->end);
  }
}

void VerbsDomain::State::connect(const DeviceMatrix& devices, const std::vector<bool>& wanted,
                                 const ShareBytes& share, Deadline deadline, Membership& membership) {
  Offer mine;
  attempt(guard_, mine, [&] {
    check_matrix(devices, size_);
    const auto& row = devices[static_cast<std::size_t>(rank_)];
    for (int peer = 0; peer < size_; ++peer)
      for (std::size_t k = 0;
           wanted[static_cast<std::size_t>(peer)] && k < row[static_cast<std::size_t>(peer)].size(); ++k)
        cables_.push_back({peer, static_cast<int>(k), row[static_cast<std::size_t>(peer)][k]});
    open_devices(deadline);
    choose_cables();
    for (const Cable& cable : cables_)
      mine.cables.push_back({cable.peer, cable.cable, cable.queue_pairs, {}});
  });
  std::vector<Offer> offers = agree(mine, hosts_, share);
  attempt(guard_, mine, [&] {
    create_connections(offers, mine);
    std::vector<int> everybody(static_cast<std::size_t>(size_));
    std::iota(everybody.begin(), everybody.end(), 0);
    membership.join(everybody, rank_, wanted, mine);
  });
  offers = agree(mine, hosts_, share);
  attempt(guard_, mine, [&] {
    connect_cables(offers);
    membership.begin(offers, rank_);
  });
  agree(mine, hosts_, share);
  connected_ = true;
}

Connection& VerbsDomain::State::ready(int connection) {
  Connection& one = *connections_[static_cast<std::size_t>(connection)];
  if (!one.trouble().empty()) throw Broken(one.trouble());
  return one;
}

// Takes what has come and sends what is due; a device that refuses ends the connection.
void VerbsDomain::State::advance(Connection& connection) {
  try {
    std::array<ibv_wc, 16> completions;
    const int got = connection.device().poll(completions.data(), static_cast<int>(completions.size()));
    if (got == 0 && connection.may_skip_tick()) return;
    const Clock::time_point now = Clock::now();
    for (int i = 0; i < got; ++i) {
      const ibv_wc& completion = completions[static_cast<std::size_t>(i)];
      connections_[static_cast<std::size_t>(Connection::owner(completion.wr_id))]->completed(completion, now);
    }
    connection.tick(now);
  } catch (const Error& error) {
    connection.fail(error.what());
  }
}

std::size_t VerbsDomain::State::write(int connection, int group, int stream, std::span<const iovec> pieces) {
  const std::lock_guard lock(guard_);
  Connection& one = ready(connection);
  try {
    one.at(Clock::now());
    const std::size_t written = one.stream(group, stream).write(pieces);
    if (one.stream(group, stream).blocked()) advance(one);
    return written;
  } catch (const Error& error) {
    one.fail(error.what());
    throw Broken(one.trouble());
  }
}

std::span<const std::byte> VerbsDomain::State::peek(int connection, int group, int stream, std::size_t most) {
  const std::lock_guard lock(guard_);
  Connection& one = *connections_[static_cast<std::size_t>(connection)];
  if (one.stream(group, stream).peek(most).empty()) advance(ready(connection));
  return one.stream(group, stream).peek(most);
}

void VerbsDomain::State::consume(int connection, int group, int stream, std::size_t size) {
  const std::lock_guard lock(guard_);
  Connection& one = *connections_[static_cast<std::size_t>(connection)];
  try {
    one.stream(group, stream).consume(size);
  } catch (const Error& error) {
    one.fail(error.what());
  }
}

std::size_t VerbsDomain::State::read(int connection, int group, int stream, void* to, std::size_t size) {
  const std::lock_guard lock(guard_);
  Connection& one = *connections_[static_cast<std::size_t>(connection)];
  if (one.stream(group, stream).peek(1).empty()) advance(ready(connection));
  try {
    return one.stream(group, stream).read(to, size);
  } catch (const Error& error) {
    one.fail(error.what());
    throw Broken(one.trouble());
  }
}

// On no connection either side waits for anything.
bool VerbsDomain::State::quiet() {
  const std::lock_guard lock(guard_);
  return std::all_of(connections_.begin(), connections_.end(),
                     [](const auto& one) { return !one || !one->trouble().empty() || one->quiet(); });
}

bool VerbsDomain::State::stopped_within(milliseconds time) {
  std::unique_lock lock(stop_guard_);
  return stop_.wait_for(lock, time, [this] { return stopping_; });
}

void VerbsDomain::State::keep() {
  Clock::time_point next_check = Clock::now() + kPortCheck;
  Clock::time_point last_busy = Clock::now();
  while (!stopped_within(Clock::now() - last_busy < kQuietAfter ? kKeeperPause : kQuietPause)) {
    if (Departure::due()) depart();
    if (!connected_) continue;
    const Clock::time_point now = Clock::now();
    if (tend()) last_busy = now;
    if (now < next_check) continue;
    next_check = now + kPortCheck;
    check_ports();
  }
}

// Serves the connections that nobody else has for a moment; whether there is anything to do soon. The others
// it leaves alone, and the guard as well: who polls them is not to wait.
bool VerbsDomain::State::tend() {
  bool any_ticked = false;
  for (const auto& connection : connections_) {
    if (!connection) continue;
    const bool ticked = connection->ticked().exchange(false, std::memory_order_relaxed);
    any_ticked = any_ticked || ticked;
    if (ticked) continue;
    const std::lock_guard lock(guard_);
    if (!connection->trouble().empty()) continue;
    connection->skip_no_tick();
    advance(*connection);
    connection->ticked().store(false, std::memory_order_relaxed);
  }
  return any_ticked || !quiet();
}

void VerbsDomain::State::check_ports() {
  for (const auto& [name, device] : devices_) {
    const std::string trouble = device->port_trouble();
    if (trouble.empty()) continue;
    const std::lock_guard lock(guard_);
    for (const auto& connection : connections_)
      if (connection && &connection->device() == device.get()) connection->fail(trouble);
  }
}

// The guard is kept for ever: nobody may use what is destroyed any more.
void VerbsDomain::State::depart() {
  guard_.lock();
  for (const auto& [name, device] : devices_) device->release();
  Departure::finish();
}

VerbsDomain::State::~State() {
  {
    const std::lock_guard lock(stop_guard_);
    stopping_ = true;
  }
  stop_.notify_all();
  keeper_.join();
}

std::unique_ptr<VerbsDomain> VerbsDomain::connect(int rank, int size, const std::vector<std::string>& hosts,
                                                  const DeviceMatrix& devices,
                                                  const std::vector<bool>& wanted,
                                                  const VerbsOptions& options, const ShareBytes& share,
                                                  Deadline deadline) {
  auto state = std::make_shared<State>(rank, size, hosts, options);
  auto membership = std::make_unique<Membership>(state, size);
  state->connect(devices, wanted, share, deadline, *membership);
  return std::unique_ptr<VerbsDomain>(new VerbsDomain(std::move(membership)));
}

std::unique_ptr<VerbsDomain> VerbsDomain::part(const VerbsDomain& whole, const std::vector<int>& members,
                                               int rank, const std::vector<std::string>& hosts,
                                               const std::vector<bool>& wanted, const ShareBytes& share) {
  const std::shared_ptr<State>& state = whole.membership_->state();
  auto membership = std::make_unique<Membership>(state, static_cast<int>(members.size()));
  // The whole may be a part itself.
  std::vector<int> first_ranks;
  for (const int member : members)
    first_ranks.push_back(whole.membership_->ranks[static_cast<std::size_t>(member)]);
  Offer mine;
  attempt(state->guard(), mine, [&] { membership->join(first_ranks, rank, wanted, mine); });
  const std::vector<Offer> offers = agree(mine, hosts, share);
  attempt(state->guard(), mine, [&] { membership->begin(offers, rank); });
  agree(mine, hosts, share);
  return std::unique_ptr<VerbsDomain>(new VerbsDomain(std::move(membership)));
}

VerbsDomain::VerbsDomain(std::unique_ptr<Membership> membership) : membership_(std::move(membership)) {}
VerbsDomain::~VerbsDomain() = default;
void VerbsDomain::give_up() { membership_->given_up = true; }

std::vector<Channel*> VerbsDomain::cables(int rank) const {
  return membership_->cables_of[static_cast<std::size_t>(rank)];
}
Channel* VerbsDomain::messages(int rank) const {
  return membership_->messages_of[static_cast<std::size_t>(rank)];
}
std::uint64_t VerbsDomain::repairs() const { return membership_->repairs(); }
std::size_t VerbsDomain::memory_bytes() const { return membership_->memory_bytes; }
int VerbsDomain::queue_pairs() const { return membership_->state()->queue_pairs(); }

}  // namespace jackal::collectives
