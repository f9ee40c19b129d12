#include "env/starters.hpp"

#include "control/messages.hpp"
#include "env/files.hpp"
#include "jackal/base/text.hpp"

namespace jackal::collectives {
namespace {

constexpr std::size_t kFileLimit = 64 << 20;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::invalid_argument, what, -1, "", "", "init");
}

// One family's answer: complete, absent (both empty), or incomplete.
struct Attempt {
  std::optional<Start> start = {};
  std::string missing = {};
};

Attempt complete(Start start, const std::string& rank_variable) {
  if (start.rank >= start.size)
    refuse(rank_variable + " is " + std::to_string(start.rank) + ", but the group has " +
           std::to_string(start.size) + " ranks, counted from 0");
  return {std::move(start), ""};
}

std::string file_at(const Variables::Named& variable) {
  Read<std::string> file = read_text(variable.value, kFileLimit);
  if (!file.value) refuse(variable.name + ": " + file.problem);
  return std::move(*file.value);
}

Attempt from_jackal(const Variables& variables) {
  const auto rank = variables.number("JACKAL_RANK", 0, kMaxSize - 1);
  const auto size = variables.number("JACKAL_SIZE", 1, kMaxSize);
  const auto coordinator = variables.host_port("JACKAL_COORDINATOR");
  if (!rank && !size) return {};
  if (!rank) return {{}, "JACKAL_SIZE is set, but JACKAL_RANK is not"};
  if (!size) return {{}, "JACKAL_RANK is set, but JACKAL_SIZE is not"};
  if (*size > 1 && !coordinator) return {{}, "JACKAL_SIZE is above 1, but JACKAL_COORDINATOR is not set"};
  return complete({"JACKAL_*", *rank, *size, coordinator.value_or(HostPort{})}, "JACKAL_RANK");
}

Attempt from_jaccl(const Variables& variables, int rank, const Variables::Named& devices) {
  const auto where = variables.first({"JACCL_COORDINATOR", "MLX_JACCL_COORDINATOR"});
  // A program that configures itself gives the matrix in place of a path.
  const bool inline_matrix = devices.value.starts_with('[');
  Read<DeviceMatrix> matrix = parse_device_matrix(inline_matrix ? devices.value : file_at(devices));
  if (!matrix.value) refuse(devices.name + ": " + devices.value + " " + matrix.problem);
  const int size = static_cast<int>(matrix.value->size());
  if (!where && size > 1)
    return {{}, devices.name + " is set, but neither JACCL_COORDINATOR nor MLX_JACCL_COORDINATOR is"};
  const auto coordinator = where ? variables.host_port(where->name) : HostPort{};
  const bool ring = variables.first({"JACCL_RING", "MLX_JACCL_RING"}).has_value();
  return complete({"JACCL_* and MLX_*", rank, size, *coordinator, std::move(*matrix.value), ring},
                  "MLX_RANK or JACCL_RANK");
}

Attempt from_ring(int rank, const Variables::Named& hostfile) {
  const Read<std::vector<std::string>> ring = parse_ring(file_at(hostfile));
  if (!ring.value) refuse(hostfile.name + ": " + hostfile.value + " " + ring.problem);
  HostPort coordinator;
  if (ring.value->size() > 1) {
    const auto parsed = parse_host_port(ring.value->front());
    if (!parsed)
      refuse(hostfile.name + ": the first address of rank 0 in " + hostfile.value + ", \"" +
             ring.value->front() + "\", is not ADDRESS:PORT");
    coordinator = *parsed;
  }
  return complete({"MLX_HOSTFILE", rank, static_cast<int>(ring.value->size()), coordinator}, "MLX_RANK");
}

Attempt from_mlx(const Variables& variables) {
  const auto named = variables.first({"JACCL_RANK", "MLX_RANK"});
  const auto devices = variables.first({"JACCL_IBV_DEVICES", "MLX_IBV_DEVICES"});
  const auto hostfile = variables.first({"MLX_HOSTFILE"});
  if (!named) {
    if (devices) return {{}, devices->name + " is set, but neither JACCL_RANK nor MLX_RANK is"};
    if (hostfile) return {{}, "MLX_HOSTFILE is set, but MLX_RANK is not"};
    return {};
  }
  const int rank = variables.number(named->name, 0, kMaxSize - 1).value_or(0);
  if (devices) return from_jaccl(variables, rank, *devices);
  if (hostfile) return from_ring(rank, *hostfile);
  const auto size = variables.number("MLX_WORLD_SIZE", 1, kMaxSize);
  const auto host = variables.text("NCCL_HOST_IP");
  const auto port = variables.number("NCCL_PORT", 1, 65535);
  if (size && (*size == 1 || (host && port)))
    return complete({"MLX_RANK and NCCL_*",
                     rank,
                     *size,
                     {host.value_or(""), static_cast<std::uint16_t>(port.value_or(0))}},
                    named->name);
  return {{},
          named->name +
              " is set, but MLX_HOSTFILE, MLX_IBV_DEVICES and MLX_WORLD_SIZE with NCCL_HOST_IP "
              "and NCCL_PORT are not"};
}

// Slurm's own ports end below 20000 and Linux' ephemeral ones start at 32768; launch uses the same range.
HostPort slurm_coordinator(const Variables& variables) {
  const auto nodes = variables.first({"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"});
  const auto job = variables.text("SLURM_JOB_ID");
  if (!nodes || !job) return {};
  const auto node = first_slurm_node(nodes->value);
  const auto job_number = parse_integer<std::uint64_t>(*job);
  if (!node || !job_number) return {};
  const auto step = parse_integer<std::uint64_t>(variables.text("SLURM_STEP_ID").value_or("0")).value_or(0);
  return {*node, static_cast<std::uint16_t>(20000 + (*job_number * 61 + step) % 12000)};
}

Attempt from_starter(const Variables& variables, const std::string& source, const std::string& rank_name,
                     const std::string& size_name) {
  // RANK alone may mean anything to anybody; the other names are nobody else's.
  if (!variables.text(size_name)) return {};
  const auto size = variables.number(size_name, 1, kMaxSize);
  const auto rank = variables.number(rank_name, 0, kMaxSize - 1);
  if (!rank) return {{}, size_name + " is set, but " + rank_name + " is not"};
  HostPort coordinator;
  if (*size > 1) {
    const auto host = variables.text("MASTER_ADDR");
    const auto port = variables.number("MASTER_PORT", 1, 65535);
    if (const auto ours = variables.host_port("JACKAL_COORDINATOR")) {
      coordinator = *ours;
    } else if (host && port) {
      coordinator = {*host, static_cast<std::uint16_t>(*port)};
    } else if (source == "Slurm") {
      coordinator = slurm_coordinator(variables);
    }
    if (coordinator.host.empty())
      return {{},
              source + " has started " + std::to_string(*size) +
                  " ranks, but nothing says where they meet: set JACKAL_COORDINATOR, or MASTER_ADDR and "
                  "MASTER_PORT, to an address and free port of rank 0's host"};
  }
  return complete({source, *rank, *size, coordinator}, rank_name);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace

std::optional<std::string> Variables::text(const std::string& name) const {
  auto value = lookup_(name);
  if (value && value->empty()) value.reset();
  return value;
}

std::optional<Variables::Named> Variables::first(const std::vector<std::string>& names) const {
  for (const std::string& name : names)
    if (auto value = text(name)) return Named{name, *value};
  return std::nullopt;
}

std::optional<int> Variables::number(const std::string& name, int low, int high) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto number = parse_integer<int>(*value);
  if (!number || *number < low || *number > high)
    refuse(name + " is \"" + *value + "\", expected a whole number from " + std::to_string(low) + " to " +
           std::to_string(high));
  return number;
}

std::optional<HostPort> Variables::host_port(const std::string& name) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto parsed = parse_host_port(*value);
  if (!parsed) refuse(name + " is \"" + *value + "\", expected ADDRESS:PORT or [IPV6-ADDRESS]:PORT");
  return parsed;
}

Found find_start(const Variables& variables) {
  const auto attempts = {
      +[](const Variables& all) { return from_jackal(all); },
      +[](const Variables& all) { return from_mlx(all); },
      +[](const Variables& all) {
        return from_starter(all, "Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
      },
      +[](const Variables& all) { return from_starter(all, "PMI", "PMI_RANK", "PMI_SIZE"); },
      +[](const Variables& all) {
        // Not SLURM_NTASKS: a batch script has that, too, and is one process.
        return from_starter(all, "Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS");
      },
      +[](const Variables& all) { return from_starter(all, "WORLD_SIZE", "RANK", "WORLD_SIZE"); },
  };
  Found found;
  for (const auto attempt : attempts) {
    Attempt result = attempt(variables);
    if (result.start) {
      found.start = std::move(result.start);
      return found;
    }
    if (!result.missing.empty()) found.incomplete.push_back(result.missing);
  }
  if (!found.incomplete.empty())
    refuse("this process was started as one of several ranks, but cannot find the others: " +
           joined(found.incomplete));
  found.start = Start{"nothing", 0, 1, {}};
  return found;
}

std::optional<std::string> first_slurm_node(std::string_view list) {
  const std::size_t stop = list.find_first_of("[,");
  std::string name(list.substr(0, stop));
  if (stop != std::string_view::npos && list[stop] == '[') {
    const std::string_view inner = list.substr(stop + 1);
    const std::size_t end = inner.find_first_of("-,]");
    const std::size_t close = inner.find(']');
    if (end == std::string_view::npos || end == 0 || close == std::string_view::npos) return std::nullopt;
    name += inner.substr(0, end);
    const std::string_view rest = inner.substr(close + 1);
    name += rest.substr(0, rest.find(','));
  }
  if (name.empty() || name.find_first_of("[]") != std::string::npos) return std::nullopt;
  return name;
}

}  // namespace jackal::collectives
