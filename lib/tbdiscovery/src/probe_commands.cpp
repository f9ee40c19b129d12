#include "probe_commands.hpp"

#include <algorithm>

#include "jackal/base/text.hpp"
#include "jackal/remote/quote.hpp"
#include "jackal/tbdiscovery/verify.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

using Commands = std::vector<ProbeCommand>;

std::vector<std::string> shell(const char* text) { return {"sh", "-c", text}; }

// Root needs none.
const char* const kSudo = "[ \"$(id -u)\" != 0 ] || { echo 0; exit; }; sudo -n true; echo $?";

// Where the connection arrived: address and port, the third and fourth words of SSH_CONNECTION; an empty line
// on this machine.
const char* const kMacAddresses =
    "set -- $SSH_CONNECTION; echo \"$3 $4\"; "
    "ipconfig getifaddr \"$(route -n get default | sed -n 's/.*interface: //p')\"";
const char* const kLinuxAddresses =
    "set -- $SSH_CONNECTION; echo \"$3 $4\"; "
    "ip route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \\([^ ]*\\).*/\\1/p'";

// The entries of both directories are links; the slash at the end leads through them.
const char* const kThunderbolt =
    "cd /sys/bus/thunderbolt/devices 2>/dev/null || exit 0; "
    "grep -rs . /sys/bus/thunderbolt/devices/*-*/";
const char* const kInfiniband =
    "cd /sys/class/infiniband 2>/dev/null || exit 0; grep -rs . /sys/class/infiniband/*/";
const char* const kLinuxMachine =
    "echo \"nproc: $(nproc)\"; grep MemTotal /proc/meminfo; "
    "[ ! -r /sys/class/dmi/id/product_name ] || echo \"product_name: $(cat /sys/class/dmi/id/product_name)\"";

std::string lines_for(const Commands& commands) {
  std::string text;
  for (const auto& command : commands) {
    if (!command.instead_of.empty()) continue;
    const auto call = [](const ProbeCommand& one) {
      return "probe " + std::string(one.file) + " " + remote::quote(one.argv);
    };
    text += "{ " + call(command) + "; ";
    for (const auto& other : commands) {
      if (other.instead_of != command.file) continue;
      text += "[ -s \"$d/" + std::string(command.file) + ".out\" ] || " + call(other) + "; ";
    }
    text += "} &\n";
  }
  return text;
}

constexpr std::string_view kStart = R"sh(LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin; export PATH
d=$JACKAL_PLACE.d
rm -rf "$d"; mkdir "$d" || exit 1
echo begun >&2
probe() {
  command -v "$2" >/dev/null 2>&1 || return
  file=$1; shift
  : >"$d/$file.err"
  "$@" </dev/null >"$d/$file.out" 2>"$d/$file.err"
  echo "$?" >"$d/$file.exit"
  echo "done $file" >&2
}
frames() {
  trap '' TERM
  for out in "$d"/*.out; do
    [ -e "$out" ] || continue
    name=${out%.out}; code=-
    # A command that still runs may add to its files: what is counted is a copy.
    cp "$out" "$name.o"; cp "$name.err" "$name.e"
    [ -s "$name.exit" ] && read -r code <"$name.exit"
    echo "file ${name##*/} $code $(($(wc -c <"$name.o"))) $(($(wc -c <"$name.e")))"
    cat "$name.o" "$name.e"
    echo
  done
  echo end
  exit 0
}
trap frames TERM
)sh";

const std::vector<std::string>* argv_of(std::string_view file, bool macos) {
  for (const auto& command : macos ? macos_commands() : linux_commands()) {
    if (command.file == file) return &command.argv;
  }
  return nullptr;
}

tl::unexpected<Error> broken(const std::string& what) {
  return fail({ErrorCode::bad_input, "", "the probe's output is broken: " + what,
               "Save the probes by hand instead, a file a command, and read them with --from-probes."});
}

}  // namespace

const Commands& macos_commands() {
  static const Commands commands = {
      {"os.txt", {"uname", "-sr"}, ""},
      {"system_profiler.json", {"system_profiler", "SPThunderboltDataType", "-json"}, ""},
      {"system_profiler.txt", {"system_profiler", "SPThunderboltDataType"}, "system_profiler.json"},
      {"hardware_ports.txt", {"networksetup", "-listallhardwareports"}, ""},
      {"service_order.txt", {"networksetup", "-listnetworkserviceorder"}, ""},
      {"ibv_devices.txt", {"ibv_devices"}, ""},
      {"ibv_devinfo.txt", {"ibv_devinfo", "-v"}, ""},
      {"rdma_ctl.txt", {"rdma_ctl", "status"}, ""},
      {"ifconfig.txt", {"ifconfig", "-a"}, ""},
      {"routes.txt", {"netstat", "-rn", "-f", "inet"}, ""},
      {"sysctl.txt", {"sysctl", "hw.model", "hw.memsize", "hw.ncpu"}, ""},
      {"sw_vers.txt", {"sw_vers"}, ""},
      {"pmset.txt", {"pmset", "-g"}, ""},
      {"sudo.txt", shell(kSudo), ""},
      {"lan_ip.txt", shell(kMacAddresses), ""},
  };
  return commands;
}

const Commands& linux_commands() {
  static const Commands commands = {
      {"os.txt", {"uname", "-sr"}, ""},
      {"ibv_devices.txt", {"ibv_devices"}, ""},
      {"ibv_devinfo.txt", {"ibv_devinfo", "-v"}, ""},
      {"ip_addr.json", {"ip", "-json", "addr"}, ""},
      {"ip_route.json", {"ip", "-json", "route"}, ""},
      {"thunderbolt.txt", shell(kThunderbolt), ""},
      {"infiniband.txt", shell(kInfiniband), ""},
      {"sysctl.txt", shell(kLinuxMachine), ""},
      {"sw_vers.txt", {"cat", "/etc/os-release"}, ""},
      {"sudo.txt", shell(kSudo), ""},
      {"lan_ip.txt", shell(kLinuxAddresses), ""},
  };
  return commands;
}

std::string probe_script() {
  return std::string(kStart) + "if [ \"$(uname -s)\" = Darwin ]; then\n" + lines_for(macos_commands()) +
         "else\n" + lines_for(linux_commands()) + "fi\nwait\nframes\n";
}

std::string commands_script(const std::vector<NamedCommand>& commands) {
  std::string text(kStart);
  for (const auto& command : commands) {
    text += "probe " + remote::quote(command.file) + " " + remote::quote(command.argv) + " &\n";
  }
  return text + "wait\nframes\n";
}

Result<std::map<std::string, ProbeOutput>> read_frames(std::string_view text) {
  std::map<std::string, ProbeOutput> files;
  while (true) {
    const auto newline = text.find('\n');
    if (newline == std::string_view::npos) return broken("it ends early");
    const auto words = words_of(text.substr(0, newline));
    text.remove_prefix(newline + 1);
    if (words.size() == 1 && words[0] == "end") break;
    if (words.size() != 5 || words[0] != "file") return broken("a frame has no head");
    const auto out = parse_integer<std::size_t>(words[3]);
    const auto err = parse_integer<std::size_t>(words[4]);
    if (!out || !err) return broken("a frame has a wrong head");
    if (*out > text.size() || *err > text.size() - *out || text.size() - *out - *err < 1)
      return broken("it ends early");
    ProbeOutput output;
    output.bytes = text.substr(0, *out);
    output.standard_error = text.substr(*out, *err);
    output.exit = parse_integer<int>(words[2]);
    text.remove_prefix(*out + *err + 1);
    const bool nothing = output.bytes.empty() && output.standard_error.empty();
    if (nothing && output.exit.value_or(0) == 0) continue;
    files.insert_or_assign(std::string(words[1]), std::move(output));
  }
  return files;
}

Result<std::map<std::string, ProbeOutput>> read_probe_frames(std::string_view text) {
  auto files = read_frames(text);
  if (!files) return files;
  const auto& names = probe_file_names();
  const auto os = files->find("os.txt");
  const bool macos = os != files->end() && os->second.bytes.find("Darwin") != std::string::npos;
  for (auto entry = files->begin(); entry != files->end();) {
    auto& [file, output] = *entry;
    if (std::find(names.begin(), names.end(), file) == names.end())
      return broken("it has a frame of no probe");
    if (const auto* argv = argv_of(file, macos)) output.argv = *argv;
    const bool nothing = output.bytes.empty() && output.standard_error.empty();
    entry = nothing ? files->erase(entry) : std::next(entry);
  }
  return files;
}

}  // namespace jackal::tbdiscovery
