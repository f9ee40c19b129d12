#include "transports/tcp/connect.hpp"

#include <net/if.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>

#include "control/bytes.hpp"
#include "control/messages.hpp"
#include "transports/tcp/cables.hpp"
#include "transports/tcp/channel.hpp"
#include "transports/tcp/platform.hpp"
#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// A rank says hello at once; whoever is silent for this long is none.
constexpr auto kStrangerPatience = std::chrono::seconds(10);
constexpr std::size_t kMaxStrangers = 256;
// A link that is there answers within milliseconds; this allows for a lost packet or two.
constexpr auto kLinkPatience = std::chrono::seconds(10);
// Lane 0 of a pair is for messages, lane k + 1 is cable k.
constexpr std::uint16_t kMessages = 0;

// A cable with what the system needs to use it.
struct Route {
  Cable cable;
  std::string key;  // the same on both sides: names the listener
  SocketAddress own;
  SocketAddress far;  // without port
};

struct Listener {
  std::string key;
  UniqueFd fd;
};

SocketAddress numeric(const std::string& address, const std::string& interface) {
  const std::size_t scope = address.find('%');
  const Resolved resolved = resolve({address.substr(0, scope), 0}, Clock::now());
  if (resolved.addresses.empty()) return {};
  SocketAddress made = resolved.addresses.front();
  made.set_scope(scope == std::string::npos ? interface : address.substr(scope + 1));
  return made;
}

// Everything of one connect_lanes() call. One loop moves all handshakes.
class Connecting {
public:
  Connecting(Mesh& mesh, const Job& job, const std::vector<bool>& wanted, Deadline deadline)
      : mesh_(mesh), job_(job), deadline_(deadline), peers_(static_cast<std::size_t>(mesh.size())) {
    for (int rank = 0; rank < mesh.size(); ++rank) {
      if (rank == mesh.rank() || !wanted[static_cast<std::size_t>(rank)]) continue;
      Ahead& peer = peers_[static_cast<std::size_t>(rank)];
      for (const Cable& cable : cables_between(job, mesh.rank(), rank))
        peer.routes.push_back(route(rank, cable));
      peer.lanes.resize(peer.routes.empty() ? 0 : peer.routes.size() + 1);
    }
  }

  /// Where this rank listens, or why it cannot, for all to know.
  std::string listen() {
    std::string problem;
    for (int rank = mesh_.rank() + 1; rank < mesh_.size(); ++rank)
      for (const Route& route : ahead(rank).routes)
        if (problem.empty()) problem = listen_for(rank, route);
    ByteWriter writer;
    writer.text(problem).number(static_cast<std::uint32_t>(listeners_.size()));
    for (const Listener& one : listeners_)
      writer.text(one.key).number(SocketAddress::local_of(one.fd.get()).endpoint().port);
    return writer.bytes();
  }

  void dial_all(const std::vector<std::string>& told) {
    for (int rank = 0; rank < mesh_.size(); ++rank)
      read_listeners(rank, told[static_cast<std::size_t>(rank)]);
    for (int rank = 0; rank < mesh_.rank(); ++rank)
      for (std::size_t lane = 0; lane < ahead(rank).lanes.size(); ++lane)
        dial(rank, static_cast<std::uint16_t>(lane));
  }

  void run() {
    while (!complete()) {
      if (Clock::now() >= deadline_) late();
      wait();
    }
  }

  std::vector<TcpLanes> lanes() {
    std::vector<TcpLanes> made(peers_.size());
    for (int rank = 0; rank < mesh_.size(); ++rank) {
      Ahead& peer = ahead(rank);
      for (std::size_t lane = 0; lane < peer.lanes.size(); ++lane) {
        const std::string far = SocketAddress::remote_of(peer.lanes[lane].get()).text();
        const std::string name = cable_name(far, route_of(rank, lane).cable.interface);
        auto channel = std::make_unique<TcpChannel>(std::move(peer.lanes[lane]), name);
        TcpLanes& to = made[static_cast<std::size_t>(rank)];
        if (lane == kMessages) {
          mesh_.peer(rank).link = name;
          to.messages = std::move(channel);
        } else {
          to.cables.push_back(std::move(channel));
        }
      }
    }
    return made;
  }

private:
  struct Ahead {
    std::vector<Route> routes;
    std::vector<UniqueFd> lanes;                                   // once they stand
    std::vector<std::pair<std::string, std::uint16_t>> listeners;  // of the other side: key, port
  };
  struct Inbound {
    UniqueFd fd;
    FrameReader reader;
    Deadline until;
  };
  struct Outbound {
    UniqueFd fd;
    FrameReader reader;
    Deadline until;
    int rank;
    std::uint16_t lane;
    std::string nonce;
    std::string far;
    bool connected = false;
    std::size_t left = 0;  // bytes of the answer that are still to come
  };

  Ahead& ahead(int rank) { return peers_[static_cast<std::size_t>(rank)]; }
  // Messages go over the first cable.
  const Route& route_of(int rank, std::size_t lane) {
    return ahead(rank).routes[lane == kMessages ? 0 : lane - 1];
  }

  Error error(Code code, const std::string& what, int rank, const std::string& link) const {
    return Error(code, what, rank, mesh_.peer(rank).host, link, "init");
  }

  Route route(int rank, const Cable& cable) const {
    const bool lower = rank < mesh_.rank();  // who is listening there
    if (cable.ip.empty()) {
      const int control = mesh_.peer(rank).control.get();
      Route made{cable, "", SocketAddress::local_of(control), SocketAddress::remote_of(control)};
      made.own.set_port(0);
      made.key = (lower ? made.far : made.own).endpoint().address;
      return made;
    }
    Route made{cable, lower ? cable.peer_ip : cable.ip, numeric(cable.ip, cable.interface), {}};
    // The other side's scope means nothing here.
    made.far = numeric(cable.peer_ip.substr(0, cable.peer_ip.find('%')), "");
    made.far.set_scope_of(made.own);
    return made;
  }

  std::string listen_for(int rank, const Route& route) {
    for (const Listener& one : listeners_)
      if (one.key == route.key) return "";
    const std::string where = cable_name(route.cable.ip, route.cable.interface);
    Opened opened = listen_on(route.own);
    if (!opened.fd)
      return mesh_.name(mesh_.rank()) + " cannot listen for " + mesh_.name(rank) + " at " + where + ": " +
             system_text(opened.error) +
             (opened.error == EADDRNOTAVAIL ? "; the host file gives it an address that it does not have"
                                            : "");
    listeners_.push_back({route.key, std::move(opened.fd)});
    return "";
  }

  void read_listeners(int rank, const std::string& told) {
    ByteReader reader(told);
    const std::string problem = reader.text();
    if (!problem.empty()) throw error(Code::link_down, problem, rank, "");
    const auto count = reader.number<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
      std::string key = reader.text();
      ahead(rank).listeners.emplace_back(std::move(key), reader.number<std::uint16_t>());
    }
    if (!reader.complete())
      throw error(Code::internal, mesh_.name(rank) + " sent a list of addresses that cannot be read", rank,
                  "");
  }

  [[noreturn]] void link_down(int rank, const Route& route, const std::string& far, const std::string& why) {
    const std::string from =
        route.cable.ip.empty() ? "" : " from " + cable_name(route.cable.ip, route.cable.interface);
    throw error(Code::link_down,
                mesh_.name(mesh_.rank()) + " cannot connect to " + mesh_.name(rank) + from + " to " + far +
                    ": " + why + (from.empty() ? "" : "; check that cable's addresses and route"),
                rank, cable_name(far, route.cable.interface));
  }

  void dial(int rank, std::uint16_t lane) {
    const Route& route = route_of(rank, lane);
    SocketAddress far = route.far;
    for (const auto& [key, port] : ahead(rank).listeners)
      if (key == route.key) far.set_port(port);
    const std::string name = far.text();
    if (far.endpoint().port == 0 || route.own.family() != far.family())
      link_down(rank, route, name, "it does not listen there; do all ranks have the same host file?");
    UniqueFd fd = open_stream(far.family());
    if (!fd) link_down(rank, route, name, system_text(errno));
    // The cable is the one whose address this side has.
    if (::bind(fd.get(), route.own.get(), route.own.size()) != 0)
      link_down(rank, route, name, "cannot use its own address: " + system_text(errno));
    if (::connect(fd.get(), far.get(), far.size()) != 0 && errno != EINPROGRESS && errno != EINTR)
      link_down(rank, route, name, system_text(errno));
    const Deadline now = Clock::now();
    const Deadline until = std::min<Deadline>(now + kLinkPatience, now + (deadline_ - now) / 2);
    outbound_.push_back(
        {std::move(fd), FrameReader(job_.secret, kStrangerLimit), until, rank, lane, random_nonce(), name});
  }

  bool complete() const {
    for (const Ahead& peer : peers_)
      for (const UniqueFd& lane : peer.lanes)
        if (!lane) return false;
    return true;
  }

  [[noreturn]] void late() {
    for (int rank = 0; rank < mesh_.size(); ++rank)
      for (std::size_t lane = 0; lane < ahead(rank).lanes.size(); ++lane)
        if (!ahead(rank).lanes[lane]) {
          const Cable& cable = route_of(rank, lane).cable;
          const std::string where = cable_name(cable.ip, cable.interface);
          throw error(Code::timeout,
                      mesh_.name(rank) + " did not connect to " + mesh_.name(mesh_.rank()) +
                          (where.empty() ? "" : " at " + where) + " in time",
                      rank, where);
        }
    throw Error(Code::internal, "nothing is missing", -1, "", "", "init");
  }

  void wait() {
    std::vector<pollfd> entries;
    Deadline until = deadline_;
    for (const Listener& one : listeners_) entries.push_back({one.fd.get(), POLLIN, 0});
    for (const Inbound& one : inbound_) {
      entries.push_back({one.fd.get(), POLLIN, 0});
      until = std::min(until, one.until);
    }
    for (const Outbound& one : outbound_) {
      entries.push_back({one.fd.get(), one.connected ? short{POLLIN} : short{POLLOUT}, 0});
      until = std::min(until, one.until);
    }
    for (int rank = 0; rank < mesh_.size(); ++rank)
      entries.push_back({mesh_.peer(rank).control.get(), POLLIN, 0});
    if (::poll(entries.data(), static_cast<nfds_t>(entries.size()), poll_milliseconds(until)) < 0) {
      if (errno == EINTR) return;
      throw Error(Code::io, "cannot wait for connections: " + system_text(errno), -1, "", "", "init");
    }
    const Deadline now = Clock::now();
    std::size_t at = listeners_.size();
    inbound_.remove_if([&](Inbound& one) {
      const bool ready = entries[at++].revents != 0;
      return ready ? !advance(one) : now >= one.until;
    });
    outbound_.remove_if([&](Outbound& one) {
      if (entries[at++].revents != 0) return !advance(one);
      if (now >= one.until) link_down(one.rank, route_of(one.rank, one.lane), one.far, "no answer");
      return false;
    });
    for (int rank = 0; rank < mesh_.size(); ++rank)
      if (entries[at++].revents != 0) hear(rank);
    for (std::size_t i = 0; i < listeners_.size(); ++i)
      if (entries[i].revents != 0) accept_all(listeners_[i].fd.get());
  }

  void hear(int rank) {
    News news = mesh_.listen(rank);
    for (Frame& frame : news.frames) {
      if (frame.type == FrameType::abort) throw error_of(frame, rank);
      mesh_.peer(rank).kept.push_back(std::move(frame));
    }
    if (news.closed && !mesh_.peer(rank).left)
      throw error(Code::peer_lost, mesh_.name(rank) + " was lost during init: " + mesh_.peer(rank).trouble,
                  rank, mesh_.peer(rank).link);
  }

  void accept_all(int listener) {
    while (UniqueFd fd = accept_stream(listener)) {
      if (inbound_.size() >= kMaxStrangers) inbound_.pop_front();
      inbound_.push_back(
          {std::move(fd), FrameReader(job_.secret, kStrangerLimit), Clock::now() + kStrangerPatience});
    }
    if (out_of_descriptors(errno))
      throw Error(Code::io, "cannot take a connection: " + system_text(errno), -1, "", "", "init");
  }

  void drop(const Inbound& inbound, const std::string& why) {
    mesh_.log().warn("dropped a connection from " + SocketAddress::remote_of(inbound.fd.get()).text() + ": " +
                     why);
  }

  // False: finished, one way or the other.
  bool advance(Inbound& inbound) {
    std::array<char, 1024> chunk;
    const Moved moved = receive_some(inbound.fd.get(), chunk.data(), chunk.size());
    inbound.reader.feed({chunk.data(), moved.bytes});
    const auto frame = inbound.reader.next();
    if (!frame && inbound.reader.problem().empty() && !moved.end && moved.error == 0) return true;
    const auto hello = frame && frame->type == FrameType::hello ? Hello::decode(frame->body) : std::nullopt;
    if (!hello || hello->job != job_.id || hello->purpose != Purpose::data || hello->size != job_.size) {
      drop(inbound, inbound.reader.problem().empty() ? "it is of another job" : inbound.reader.problem());
      return false;
    }
    auto& lanes = ahead(hello->rank).lanes;
    if (hello->rank <= mesh_.rank() || hello->lane >= lanes.size() || lanes[hello->lane]) {
      drop(inbound, "nobody waits for connection " + std::to_string(hello->lane) + " of rank " +
                        std::to_string(hello->rank));
      return false;
    }
    const std::string welcome =
        encode_frame(FrameType::welcome, Welcome{hello->nonce, mesh_.rank()}.encode(), job_.secret);
    // It is the first that is sent here, so it fits.
    if (send_all(inbound.fd.get(), welcome, Clock::now()) == 0) lanes[hello->lane] = std::move(inbound.fd);
    return false;
  }

  bool advance(Outbound& outbound) {
    const Route& route = route_of(outbound.rank, outbound.lane);
    if (!outbound.connected) {
      int result = 0;
      socklen_t size = sizeof result;
      if (::getsockopt(outbound.fd.get(), SOL_SOCKET, SO_ERROR, &result, &size) != 0) result = errno;
      if (result != 0) link_down(outbound.rank, route, outbound.far, system_text(result));
      const Hello hello{Purpose::data,
                        outbound.lane,
                        job_.id,
                        job_.rank,
                        job_.size,
                        outbound.nonce,
                        mesh_.peer(job_.rank).host,
                        {}};
      const int failed = send_all(outbound.fd.get(),
                                  encode_frame(FrameType::hello, hello.encode(), job_.secret), Clock::now());
      if (failed != 0) link_down(outbound.rank, route, outbound.far, system_text(failed));
      outbound.connected = true;
      outbound.left =
          encode_frame(FrameType::welcome, Welcome{outbound.nonce, outbound.rank}.encode(), job_.secret)
              .size();
      return true;
    }
    // Not a byte more than the answer: data may follow at once.
    std::array<char, 256> chunk;
    const Moved moved = receive_some(outbound.fd.get(), chunk.data(), std::min(chunk.size(), outbound.left));
    if (moved.end) link_down(outbound.rank, route, outbound.far, "it closed the connection");
    if (moved.error != 0) link_down(outbound.rank, route, outbound.far, system_text(moved.error));
    outbound.reader.feed({chunk.data(), moved.bytes});
    outbound.left -= moved.bytes;
    const auto frame = outbound.reader.next();
    if (!frame && outbound.left > 0 && outbound.reader.problem().empty()) return true;
    const auto welcome =
        frame && frame->type == FrameType::welcome ? Welcome::decode(frame->body) : std::nullopt;
    if (!welcome || welcome->nonce != outbound.nonce || welcome->rank != outbound.rank)
      link_down(outbound.rank, route, outbound.far, "somebody else answers there");
    ahead(outbound.rank).lanes[outbound.lane] = std::move(outbound.fd);
    return false;
  }

  Mesh& mesh_;
  const Job& job_;
  Deadline deadline_;
  std::vector<Ahead> peers_;
  std::vector<Listener> listeners_;
  std::list<Inbound> inbound_;
  std::list<Outbound> outbound_;
};

}  // namespace

std::vector<TcpLanes> connect_lanes(Mesh& mesh, const Job& job, const std::vector<bool>& wanted,
                                    const ShareBytes& share, Deadline deadline) {
  Connecting connecting(mesh, job, wanted, deadline);
  connecting.dial_all(share(connecting.listen()));
  connecting.run();
  return connecting.lanes();
}

}  // namespace jackal::collectives
