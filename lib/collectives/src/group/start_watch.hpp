// What is watched while a group starts: the deadline, and the other ranks.
#pragma once

#include <vector>

#include "control/mesh.hpp"
#include "transports/watch.hpp"

namespace jackal::collectives {

class StartWatch final : public Watch {
public:
  /// `operation`, "init" or "split", is for messages.
  StartWatch(Mesh& mesh, Deadline deadline, std::string operation)
      : mesh_(mesh), deadline_(deadline), operation_(std::move(operation)) {}

  /// The link with `peer` is measured from now on; `way`, such as "RDMA over rdma_en2", is for messages.
  void measures(int peer, std::string way) {
    peer_ = peer;
    way_ = std::move(way);
  }

  void look() override;
  [[noreturn]] void lost(int rank, const std::string& why) override;
  std::span<const int> wake_descriptors() override;

private:
  void hear(int rank);

  Mesh& mesh_;
  Deadline deadline_;
  std::string operation_;
  int peer_ = -1;  // whose link is measured
  std::string way_;
  std::vector<int> descriptors_;
};

}  // namespace jackal::collectives
