// What is watched while a group starts and its links are measured: the deadline of init(), and the other
// ranks.
#pragma once

#include <vector>

#include "control/mesh.hpp"
#include "transports/watch.hpp"

namespace jackal::collectives {

class StartWatch final : public Watch {
public:
  StartWatch(Mesh& mesh, Deadline deadline) : mesh_(mesh), deadline_(deadline) {}

  void look() override;
  [[noreturn]] void lost(int rank, const std::string& why) override;
  std::span<const int> wake_descriptors() override;

private:
  void hear(int rank);

  Mesh& mesh_;
  Deadline deadline_;
  std::vector<int> descriptors_;
};

}  // namespace jackal::collectives
