// One RDMA device, opened, with what all connections over it share: protection domain, completion queue,
// slabs of registered memory. Everything it made is destroyed in order, on every path out.
#pragma once

#include <string>
#include <vector>

#include "error.hpp"
#include "transports/verbs/library.hpp"
#include "transports/verbs/limits.hpp"

namespace jackal::collectives {

enum class LimitProfile { automatic, apple, device };

/// "EBUSY: …" in words, for the call that returned `number` (an errno): what it means there and what to do.
std::string verbs_trouble(const std::string& call, int number);
/// "local length error" for IBV_WC_LOC_LEN_ERR.
std::string completion_text(ibv_wc_status status);

/// The index of the GID that carries an IPv4 address, wherever the table has it; -1 when none does.
int find_ipv4_gid(const std::vector<ibv_gid>& table);

class Device {
public:
  /// Opens the device `name` and waits until `deadline` for its port to be active and to have an IPv4 GID.
  /// Throws Error (unavailable, link_down) that names the device and says what to do.
  Device(const VerbsLibrary& library, const std::string& name, LimitProfile profile, Deadline deadline);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& name() const { return name_; }
  const DeviceLimits& limits() const { return limits_; }
  const ibv_gid& gid() const { return gid_; }
  std::uint16_t lid() const { return port_.lid; }
  ibv_mtu mtu() const { return port_.active_mtu; }

  /// Protection domain and completion queue of `completions` entries.
  void allocate(int completions);
  /// One more slab: `bytes` of zeroed registered memory. Throws Error.
  std::byte* add_slab(std::size_t bytes);

  /// A queue pair of unreliable connections in state INIT. Throws Error.
  ibv_qp* create_queue_pair(int sends, int receives, int frames_each);
  void connect(ibv_qp* qp, std::uint32_t psn, const ibv_gid& gid, std::uint16_t lid, std::uint32_t number,
               std::uint32_t peer_psn, ibv_mtu mtu);
  void post_send(ibv_qp* qp, std::uint64_t id, const std::byte* bytes, std::size_t size);
  void post_receive(ibv_qp* qp, std::uint64_t id, std::byte* bytes, std::size_t size);

  /// Up to `most` completions; their number.
  int poll(ibv_wc* completions, int most);

  /// Why nothing can be carried any more (port down, device gone); "" while it can. A system call.
  std::string port_trouble() const;

  /// Destroys everything, in order; only the slabs' memory stays readable. The device is of no more use.
  void release() noexcept;

private:
  Error error(Code code, const std::string& what) const;
  void open(Deadline deadline);
  void await_port(Deadline deadline);
  void await_gid(Deadline deadline);
  void await_a_moment() const;
  void close() noexcept;
  std::uint32_t key_of(const std::byte* bytes) const;

  struct Slab {
    std::byte* memory = nullptr;
    std::size_t bytes = 0;
    ibv_mr* region = nullptr;
  };

  const VerbsLibrary& library_;
  std::string name_;
  LimitProfile profile_;
  DeviceLimits limits_;
  ibv_context* context_ = nullptr;
  ibv_pd* pd_ = nullptr;
  ibv_cq* cq_ = nullptr;
  std::vector<Slab> slabs_;
  std::vector<ibv_qp*> queue_pairs_;
  ibv_port_attr port_{};
  ibv_gid gid_{};
  int gid_index_ = -1;
};

}  // namespace jackal::collectives
