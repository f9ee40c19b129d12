// Groups out of a group: the ranks tell each other their colours, the first of each new group listens, and
// its ranks meet there as those of any job do. Nothing is measured again.
#include <algorithm>
#include <functional>
#include <mutex>

#include "control/bytes.hpp"
#include "control/rendezvous.hpp"
#include "group/communicator.hpp"
#include "group/start_watch.hpp"
#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

constexpr const char* kOperation = "split";

struct Wish {
  std::uint32_t color = 0;
  std::int32_t key = 0;
};

std::vector<Wish> decode_wishes(const std::vector<std::string>& all) {
  std::vector<Wish> wishes;
  for (const std::string& bytes : all) {
    ByteReader reader(bytes);
    Wish wish;
    wish.color = reader.number<std::uint32_t>();
    wish.key = static_cast<std::int32_t>(reader.number<std::uint32_t>());
    if (!reader.complete())
      throw Error(Code::internal, "split: a rank's colour cannot be read", static_cast<int>(wishes.size()),
                  "", "", kOperation);
    wishes.push_back(wish);
  }
  return wishes;
}

// The ranks of the colour of `rank`, in the order of the new group.
std::vector<int> members_of(const std::vector<Wish>& wishes, int rank) {
  const auto wish = [&wishes](int one) { return wishes[static_cast<std::size_t>(one)]; };
  std::vector<int> members;
  for (int other = 0; other < static_cast<int>(wishes.size()); ++other)
    if (wish(other).color == wish(rank).color) members.push_back(other);
  std::stable_sort(members.begin(), members.end(), [&](int a, int b) { return wish(a).key < wish(b).key; });
  return members;
}

// The group while a part of it meets: whoever fails or dies will not come to that meeting.
class GroupWatch final : public Watch {
public:
  /// `control` guards `mesh`; `attend` throws what another thread has ended the group with.
  GroupWatch(Mesh& mesh, std::mutex& control, std::function<void()> attend)
      : ranks_(mesh, Deadline::max(), kOperation), control_(control), attend_(std::move(attend)) {}

  void look() override {
    attend_();
    const std::lock_guard lock(control_);
    ranks_.look();
  }
  [[noreturn]] void lost(int rank, const std::string& why) override {
    const std::lock_guard lock(control_);
    ranks_.lost(rank, why);
  }
  std::span<const int> wake_descriptors() override { return ranks_.wake_descriptors(); }

private:
  StartWatch ranks_;
  std::mutex& control_;
  std::function<void()> attend_;
};

// Its ranks come from wherever they reach this one.
UniqueFd listen_anywhere(int family) {
  Opened opened = listen_on(SocketAddress::any(family));
  if (!opened.fd)
    throw Error(Code::io, std::string("split: cannot listen: ") + system_text(opened.error), -1, "", "",
                kOperation);
  return std::move(opened.fd);
}

// Entry i of what is known by rank becomes that of member i; also within the rows, where `rows` have an entry
// a rank.
template <class T>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<int>& members) {
  std::vector<T> some;
  if (all.empty()) return some;
  for (const int member : members) some.push_back(all[static_cast<std::size_t>(member)]);
  return some;
}

}  // namespace

std::unique_ptr<Communicator> Communicator::split(int color, int key, std::chrono::milliseconds timeout) {
  if (color < 0)
    throw Error(Code::invalid_argument, "split: the colour " + std::to_string(color) + " is negative", -1, "",
                "", kOperation);
  const Deadline deadline = Clock::now() + timeout;
  Request request;
  request.call.operation = Operation::split;
  request.timeout = timeout;
  // Everybody has come to the split, and finds so, or what else they called, as in any other operation.
  run(request);
  if (size_ == 1)
    return std::make_unique<Communicator>(
        Start{Mesh(0, 1, job_.secret, mesh_.log()), job_, settings_, {}, timeout_}, deadline);
  std::unique_ptr<Communicator> made;
  in_turn([&] {
    try {
      made = divide_up(color, key, deadline);
      // Nobody goes on, and perhaps ends a part, before all parts stand.
      const std::lock_guard lock(control_);
      mesh_.share("", deadline, kOperation);
    } catch (const std::exception& error) {
      fail(kOperation, error);
    }
  });
  return made;
}

std::unique_ptr<Communicator> Communicator::divide_up(int color, int key, Deadline deadline) {
  const auto share = [&](const std::string& mine) {
    const std::lock_guard lock(control_);
    return mesh_.share(mine, deadline, kOperation);
  };
  ByteWriter wish;
  wish.number(static_cast<std::uint32_t>(color)).number(static_cast<std::uint32_t>(key));
  const std::vector<int> members = members_of(decode_wishes(share(wish.bytes())), rank_);
  const int first = members.front();

  UniqueFd listener;
  if (first == rank_ && members.size() > 1)
    listener = listen_anywhere(SocketAddress::local_of(mesh_.peer(members[1]).control.get()).family());
  ByteWriter port;
  port.number(listener ? SocketAddress::local_of(listener.get()).endpoint().port : std::uint16_t{0});
  const std::vector<std::string> ports = share(port.bytes());

  Job job;
  job.rank = static_cast<int>(std::find(members.begin(), members.end(), rank_) - members.begin());
  job.size = static_cast<int>(members.size());
  job.id = job_.id + "/" + std::to_string(calls_) + "." + std::to_string(color);
  job.secret = job_.secret;
  job.hosts = chosen(job_.hosts, members);
  job.ips = chosen(job_.ips, members);
  job.links = chosen(job_.links, members);
  for (auto& row : job.links) row = chosen(row, members);
  job.devices = chosen(job_.devices, members);
  for (auto& row : job.devices) row = chosen(row, members);
  // A group needs links of its own; where the cables of all do not join it, the network does.
  if (!part_of(links_.fabric, members).connected()) job.links.clear();
  job.source = kOperation;
  if (first != rank_) {
    SocketAddress there = SocketAddress::remote_of(mesh_.peer(first).control.get());
    there.set_port(ByteReader(ports[static_cast<std::size_t>(first)]).number<std::uint16_t>());
    const std::optional<HostPort> coordinator = parse_host_port(there.text());
    if (!coordinator)
      throw Error(Code::internal, "split: " + mesh_.name(first) + " cannot be met at " + there.text(), first,
                  mesh_.peer(first).host, "", kOperation);
    job.coordinator = *coordinator;
  }

  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  GroupWatch around(mesh_, control_, [this] {
    if (over_) throw ended(kOperation);
  });
  Mesh mesh = job.size == 1 ? Mesh(0, 1, job.secret, mesh_.log())
                            : meet(job, left, mesh_.log(), std::move(listener), &around);
  Settings settings = settings_;
  settings.fabric.reset();  // it is of all ranks; `measured` is the part
  // A part of a ring may have no cables at all, and a connection carries few groups.
  settings.verbs_for.clear();
  if (!links_.verbs) job.devices.clear();
  return std::make_unique<Communicator>(
      Start{std::move(mesh), std::move(job), std::move(settings), part_of(choices_->fabric(), members),
            timeout_, Whole{links_.verbs.get(), members}},
      deadline);
}

}  // namespace jackal::collectives
