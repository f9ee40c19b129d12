#include "bootstrap.hpp"

#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "env/environment.hpp"
#include "transports/tcp/socket.hpp"

namespace jaccl {
namespace {

using jackal::collectives::Opened;
using jackal::collectives::SocketAddress;
using jackal::collectives::variable_of_process;

SocketAddress ipv4(std::uint32_t address, std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  made.sin_addr.s_addr = htonl(address);
  return SocketAddress(reinterpret_cast<const sockaddr*>(&made), sizeof made);
}

// Of the interface that is up and not the loopback, the first; for a desk whose only network are its cables.
std::optional<SocketAddress> address_of_interface() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    const bool usable = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (usable && one->ifa_addr != nullptr && one->ifa_addr->sa_family == AF_INET)
      return SocketAddress(one->ifa_addr, sizeof(sockaddr_in));
  }
  return std::nullopt;
}

// What the kernel would send from to any other network is how others reach this machine. 192.0.2.1 is of the
// documentation's network, and nothing is sent.
SocketAddress own_address() {
  const jackal::UniqueFd probe(::socket(AF_INET, SOCK_DGRAM, 0));
  const SocketAddress there = ipv4(0xc0000201, 9);
  if (probe && ::connect(probe.get(), there.get(), there.size()) == 0) {
    SocketAddress here = SocketAddress::local_of(probe.get());
    here.set_port(0);
    return here;
  }
  return address_of_interface().value_or(ipv4(INADDR_LOOPBACK, 0));
}

std::string free_endpoint() {
  const Opened listener = jackal::collectives::listen_on(own_address());
  return listener.fd ? SocketAddress::local_of(listener.fd.get()).text() : "";
}

}  // namespace

std::string agree_on_coordinator(int rank, int size, const AllGatherFn& all_gather) {
  constexpr std::size_t kLongest = 64;
  std::array<char, kLongest> mine{};
  if (rank == 0) {
    const std::string here = free_endpoint();
    std::copy_n(here.begin(), std::min(here.size(), kLongest - 1), mine.begin());
  }
  std::vector<char> all(kLongest * static_cast<std::size_t>(size));
  all_gather(mine.data(), all.data(), kLongest);
  all[kLongest - 1] = '\0';
  if (all[0] == '\0') throw std::runtime_error("no JACCL group: rank 0 found no address to listen on");
  return all.data();
}

jackal::Group meet(const Meeting& meeting) {
  const std::string matrix = nlohmann::json(meeting.devices).dump();
  const bool same_job = meeting.launched &&
                        variable_of_process("JACKAL_RANK") == std::to_string(meeting.rank) &&
                        variable_of_process("JACKAL_SIZE") == std::to_string(meeting.devices.size());
  jackal::InitOptions options;
  options.variable = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "JACCL_RANK") return std::to_string(meeting.rank);
    if (name == "JACCL_COORDINATOR") return meeting.coordinator;
    if (name == "JACCL_IBV_DEVICES") return matrix;
    if (name == "JACCL_RING") return meeting.ring ? std::optional<std::string>("1") : std::nullopt;
    // Of who the ranks are, only what this configuration says counts.
    for (const char* other : {"JACKAL_RANK", "JACKAL_SIZE", "JACKAL_COORDINATOR", "MLX_JACCL_RING"})
      if (name == other) return std::nullopt;
    if (name == "JACKAL_HOSTFILE" && !same_job) return std::nullopt;
    // RDMA where it can be had.
    if (name == "JACKAL_TRANSPORT") return variable_of_process(name).value_or("auto");
    return variable_of_process(name);
  };
  return jackal::init(options);
}

void log_error(const std::string& text) {
  try {
    jackal::collectives::Log(jackal::collectives::read_log_level(variable_of_process), -1).error(text);
  } catch (const jackal::Error&) {
    // The variable is malformed; init() has said so where somebody listens.
  }
}

std::string verbs_library_of_environment() {
  return variable_of_process("JACKAL_VERBS_LIBRARY").value_or("");
}

}  // namespace jaccl
