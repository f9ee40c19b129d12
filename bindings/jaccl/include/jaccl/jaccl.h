// JACCL's configuration and init(), carried out by libjackal. Where RDMA cannot be had, a group runs over
// shared memory and TCP if it has a coordinator's address or an all-gather function; init() says why
// otherwise.
#pragma once

#include "jaccl/group.h"

#define JACKAL_JACCL_API __attribute__((visibility("default")))

namespace jaccl {

class JACKAL_JACCL_API Config {
public:
  Config();
  Config(const Config&);
  Config(Config&&) noexcept;
  Config& operator=(const Config&);
  Config& operator=(Config&&) noexcept;
  ~Config();

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
  /// The same, made when rank and size are known.
  Config& set_all_gather_factory(std::function<AllGatherFn(int rank, int size)> factory);

  bool is_valid_mesh() const;
  /// Both neighbours of every rank are reached, by equally many devices.
  bool is_valid_ring() const;
  /// A mesh or a ring, a rank of it, and a way to meet.
  bool is_valid() const;

  int get_rank() const { return rank_; }
  int get_size() const { return size_; }
  std::string get_coordinator() const { return coordinator_; }
  bool get_prefer_ring() const { return prefer_ring_; }

  /// From JACCL_RANK, JACCL_IBV_DEVICES, JACCL_COORDINATOR and JACCL_RING, or MLX_RANK, MLX_IBV_DEVICES,
  /// MLX_JACCL_COORDINATOR and MLX_JACCL_RING. What is not set is not valid.
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
};

/// There is a verbs library here, and it knows a device.
JACKAL_JACCL_API bool is_available();

/// The group that the environment describes. Not strict: nullptr when there is none; strict: throws why.
JACKAL_JACCL_API std::shared_ptr<Group> init(bool strict = false);
JACKAL_JACCL_API std::shared_ptr<Group> init(bool strict, std::function<AllGatherFn(int, int)> factory);
JACKAL_JACCL_API std::shared_ptr<Group> init(const Config& config, bool strict = false);

}  // namespace jaccl
