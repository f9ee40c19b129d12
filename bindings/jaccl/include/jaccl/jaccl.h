// JACCL's configuration and init(), carried out by libjackal: over shared memory within a host, RDMA between
// hosts where the devices are there, else TCP. JACKAL_TRANSPORT=verbs refuses to do without RDMA.
#pragma once

#include "jaccl/group.h"

#define JACKAL_JACCL_API __attribute__((visibility("default")))

namespace jaccl {

class JACKAL_JACCL_API Config {
public:
  Config& set_rank(int rank);
  /// Throws std::invalid_argument unless it is a whole number of 0 or more. Null: not set.
  Config& set_rank(const char* rank);
  /// "ADDRESS:PORT", where rank 0 listens.
  Config& set_coordinator(std::string coordinator);
  Config& set_coordinator(const char* coordinator);
  /// devices[i][j]: the devices by which rank i reaches rank j. Throws std::invalid_argument unless it is
  /// square.
  Config& set_devices(std::vector<std::vector<std::vector<std::string>>> devices);
  /// The same from a JSON file: null, a name or a list of names for each pair. Null: not set.
  Config& set_devices_from_file(const char* path);
  Config& prefer_ring(bool prefer = true);
  /// Ranks meet by this function instead of at a coordinator's address.
  Config& set_all_gather(AllGatherFn function);
  /// The same, made once, when rank and size are known.
  Config& set_all_gather_factory(std::function<AllGatherFn(int rank, int size)> factory);

  /// Two ranks or more, devices for every pair, none for a rank itself.
  bool is_valid_mesh() const;
  /// Two ranks or more, equally many devices to both neighbours of each. There may be none at all: such a
  /// group does without RDMA.
  bool is_valid_ring() const;
  /// A mesh or a ring, a rank of it, and a way to meet.
  bool is_valid() const;

  int get_rank() const { return rank_; }
  int get_size() const { return size_; }
  std::string get_coordinator() const { return coordinator_; }
  bool get_prefer_ring() const { return prefer_ring_; }

  /// From JACCL_RANK, JACCL_IBV_DEVICES, JACCL_COORDINATOR and JACCL_RING, or else MLX_RANK, MLX_IBV_DEVICES,
  /// MLX_JACCL_COORDINATOR and MLX_JACCL_RING. is_valid() unless one is missing; throws where one cannot be
  /// read.
  static Config from_env();

private:
  friend JACKAL_JACCL_API std::shared_ptr<Group> init(const Config&, bool);

  int rank_ = -1;
  int size_ = 0;
  std::string coordinator_;
  std::vector<std::vector<std::vector<std::string>>> devices_;
  bool prefer_ring_ = false;
  AllGatherFn all_gather_;
  std::function<AllGatherFn(int, int)> all_gather_factory_;
  bool launched_ = false;  // rank and devices are the environment's, so that its host file is of these ranks
};

/// There is a verbs library here, and it knows a device.
JACKAL_JACCL_API bool is_available();

/// The group that the environment describes. Strict: throws why there is none. Not strict: nullptr then, and
/// JACKAL_LOG=error says why on standard error.
JACKAL_JACCL_API std::shared_ptr<Group> init(bool strict = false);
/// The same, but the ranks meet by what `factory` makes.
JACKAL_JACCL_API std::shared_ptr<Group> init(bool strict, std::function<AllGatherFn(int, int)> factory);
/// The group that `config` describes; the environment has no part in who its ranks are.
JACKAL_JACCL_API std::shared_ptr<Group> init(const Config& config, bool strict = false);

}  // namespace jaccl
