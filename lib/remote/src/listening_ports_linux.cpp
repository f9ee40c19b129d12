// Asks the kernel for its listening sockets alone (sock_diag, as ss does): /proc/net/tcp walks every hash
// bucket of every connection, which takes milliseconds on a machine with much memory.
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>

#include "jackal/base/unique_fd.hpp"
#include "listening_ports.hpp"

namespace jackal::remote {
namespace {

/// Adds the ports of one answer; false at the end of the dump, or at what cannot be read.
bool take(const char* bytes, ssize_t size, std::vector<std::uint16_t>& ports) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(bytes);
  auto left = static_cast<unsigned int>(size);
  for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
    const auto* socket = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
    ports.push_back(ntohs(socket->id.idiag_sport));
  }
  return true;
}

void add_ports(int netlink, std::uint8_t family, std::vector<std::uint16_t>& ports) {
  struct {
    nlmsghdr header{};
    inet_diag_req_v2 request{};
  } question;
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question.request.sdiag_family = family;
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = 1U << TCP_LISTEN;
  if (::send(netlink, &question, sizeof question, 0) < 0) return;
  alignas(nlmsghdr) std::array<char, 16 * 1024> answer;
  for (;;) {
    const ssize_t got = ::recv(netlink, answer.data(), answer.size(), 0);
    if (got <= 0 || !take(answer.data(), got, ports)) return;
  }
}

}  // namespace

std::vector<std::uint16_t> listening_ports() {
  std::vector<std::uint16_t> ports;
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink) return ports;
  for (const int family : {AF_INET, AF_INET6})
    add_ports(netlink.get(), static_cast<std::uint8_t>(family), ports);
  return ports;
}

}  // namespace jackal::remote
