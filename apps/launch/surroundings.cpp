#include "launch/surroundings.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "jackal/base/text.hpp"

namespace jackal::launch {
namespace {

namespace fs = std::filesystem;

bool is_executable_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

std::string find_python() {
  constexpr std::string_view kName = "python3";
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(directory.size() < rest.size() ? directory.size() + 1 : rest.size());
    const fs::path candidate = fs::path(directory) / kName;
    if (candidate.is_absolute() && is_executable_file(candidate)) return candidate.string();
  }
  return std::string(kName);
}

// A script that exec would not find or not start: without the execute bit, or without a slash outside PATH.
bool needs_interpreter(const std::string& word) {
  std::error_code ignored;
  if (fs::path(word).extension() != ".py" || !fs::is_regular_file(word, ignored)) return false;
  return word.find('/') == std::string::npos || ::access(word.c_str(), X_OK) != 0;
}

int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : parse_integer<int>(text).value_or(0);
}

// As Python's shutil.get_terminal_size, which mlx.launch asks: the variables first, for each that says
// nothing the terminal.
void measure_terminal(Surroundings& found) {
  found.columns = std::max(0, number_in("COLUMNS"));
  found.lines = std::max(0, number_in("LINES"));
  winsize size{};
  if ((found.columns > 0 && found.lines > 0) || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return;
  if (found.columns == 0) found.columns = size.ws_col;
  if (found.lines == 0) found.lines = size.ws_row;
}

// All that launch sets to say which job and rank it is. CUDA_VISIBLE_DEVICES and PYTHONUNBUFFERED hold for
// whatever a rank starts.
constexpr const char* kNamesOfAJob[] = {"JACKAL_JOB",        "JACKAL_COORDINATOR", "JACKAL_HOSTFILE",
                                        "JACKAL_LOCAL_RANK", "JACKAL_LOCAL_SIZE",  "JACKAL_MPI_HOSTFILE",
                                        "JACKAL_RANK",       "JACKAL_SECRET_FILE", "JACKAL_SIZE",
                                        "MLX_HOSTFILE",      "MLX_IBV_DEVICES",    "MLX_JACCL_COORDINATOR",
                                        "MLX_JACCL_RING",    "MLX_RANK",           "MLX_RING_VERBOSE",
                                        "MLX_WORLD_SIZE",    "NCCL_DEBUG",         "NCCL_HOST_IP",
                                        "NCCL_PORT"};

}  // namespace

void leave_outer_job() {
  if (std::getenv("JACKAL_JOB") == nullptr) return;
  for (const char* name : kNamesOfAJob) ::unsetenv(name);
}

Surroundings look_around(const std::vector<std::string>& command) {
  Surroundings found;
  measure_terminal(found);
  std::error_code ignored;
  found.directory = fs::current_path(ignored).string();
  found.python = find_python();
  found.command_is_script = !command.empty() && needs_interpreter(command.front());
  return found;
}

}  // namespace jackal::launch
