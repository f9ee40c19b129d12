#include "group/links.hpp"

#include <algorithm>

#include "control/bytes.hpp"
#include "fabric/measure.hpp"
#include "group/request.hpp"
#include "group/start_watch.hpp"

namespace jackal::collectives {
namespace {

// What a desk's machines have, roughly; only the order of magnitude matters, and only until it is measured.
constexpr std::int64_t kShmLatency = 500;
constexpr std::int64_t kShmBytes = 5'000'000;
constexpr std::int64_t kVerbsLatency = 10'000;
constexpr std::int64_t kVerbsBytes = 5'000'000;
constexpr std::int64_t kTcpLatency = 30'000;
constexpr std::int64_t kTcpBytes = 2'000'000;
constexpr std::int64_t kStep = 1'000;
constexpr std::int64_t kCopyBytes = 8'000'000;
constexpr std::int64_t kReduceBytes = 5'000'000;
// In place of a number of TCP connections: shared memory, or so many RDMA connections above 64.
constexpr std::uint8_t kShm = 0xff;
constexpr std::uint8_t kVerbs = 64;
constexpr std::uint8_t kMostCables = 63;

// One rank's view of its own links.
struct View {
  std::string settings;
  std::uint32_t cores = 1;
  std::vector<std::uint8_t> links;  // by rank: kShm, kVerbs + cables, or the number of TCP connections
};

std::string encode(const View& view) {
  ByteWriter writer;
  writer.text(view.settings).number(view.cores);
  for (const std::uint8_t link : view.links) writer.number(link);
  return writer.bytes();
}

std::vector<View> decode_all(const std::vector<std::string>& all) {
  std::vector<View> views;
  for (const std::string& bytes : all) {
    ByteReader reader(bytes);
    View view;
    view.settings = reader.text();
    view.cores = reader.number<std::uint32_t>();
    for (std::size_t rank = 0; rank < all.size(); ++rank) view.links.push_back(reader.number<std::uint8_t>());
    if (!reader.complete())
      throw Error(Code::internal,
                  "rank " + std::to_string(views.size()) + " told of its links in a way that cannot be read",
                  static_cast<int>(views.size()), "", "", "init");
    views.push_back(std::move(view));
  }
  return views;
}

std::string text_of(const Settings& settings) {
  const std::string fabric =
      settings.fabric ? std::to_string(extra_of({}, write_fabric(*settings.fabric))) : "none";
  return "JACKAL_ALGORITHM=" + (settings.algorithm.empty() ? "auto" : settings.algorithm) +
         " JACKAL_DETERMINISTIC=" + (settings.deterministic ? "1" : "0") + " JACKAL_FABRIC with digest " +
         fabric;
}

void require_agreement(const Mesh& mesh, const std::vector<View>& views) {
  for (int rank = 1; rank < mesh.size(); ++rank) {
    const std::string& theirs = views[static_cast<std::size_t>(rank)].settings;
    if (theirs == views[0].settings) continue;
    throw Error(Code::mismatch,
                "the ranks' variables differ: " + mesh.name(0) + " has " + views[0].settings + ", " +
                    mesh.name(rank) + " has " + theirs,
                rank, mesh.peer(rank).host, "", "init");
  }
}

// Ranks that share memory, or that the host file puts on one host, are on one host.
std::vector<int> hosts_of(const std::vector<View>& views, const Job& job) {
  std::vector<int> host_of;
  int hosts = 0;
  for (std::size_t rank = 0; rank < views.size(); ++rank) {
    int host = hosts;
    for (std::size_t other = 0; other < rank; ++other) {
      const bool named =
          !job.hosts.empty() && !job.hosts[rank].empty() && job.hosts[rank] == job.hosts[other];
      if (named || views[rank].links[other] == kShm) host = std::min(host, host_of[other]);
    }
    if (host == hosts) ++hosts;
    host_of.push_back(host);
  }
  return host_of;
}

Fabric nominal_fabric(const std::vector<View>& views, const Job& job) {
  Fabric fabric;
  fabric.ranks = static_cast<int>(views.size());
  for (std::size_t from = 0; from < views.size(); ++from)
    for (std::size_t to = 0; to < views.size(); ++to) {
      // Both ends must have it.
      const std::uint8_t link = std::min(views[from].links[to], views[to].links[from]);
      if (link == kShm) {
        fabric.paths.push_back({1, kShmLatency, kShmBytes, "shm"});
      } else if (link > kVerbs) {
        fabric.paths.push_back({link - kVerbs, kVerbsLatency, kVerbsBytes, "verbs"});
      } else {
        fabric.paths.push_back(
            {link, link > 0 ? kTcpLatency : 0, link > 0 ? kTcpBytes : 0, link > 0 ? "tcp" : ""});
      }
    }
  fabric.host_of = hosts_of(views, job);
  fabric.cores_of_host.resize(
      static_cast<std::size_t>(*std::max_element(fabric.host_of.begin(), fabric.host_of.end())) + 1);
  for (std::size_t rank = 0; rank < views.size(); ++rank) {
    int& cores = fabric.cores_of_host[static_cast<std::size_t>(fabric.host_of[rank])];
    cores = std::max(cores, static_cast<int>(std::clamp(views[rank].cores, 1U, 4096U)));
  }
  fabric.step_ns = kStep;
  fabric.copy_bytes_per_ms = kCopyBytes;
  fabric.reduce_bytes_per_ms = kReduceBytes;
  return fabric;
}

// How bytes travel between `own` and `rank`, for a message.
std::string way_between(const Links& links, int own, int rank) {
  const Path& path = links.fabric.path(own, rank);
  if (!path.linked()) return "no link of its own";
  if (path.transport == "shm") return "shared memory";
  if (path.transport != "verbs")
    return "TCP over " + std::to_string(path.cables) +
           (path.cables == 1 ? " connection, " : " connections, ") +
           links.tcp[static_cast<std::size_t>(rank)].cables.front()->name();
  std::string way = "RDMA over";
  for (const Channel* cable : links.verbs->cables(rank)) way += " " + cable->name();
  return way;
}

void say(const Mesh& mesh, const Links& links) {
  for (int rank = 0; rank < mesh.size(); ++rank)
    if (rank != mesh.rank()) mesh.log().info(mesh.name(rank) + ": " + way_between(links, mesh.rank(), rank));
  if (!links.shm->trouble().empty()) mesh.log().warn(links.shm->trouble() + "; TCP is used instead");
}

void require_shm(const Mesh& mesh, const Links& links) {
  if (links.one_memory) return;
  for (int rank = 0; rank < mesh.size(); ++rank) {
    if (rank == mesh.rank() || links.fabric.path(mesh.rank(), rank).transport == "shm") continue;
    const std::string& why = links.shm->trouble();
    throw Error(Code::unavailable,
                "JACKAL_TRANSPORT=shm, but " + mesh.name(mesh.rank()) + " and " + mesh.name(rank) +
                    " share no memory" + (why.empty() ? ": they are not on one host" : ": " + why),
                rank, mesh.peer(rank).host, "", "init");
  }
}

// Throws an Error that names the first rank which no way leads to.
void require_connected(const Mesh& mesh, const Fabric& fabric) {
  for (int rank = 1; rank < fabric.ranks; ++rank) {
    if (next_hop(fabric, 0, rank) >= 0) continue;
    throw Error(Code::link_down,
                "no cable leads from " + mesh.name(0) + " to " + mesh.name(rank) +
                    ", not by way of other ranks either: join them, or leave out the host file's \"links\"",
                rank, mesh.peer(rank).host, "", "init");
  }
}

// Null where no RDMA is to be used, or where it cannot be had and need not.
std::unique_ptr<VerbsDomain> connect_verbs(const Mesh& mesh, const Job& job, const Settings& settings,
                                           const Whole& whole, const std::vector<std::string>& hosts,
                                           const std::vector<bool>& wanted, const ShareBytes& share,
                                           Deadline deadline) {
  if (job.devices.empty()) return nullptr;
  try {
    if (whole.verbs != nullptr)
      return VerbsDomain::part(*whole.verbs, whole.members, mesh.rank(), hosts, wanted, share);
    // Time is left for telling the others what is wrong; who may do without, for making other connections,
    // too.
    const Clock::duration left = deadline - Clock::now();
    const Deadline until = Clock::now() + (settings.verbs_for.empty() ? left / 4 : left * 3 / 4);
    return VerbsDomain::connect(mesh.rank(), mesh.size(), hosts, job.devices, wanted, settings.verbs, share,
                                until);
  } catch (const Error& error) {
    const bool about_rdma = error.code() == Code::unavailable || error.code() == Code::link_down ||
                            error.code() == Code::invalid_argument;
    if (!about_rdma) throw;
    if (!settings.verbs_for.empty())
      throw Error(
          error.code(),
          settings.verbs_for + " asks for RDMA: " + error.what() + " (JACKAL_TRANSPORT=auto does without)",
          error.rank(), error.host, error.link, error.operation);
    mesh.log().warn("no RDMA, TCP is used instead: " + std::string(error.what()));
    return nullptr;
  }
}

// Of the pairs in `wanted` those that are left to TCP: none, where RDMA must carry everything.
void leave_to_tcp(const Links& links, const Settings& settings, std::vector<bool>& wanted) {
  if (!links.verbs) return;
  for (std::size_t rank = 0; rank < wanted.size(); ++rank)
    if (!settings.verbs_for.empty() || !links.verbs->cables(static_cast<int>(rank)).empty())
      wanted[rank] = false;
}

}  // namespace

Lanes Links::lanes(int rank) const {
  Lanes all(tcp.size());
  for (std::size_t to = 0; to < tcp.size(); ++to)
    for (const std::unique_ptr<Channel>& cable : tcp[to].cables) all[to].push_back(cable.get());
  for (std::size_t to = 0; verbs && to < all.size(); ++to)
    if (std::vector<Channel*> cables = verbs->cables(static_cast<int>(to)); !cables.empty())
      all[to] = std::move(cables);
  for (const int member : shm->members())
    if (member != rank) all[static_cast<std::size_t>(member)] = {&shm->channel(member, 1)};
  return all;
}

std::vector<Channel*> Links::messages(int rank) const {
  std::vector<Channel*> all;
  for (const TcpLanes& lanes : tcp) {
    Channel* by_verbs = verbs ? verbs->messages(static_cast<int>(all.size())) : nullptr;
    all.push_back(by_verbs != nullptr ? by_verbs : lanes.messages.get());
  }
  for (const int member : shm->members())
    if (member != rank) all[static_cast<std::size_t>(member)] = &shm->channel(member, 0);
  return all;
}

Fabric measured(const Links& links, Mesh& mesh, Deadline deadline) {
  Surroundings surroundings;
  surroundings.rank = mesh.rank();
  surroundings.size = mesh.size();
  surroundings.lanes = links.lanes(mesh.rank());
  for (int to = 0; to < mesh.size(); ++to)
    surroundings.transports.push_back(links.fabric.path(mesh.rank(), to).transport);
  surroundings.host_of = links.fabric.host_of;
  surroundings.cores = links.shm->crowding().cores;
  surroundings.samples = samples_of(links.fabric);
  StartWatch watch(mesh, deadline, "init");
  surroundings.on_turn = [&](int peer) { watch.measures(peer, way_between(links, mesh.rank(), peer)); };
  return measure(
      surroundings, [&](const std::string& mine) { return mesh.share(mine, deadline); }, watch);
}

Links links_of_one(const Job& job) {
  Links links;
  links.one_memory = true;
  links.fabric = nominal_fabric({View{"", 1, {0}}}, job);
  return links;
}

Links connect_ranks(Mesh& mesh, const Job& job, const Settings& settings, const Whole& whole,
                    Deadline deadline) {
  const auto size = static_cast<std::size_t>(mesh.size());
  const ShareBytes share = [&](const std::string& mine) { return mesh.share(mine, deadline); };
  std::vector<std::string> hosts = job.hosts;
  hosts.resize(size);  // without a host file, who can open whose memory decides
  Links links;
  links.shm = ShmDomain::meet(
      mesh.rank(), hosts, settings.transport == Transport::automatic || settings.transport == Transport::shm,
      share);
  std::vector<bool> wanted(size, true);
  for (const int member : links.shm->members()) wanted[static_cast<std::size_t>(member)] = false;
  wanted[static_cast<std::size_t>(mesh.rank())] = false;
  links.verbs = connect_verbs(mesh, job, settings, whole, hosts, wanted, share, deadline);
  leave_to_tcp(links, settings, wanted);
  links.tcp = connect_lanes(mesh, job, wanted, share, deadline);

  View mine{text_of(settings), static_cast<std::uint32_t>(links.shm->crowding().cores), {}};
  for (const TcpLanes& lanes : links.tcp) {
    const std::size_t by_verbs =
        links.verbs ? links.verbs->cables(static_cast<int>(mine.links.size())).size() : 0;
    const std::size_t cables = std::min<std::size_t>(std::max(by_verbs, lanes.cables.size()), kMostCables);
    mine.links.push_back(static_cast<std::uint8_t>(cables + (by_verbs > 0 ? kVerbs : 0)));
  }
  for (const int member : links.shm->members())
    if (member != mesh.rank()) mine.links[static_cast<std::size_t>(member)] = kShm;
  const std::vector<View> views = decode_all(share(encode(mine)));
  require_agreement(mesh, views);
  links.fabric = nominal_fabric(views, job);
  links.one_memory = true;
  for (std::size_t from = 0; from < size; ++from)
    for (std::size_t to = 0; to < size; ++to)
      if (from != to && views[from].links[to] != kShm) links.one_memory = false;
  if (settings.transport == Transport::shm) require_shm(mesh, links);
  require_connected(mesh, links.fabric);
  say(mesh, links);
  return links;
}

Fabric part_of(const Fabric& fabric, const std::vector<int>& ranks) {
  Fabric part = fabric;
  part.ranks = static_cast<int>(ranks.size());
  part.paths.clear();
  part.host_of.clear();
  for (const int from : ranks) {
    part.host_of.push_back(fabric.host_of[static_cast<std::size_t>(from)]);
    for (const int to : ranks) part.paths.push_back(fabric.path(from, to));
  }
  return part;
}

std::vector<int> next_hops(const Fabric& fabric, int rank) {
  std::vector<int> next;
  for (int to = 0; to < fabric.ranks; ++to) next.push_back(to == rank ? -1 : next_hop(fabric, rank, to));
  return next;
}

bool passes_on(const Fabric& fabric, int rank) {
  if (fabric.complete()) return false;
  for (int from = 0; from < fabric.ranks; ++from)
    for (int to = 0; to < fabric.ranks; ++to) {
      if (from == to || from == rank || to == rank) continue;
      for (int at = next_hop(fabric, from, to); at >= 0 && at != to; at = next_hop(fabric, at, to))
        if (at == rank) return true;
    }
  return false;
}

}  // namespace jackal::collectives
