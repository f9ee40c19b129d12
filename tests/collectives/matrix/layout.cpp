#include "collectives/matrix/layout.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "jackal/base/unique_fd.hpp"

namespace matrix {
namespace {

constexpr std::array kAll = {Layout::shm,   Layout::tcp,  Layout::two_hosts, Layout::alternating,
                             Layout::chain, Layout::ring, Layout::two_cables};

bool have_addresses() {
  const jackal::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x7f010203);  // 127.1.2.3
  return ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

std::string host_of(Layout layout, int rank, int ranks) {
  if (cabled(layout)) return "h" + std::to_string(rank);
  if (layout == Layout::two_hosts) return rank < (ranks + 1) / 2 ? "a" : "b";
  if (layout == Layout::alternating) return rank % 2 == 0 ? "a" : "b";
  return "a";
}

int cables(Layout layout, int a, int b, int ranks) {
  if (a == b) return 0;
  if (layout == Layout::two_cables) return 2;
  const bool next = a - b == 1 || b - a == 1;
  const bool ends = layout == Layout::ring && (a == 0 || b == 0) && (a == ranks - 1 || b == ranks - 1);
  return next || ends ? 1 : 0;
}

// The address of the end at `near` of cable `cable` to `far`.
std::string address(int cable, int near, int far) {
  return "127." + std::to_string(10 + cable) + "." + std::to_string(near) + "." + std::to_string(far + 1);
}

std::string links(Layout layout, int rank, int ranks) {
  std::string row;
  for (int other = 0; other < ranks; ++other) {
    std::string list;
    for (int cable = 0; cable < cables(layout, rank, other, ranks); ++cable)
      list += (list.empty() ? "" : ", ") + std::string(R"({"ip": ")") + address(cable, rank, other) +
              R"(", "peer_ip": ")" + address(cable, other, rank) + R"("})";
    row += (other == 0 ? "" : ", ") + (list.empty() ? std::string("null") : "[" + list + "]");
  }
  return R"(, "links": [)" + row + "]";
}

}  // namespace

bool cabled(Layout layout) { return layout >= Layout::chain; }

const char* name_of(Layout layout) {
  static constexpr std::array kNames = {"shm",   "tcp",  "two hosts", "alternating hosts",
                                        "chain", "ring", "two cables"};
  return kNames[static_cast<std::size_t>(layout)];
}

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> usable = [] {
    std::vector<Layout> found;
    const bool addresses = have_addresses();
    for (const Layout layout : kAll)
      if (addresses || !cabled(layout)) found.push_back(layout);
    return found;
  }();
  return usable;
}

std::string host_file(Layout layout, int ranks) {
  std::string hosts;
  for (int rank = 0; rank < ranks; ++rank)
    hosts += (rank == 0 ? "" : ", ") + std::string(R"({"ssh": ")") + host_of(layout, rank, ranks) +
             R"(", "ips": ["127.0.0.1"])" + (cabled(layout) ? links(layout, rank, ranks) : "") + "}";
  return R"({"hosts": [)" + hosts + "]}";
}

ranks::Job job(Layout layout, int ranks, const ranks::Directory& directory, const ranks::Variables& more) {
  ranks::Variables variables = more;
  variables.emplace("JACKAL_HOSTFILE", directory.write("hosts.json", host_file(layout, ranks)));
  if (layout == Layout::shm) variables.emplace("JACKAL_TRANSPORT", "shm");
  if (layout == Layout::tcp) variables.emplace("JACKAL_TRANSPORT", "tcp");
  return ranks::Job(ranks, variables);
}

}  // namespace matrix
