#include <charconv>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "env/files.hpp"
#include "jaccl/jaccl.h"

namespace jaccl {
namespace {

constexpr std::size_t kMatrixLimit = 64 << 20;

// The first that is set, and not to nothing.
const char* variable(const char* own, const char* mlx) {
  for (const char* name : {own, mlx})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return nullptr;
}

}  // namespace

Config& Config::set_rank(int rank) {
  rank_ = rank;
  launched_ = false;
  return *this;
}

Config& Config::set_rank(const char* rank) {
  if (rank == nullptr) return *this;
  int value = -1;
  const char* end = rank + std::strlen(rank);
  const auto read = std::from_chars(rank, end, value);
  if (read.ec != std::errc() || read.ptr != end || value < 0)
    throw std::invalid_argument("a rank is a whole number of 0 or more, not \"" + std::string(rank) + "\"");
  return set_rank(value);
}

Config& Config::set_coordinator(std::string coordinator) {
  coordinator_ = std::move(coordinator);
  return *this;
}

Config& Config::set_coordinator(const char* coordinator) {
  return set_coordinator(std::string(coordinator == nullptr ? "" : coordinator));
}

Config& Config::set_devices(std::vector<std::vector<std::vector<std::string>>> devices) {
  for (std::size_t row = 0; row < devices.size(); ++row)
    if (devices[row].size() != devices.size())
      throw std::invalid_argument(
          "row " + std::to_string(row) + " of the device matrix has " + std::to_string(devices[row].size()) +
          " entries, expected one for each of " + std::to_string(devices.size()) + " ranks");
  devices_ = std::move(devices);
  size_ = static_cast<int>(devices_.size());
  launched_ = false;
  return *this;
}

Config& Config::set_devices_from_file(const char* path) {
  if (path == nullptr) return *this;
  const auto text = jackal::collectives::read_text(path, kMatrixLimit);
  if (!text.value) throw std::runtime_error("the device matrix: " + text.problem);
  auto matrix = jackal::collectives::parse_device_matrix(*text.value);
  if (!matrix.value)
    throw std::runtime_error("the device matrix " + std::string(path) + " " + matrix.problem);
  return set_devices(std::move(*matrix.value));
}

Config& Config::prefer_ring(bool prefer) {
  prefer_ring_ = prefer;
  return *this;
}

Config& Config::set_all_gather(AllGatherFn function) {
  all_gather_ = std::move(function);
  return *this;
}

Config& Config::set_all_gather_factory(std::function<AllGatherFn(int, int)> factory) {
  all_gather_factory_ = std::move(factory);
  return *this;
}

bool Config::is_valid_mesh() const {
  for (std::size_t i = 0; i < devices_.size(); ++i)
    for (std::size_t j = 0; j < devices_.size(); ++j)
      if ((i == j) != devices_[i][j].empty()) return false;
  return size_ > 1;
}

bool Config::is_valid_ring() const {
  if (size_ < 2) return false;
  const auto n = static_cast<std::size_t>(size_);
  const std::size_t cables = devices_[0][1].size();
  for (std::size_t i = 0; i < n; ++i)
    if (devices_[i][(i + 1) % n].size() != cables || devices_[i][(i + n - 1) % n].size() != cables)
      return false;
  return true;
}

bool Config::is_valid() const {
  const bool can_meet = !coordinator_.empty() || all_gather_ || all_gather_factory_;
  return rank_ >= 0 && rank_ < size_ && can_meet && (is_valid_mesh() || is_valid_ring());
}

Config Config::from_env() {
  Config config;
  config.set_rank(variable("JACCL_RANK", "MLX_RANK"))
      .set_coordinator(variable("JACCL_COORDINATOR", "MLX_JACCL_COORDINATOR"))
      .set_devices_from_file(variable("JACCL_IBV_DEVICES", "MLX_IBV_DEVICES"))
      .prefer_ring(variable("JACCL_RING", "MLX_JACCL_RING") != nullptr);
  config.launched_ = true;
  return config;
}

}  // namespace jaccl
