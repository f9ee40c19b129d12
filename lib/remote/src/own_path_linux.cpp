#include <filesystem>

#include "own_path.hpp"

namespace jackal::remote {

std::string own_directory() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : path.parent_path().string();
}

}  // namespace jackal::remote
