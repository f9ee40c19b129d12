// The JSON files that the environment names. They come from outside: everything is checked, nothing assumed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackal::collectives {

/// A value, or why there is none.
template <class T>
struct Read {
  std::optional<T> value = {};
  std::string problem = {};
};

/// One end of a cable, as far as TCP is concerned; "" where it is unknown.
struct Link {
  std::string ip;  // numeric, perhaps with a scope ("fe80::1%en3")
  std::string peer_ip;
  std::string interface;
  bool operator==(const Link&) const = default;
};

/// [rank][other rank]: the RDMA devices by which one reaches the other, in cable order.
using DeviceMatrix = std::vector<std::vector<std::vector<std::string>>>;

struct HostTable {
  std::vector<std::string> names;             // of every rank's host; "" where the file has none
  std::vector<std::vector<std::string>> ips;  // of every rank, those that are numeric
  /// [rank][other rank]: the cables between them in their order, as many in both directions. Empty when the
  /// file has none at all.
  std::vector<std::vector<std::vector<Link>>> links;
  DeviceMatrix devices;  // of "rdma"; empty when the file has none at all
  std::string backend;   // "" when the file names none
};

/// JACKAL_HOSTFILE: {"backend": …, "hosts": [{"ssh": …, "ips": […], "links": […], "rdma": […]}, …]}, one
/// entry a rank. Other keys are skipped.
Read<HostTable> parse_host_table(std::string_view json);

/// MLX_HOSTFILE: [["address:port", …], …], one list a rank; the first address of each. Nothing but white
/// space is one rank without an address.
Read<std::vector<std::string>> parse_ring(std::string_view json);

/// MLX_IBV_DEVICES: a square matrix of null, device or list of devices.
Read<DeviceMatrix> parse_device_matrix(std::string_view json);

/// The whole file, or why not, with its path.
Read<std::string> read_text(const std::string& path, std::size_t limit_bytes);

}  // namespace jackal::collectives
