#include <mach-o/dyld.h>

#include <cstdint>
#include <filesystem>

#include "own_path.hpp"

namespace jackal::remote {

std::string own_directory() {
  std::string path(4096, '\0');
  auto size = static_cast<std::uint32_t>(path.size());
  if (_NSGetExecutablePath(path.data(), &size) != 0) return ".";
  std::error_code error;
  const auto resolved = std::filesystem::canonical(path.c_str(), error);
  return error ? "." : resolved.parent_path().string();
}

}  // namespace jackal::remote
