#include "jackal/hostfile/hostfile.hpp"

#include <array>

#include "nearest.hpp"

namespace jackal::hostfile {
namespace {

constexpr std::array<std::pair<Backend, std::string_view>, 6> kBackends{{{Backend::ring, "ring"},
                                                                         {Backend::mpi, "mpi"},
                                                                         {Backend::nccl, "nccl"},
                                                                         {Backend::jaccl, "jaccl"},
                                                                         {Backend::jaccl_ring, "jaccl-ring"},
                                                                         {Backend::jackal, "jackal"}}};

}  // namespace

std::string_view to_string(Backend backend) {
  for (const auto& [value, name] : kBackends) {
    if (value == backend) return name;
  }
  return "";
}

std::optional<Backend> backend_from(std::string_view name) {
  for (const auto& [value, known] : kBackends) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string_view backend_names() { return "ring, mpi, nccl, jaccl, jaccl-ring, jackal"; }

std::string backend_suggestion(std::string_view name) {
  std::array<std::string_view, kBackends.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kBackends[i].second;
  const std::optional<std::string_view> close = nearest(name, names);
  return close ? "did you mean " + std::string(*close) + "?" : "";
}

}  // namespace jackal::hostfile
