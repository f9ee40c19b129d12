#include "bootstrap.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "transports/tcp/platform.hpp"
#include "transports/tcp/socket.hpp"

namespace jaccl {
namespace {

using jackal::collectives::Opened;
using jackal::collectives::SocketAddress;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Any address on another network: what the kernel would send from is how others reach this machine. Nothing
// is sent.
SocketAddress outside() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(0xc0000201);  // 192.0.2.1, of the documentation's network
  return SocketAddress(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

SocketAddress own_address() {
  const jackal::UniqueFd probe(::socket(AF_INET, SOCK_DGRAM, 0));
  const SocketAddress there = outside();
  if (probe && ::connect(probe.get(), there.get(), there.size()) == 0) {
    SocketAddress here = SocketAddress::local_of(probe.get());
    here.set_port(0);
    return here;
  }
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return SocketAddress(reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback);
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
  return all.data();
}

jackal::Group meet(const Meeting& meeting) {
  const std::string matrix = nlohmann::json(meeting.devices).dump();
  jackal::InitOptions options;
  options.variable = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "JACCL_RANK") return std::to_string(meeting.rank);
    if (name == "JACCL_COORDINATOR") return meeting.coordinator;
    if (name == "JACCL_IBV_DEVICES") return matrix;
    if (name == "JACCL_RING") return meeting.ring ? std::optional<std::string>("1") : std::nullopt;
    // Only what this configuration says counts, and RDMA where it can be had.
    for (const char* other : {"JACKAL_RANK", "JACKAL_SIZE", "JACKAL_COORDINATOR", "JACKAL_HOSTFILE",
                              "MLX_RANK", "MLX_JACCL_RING"})
      if (name == other) return std::nullopt;
    if (name == "JACKAL_TRANSPORT") return variable(name).value_or("auto");
    return variable(name);
  };
  return jackal::init(options);
}

std::string verbs_library_of_environment() { return variable("JACKAL_VERBS_LIBRARY").value_or(""); }

}  // namespace jaccl
