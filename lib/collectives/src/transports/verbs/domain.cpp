#include "transports/verbs/domain.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "transports/verbs/agreement.hpp"
#include "transports/verbs/departure.hpp"

namespace jackal::collectives {
namespace {

using std::chrono::milliseconds;

// Collectives and point-to-point messages do not wait for each other.
constexpr int kStreams = 2;
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

}  // namespace

class VerbsDomain::State {
public:
  State(int rank, int size, std::vector<std::string> hosts, const VerbsOptions& options)
      : rank_(rank), size_(size), hosts_(std::move(hosts)), options_(options), keeper_([this] { keep(); }) {}
  ~State();

  void connect(const DeviceMatrix& devices, const std::vector<bool>& wanted, const ShareBytes& share,
               Deadline deadline);

  // What a channel does; `connection` by its id.
  std::size_t write(int connection, int stream, std::span<const iovec> pieces);
  std::size_t read(int connection, int stream, void* to, std::size_t size);
  std::span<const std::byte> peek(int connection, int stream, std::size_t most);
  void consume(int connection, int stream, std::size_t size);

  std::vector<Channel*> cables(int rank) const;
  Channel* messages(int rank) const;
  std::uint64_t repairs();
  std::size_t memory_bytes() const { return memory_bytes_; }
  int queue_pairs() const { return queue_pairs_; }
  void give_up() { given_up_ = true; }

private:
  class Lane;

  std::vector<Offer> agree(const Offer& mine, const ShareBytes& share) const;
  Device& device(const std::string& name) { return *devices_.at(name); }
  void open_devices(Deadline deadline);
  void choose_cables();
  void create_connections(const std::vector<Offer>& offers, Offer& mine);
  void connect_cables(const std::vector<Offer>& offers);
  void make_lanes();

  Connection& ready(int connection);
  void advance(Connection& connection);
  void keep();
  bool tend();
  void check_ports();
  [[noreturn]] void depart();
  bool stopped_within(milliseconds time);
  bool settled();

  const Departure departure_;  // ends after all else
  const int rank_;
  const int size_;
  const std::vector<std::string> hosts_;
  const VerbsOptions options_;
  const VerbsLibrary* library_ = nullptr;
  std::vector<Cable> cables_;
  std::map<std::string, std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<Connection>> connections_;  // of cables_, null where none is made
  std::vector<std::unique_ptr<Channel>> lanes_;
  std::vector<std::vector<Channel*>> cables_of_;  // by rank
  std::vector<Channel*> messages_of_;             // by rank
  std::size_t memory_bytes_ = 0;
  int queue_pairs_ = 0;
  bool given_up_ = false;

  std::mutex guard_;                     // of devices and connections
  std::atomic<bool> connected_ = false;  // from then on neither are there more of them nor fewer
  std::mutex stop_guard_;
  std::condition_variable stop_;
  bool stopping_ = false;  // of stop_guard_
  std::thread keeper_;
};

class VerbsDomain::State::Lane : public Channel {
public:
  Lane(State& state, int connection, int stream, std::string name)
      : state_(state), connection_(connection), stream_(stream), name_(std::move(name)) {}

  std::size_t write(std::span<const iovec> pieces) override {
    return state_.write(connection_, stream_, pieces);
  }
  std::size_t read(void* to, std::size_t size) override {
    return state_.read(connection_, stream_, to, size);
  }
  std::span<const std::byte> peek(std::size_t most) override {
    return state_.peek(connection_, stream_, most);
  }
  void consume(std::size_t size) override { state_.consume(connection_, stream_, size); }
  Interest interest() const override { return {}; }
  const std::string& name() const override { return name_; }

private:
  State& state_;
  int connection_;
  int stream_;
  std::string name_;
};

// Every rank's word, or the error of the first one that has a problem: the same on every rank.
std::vector<Offer> VerbsDomain::State::agree(const Offer& mine, const ShareBytes& share) const {
  std::vector<Offer> offers;
  for (const std::string& bytes : share(mine.encode())) {
    const int from = static_cast<int>(offers.size());
    const std::string& host = hosts_[static_cast<std::size_t>(from)];
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
    for (const int kept : plan.neighbours)
      cables_[mine[static_cast<std::size_t>(kept)]].queue_pairs = plan.queue_pairs;
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
    std::size_t bytes = 0;
    int completions = 0;
    for (const std::size_t i : members) {
      bytes += kStreams * slab_bytes(sizes[i]);
      for (const MessageClass c : {MessageClass::small, MessageClass::large})
        for (const bool receives : {false, true}) completions += depth_of(sizes[i], c, kStreams, receives);
    }
    device(name).allocate(bytes, completions);
    memory_bytes_ += bytes;
    std::byte* memory = device(name).slab();
    for (const std::size_t i : members) {
      connections_[i] =
          std::make_unique<Connection>(device(name), static_cast<int>(i), sizes[i], kStreams, memory);
      memory += kStreams * slab_bytes(sizes[i]);
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

void VerbsDomain::State::make_lanes() {
  cables_of_.resize(static_cast<std::size_t>(size_));
  messages_of_.resize(static_cast<std::size_t>(size_));
  const auto add = [this](std::size_t connection, int stream) {
    lanes_.push_back(
        std::make_unique<Lane>(*this, static_cast<int>(connection), stream, cables_[connection].device));
    return lanes_.back().get();
  };
  for (std::size_t i = 0; i < cables_.size(); ++i) {
    if (!connections_[i]) continue;
    const auto peer = static_cast<std::size_t>(cables_[i].peer);
    cables_of_[peer].push_back(add(i, kCollectiveStream));
    if (messages_of_[peer] == nullptr) messages_of_[peer] = add(i, kMessageStream);
  }
}

void VerbsDomain::State::connect(const DeviceMatrix& devices, const std::vector<bool>& wanted,
                                 const ShareBytes& share, Deadline deadline) {
  Offer mine;
  // Whatever goes wrong here, the others are waiting to hear it.
  const auto attempt = [this, &mine](auto action) {
    const std::lock_guard lock(guard_);
    try {
      action();
    } catch (const Error& error) {
      mine.problem = error.what();
      mine.code = error.code();
    }
  };
  attempt([&] {
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
  std::vector<Offer> offers = agree(mine, share);
  attempt([&] { create_connections(offers, mine); });
  offers = agree(mine, share);
  attempt([&] {
    connect_cables(offers);
    make_lanes();
  });
  agree(mine, share);
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

std::size_t VerbsDomain::State::write(int connection, int stream, std::span<const iovec> pieces) {
  const std::lock_guard lock(guard_);
  Connection& one = ready(connection);
  try {
    one.at(Clock::now());
    const std::size_t written = one.stream(stream).write(pieces);
    if (one.stream(stream).blocked()) advance(one);
    return written;
  } catch (const Error& error) {
    one.fail(error.what());
    throw Broken(one.trouble());
  }
}

std::span<const std::byte> VerbsDomain::State::peek(int connection, int stream, std::size_t most) {
  const std::lock_guard lock(guard_);
  Connection& one = *connections_[static_cast<std::size_t>(connection)];
  if (one.stream(stream).peek(most).empty()) advance(ready(connection));
  return one.stream(stream).peek(most);
}

void VerbsDomain::State::consume(int connection, int stream, std::size_t size) {
  const std::lock_guard lock(guard_);
  Connection& one = *connections_[static_cast<std::size_t>(connection)];
  try {
    one.stream(stream).consume(size);
  } catch (const Error& error) {
    one.fail(error.what());
  }
}

std::size_t VerbsDomain::State::read(int connection, int stream, void* to, std::size_t size) {
  const std::lock_guard lock(guard_);
  Connection& one = *connections_[static_cast<std::size_t>(connection)];
  if (one.stream(stream).peek(1).empty()) advance(ready(connection));
  try {
    return one.stream(stream).read(to, size);
  } catch (const Error& error) {
    one.fail(error.what());
    throw Broken(one.trouble());
  }
}

// Neither this side nor the other waits for anything.
bool VerbsDomain::State::settled() {
  const std::lock_guard lock(guard_);
  const auto quiet = [](const ReliableStream& stream) { return stream.settled() && !stream.owes_news(); };
  return std::all_of(connections_.begin(), connections_.end(), [&](const auto& one) {
    return !one || !one->trouble().empty() ||
           (quiet(one->stream(kCollectiveStream)) && quiet(one->stream(kMessageStream)));
  });
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
  return any_ticked || !settled();
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
  const Deadline patience = Clock::now() + kLinger;
  while (connected_ && !given_up_ && !settled() && Clock::now() < patience)
    std::this_thread::sleep_for(kKeeperPause);
  {
    const std::lock_guard lock(stop_guard_);
    stopping_ = true;
  }
  stop_.notify_all();
  keeper_.join();
}

std::vector<Channel*> VerbsDomain::State::cables(int rank) const {
  return cables_of_[static_cast<std::size_t>(rank)];
}
Channel* VerbsDomain::State::messages(int rank) const { return messages_of_[static_cast<std::size_t>(rank)]; }

std::uint64_t VerbsDomain::State::repairs() {
  const std::lock_guard lock(guard_);
  std::uint64_t repairs = 0;
  for (const auto& connection : connections_)
    for (int stream = 0; connection && stream < kStreams; ++stream)
      repairs += connection->stream(stream).repairs();
  return repairs;
}

std::unique_ptr<VerbsDomain> VerbsDomain::connect(int rank, int size, const std::vector<std::string>& hosts,
                                                  const DeviceMatrix& devices,
                                                  const std::vector<bool>& wanted,
                                                  const VerbsOptions& options, const ShareBytes& share,
                                                  Deadline deadline) {
  auto state = std::make_unique<State>(rank, size, hosts, options);
  state->connect(devices, wanted, share, deadline);
  return std::unique_ptr<VerbsDomain>(new VerbsDomain(std::move(state)));
}

VerbsDomain::VerbsDomain(std::unique_ptr<State> state) : state_(std::move(state)) {}
VerbsDomain::~VerbsDomain() = default;
void VerbsDomain::give_up() { state_->give_up(); }

std::vector<Channel*> VerbsDomain::cables(int rank) const { return state_->cables(rank); }
Channel* VerbsDomain::messages(int rank) const { return state_->messages(rank); }
std::uint64_t VerbsDomain::repairs() const { return state_->repairs(); }
std::size_t VerbsDomain::memory_bytes() const { return state_->memory_bytes(); }
int VerbsDomain::queue_pairs() const { return state_->queue_pairs(); }

}  // namespace jackal::collectives
