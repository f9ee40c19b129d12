#include "guard_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <sstream>

#include "jackal/base/text.hpp"
#include "jackal/remote/quote.hpp"

namespace jackal::remote {
namespace {

// `kill -NAME -GROUP` is the one form that dash, bash, busybox and zsh all take.
// `sleep` takes whole seconds only in POSIX, and dash has no `read -t`: hence loops of one second and a
// watchdog of its own. `kill -0` on a group whose members are all dead but not yet reaped still succeeds, so
// the wait is bounded.
constexpr std::string_view kFunctions = R"sh(umask 077
LC_ALL=C; export LC_ALL
trap '' HUP INT QUIT PIPE
count=0; dog=
say() { printf '%s %s\n' "$key" "$*"; }
group() {
  pid=; [ -s "$dir/$1.pid" ] && read -r pid <"$dir/$1.pid"
  [ -n "$pid" ] && [ "$pid" != none ]
}
grace() { grace=$1; }
claim() {
  set -C; { true >"$dir/$1.pid"; } 2>/dev/null; claimed=$?; set +C
  [ "$claimed" -ne 0 ] || return
  while [ -e "$dir/$1.pid" ] && ! [ -s "$dir/$1.pid" ] && [ "$tries" -lt 3 ]; do
    sleep 1; tries=$((tries + 1))
  done
}
each() {
  any=1; rank=0
  while [ "$rank" -lt "$count" ]; do
    if group "$rank" && kill "-$1" "-$pid" 2>/dev/null; then any=0; fi
    rank=$((rank + 1))
  done
  return "$any"
}
finish() {
  [ "$count" -gt 0 ] || { [ -s "$dir/count" ] && read -r count <"$dir/count"; }
  rank=0; tries=0
  while [ "$rank" -lt "$count" ]; do
    claim "$rank"
    rank=$((rank + 1))
  done
  if each 0; then
    each TERM; each CONT; waited=0
    while each 0 && [ "$waited" -lt "$grace" ]; do sleep 1; waited=$((waited + 1)); done
    each KILL; waited=0
    while each 0 && [ "$waited" -lt 2 ]; do sleep 1; waited=$((waited + 1)); done
    rank=0
    while [ "$rank" -lt "$count" ]; do
      group "$rank" && kill -0 "-$pid" 2>/dev/null && say left "$pid"
      rank=$((rank + 1))
    done
  fi
  [ -e "$dir/coordinator-busy" ] && say busy
  rank=0
  while [ "$rank" -lt "$count" ]; do
    [ -s "$dir/$rank.path" ] && read -r searched <"$dir/$rank.path" && say path "$rank" "$searched"
    rank=$((rank + 1))
  done
}
watchdog() {
  trap 'kill "$!"; exit 0' TERM
  seen=; quiet=0
  while :; do
    sleep "$tick" &
    wait "$!"
    read -r now <"$dir/beat" || exit 0
    if [ "$now" = "$seen" ]; then quiet=$((quiet + 1)); else quiet=0; seen=$now; fi
    if [ "$quiet" -ge 5 ]; then
      finish
      rm -rf "$dir"
      kill -KILL "$$"
      exit 0
    fi
  done
}
beat() { echo "$1" >"$dir/beat"; say beat "$1"; }
watch() {
  echo 0 >"$dir/beat" || { say failed; exit 1; }
  if [ "$tick" -gt 0 ]; then watchdog </dev/null >/dev/null 2>&1 & dog=$!; fi
}
leave() {
  finish
  if [ -n "$dog" ]; then kill -TERM "$dog" 2>/dev/null; wait "$dog"; fi
  exec rm -rf "$dir"
}
guard() {
  { echo "$count" >"$dir/count" && echo $$ >"$dir/guard.pid"; } || { say failed; exit 1; }
  say ready
  while read -r verb first second; do
    case $verb in
      beat) beat "$first" ;;
      grace) grace "$first" ;;
      sig) group "$second" && kill "-$first" "-$pid" 2>/dev/null ;;
      ended) group "$first" && ! kill -0 "-$pid" 2>/dev/null && echo none >"$dir/$first.pid" ;;
    esac
  done
  exit 0
}
)sh";

// The first place that takes a directory of ours and a file in it; what is said of each goes to standard
// error, for the message. A path that would need quoting is none: the words that we run hold it as it is.
constexpr std::string_view kDirectory = R"sh(dir=
trap leave EXIT
for place in /tmp "${TMPDIR-}" "${HOME-}"; do
  case $place in *[!A-Za-z0-9/._-]*) continue ;; /*) ;; *) continue ;; esac
  try=$place/jackal-$id
  mkdir -m 700 "$try" || continue
  if echo 0 >"$try/beat"; then dir=$try; break; fi
  rm -rf "$try"
done
[ -n "$dir" ] || { say nodir; exit 1; }
watch
)sh";

// ss asks for the listening sockets alone; /proc/net/tcp walks every hash bucket of every connection, and a
// loop of `read` over it would make the kernel walk once a byte.
constexpr std::string_view kBusyPorts = R"sh(say listeners
if command -v ss >/dev/null; then ss -Hltn
elif [ -r /proc/net/tcp ]; then sed -n 's/^[^:]*: *\([^ ]*\) [^ ]* 0A .*/hex \1/p' /proc/net/tcp /proc/net/tcp6
else netstat -an
fi 2>/dev/null
)sh";

constexpr std::string_view kRouteSource = R"sh(if command -v ip >/dev/null; then
  say source "$(ip -4 route get 192.0.2.1 2>/dev/null)"
else
  say source "src $(ipconfig getifaddr "$(route -n get default 2>/dev/null | sed -n 's/.*interface: //p')")"
fi
say connection "${SSH_CONNECTION-}"
)sh";

/// The script that becomes the program. The key on both streams says where the program's own bytes begin; it
/// comes as late as can be, so that a complaint of the shell about a locale is not taken for the program's.
Result<std::string> process_script(const std::string& directory, const std::string& key, std::size_t index,
                                   const Command& command) {
  // Where a login shell or a forced command stays in between, we do not lead the group that signals are for.
  std::string script =
      "kill -0 -$$ 2>/dev/null || {\n"
      "  command -v setsid >/dev/null && exec setsid /bin/sh \"$0\"\n"
      "  echo \"launch: the login shell stays in between and there is no setsid: the program could not be "
      "ended\" >&2\n"
      "  exit 126\n}\n";
  // The umask is the program's to keep. It goes through a file, which the guard has made, since `$(umask)`
  // forks.
  const std::string mask = fmt::format("{}/{}.umask", directory, index);
  script += fmt::format("umask >{0} && read -r _launch_umask <{0} && umask 077 || exit 126\n", mask);
  script += fmt::format("set -C; echo $$ >{}/{}.pid || exit 126; set +C\n", directory, index);
  const std::string begin = fmt::format("printf %s {0}; printf %s {0} >&2", key);
  if (auto good = check_environment(command); !good) return fail(good.error());
  std::map<std::string, std::string> variables;
  for (const auto& [name, value] : command.environment) variables[name] = value;
  for (const File& file : command.files) {
    if (!file.variable.empty()) variables[file.variable] = directory + "/" + file.name;
  }
  for (const auto& [name, value] : variables) {
    script += fmt::format("export {}={}\n", name, quote(value));
  }
  if (!command.directory.empty()) {
    // "./" keeps a leading "-" from being an option and CDPATH out of it.
    const std::string path = command.directory.front() == '/' ? command.directory : "./" + command.directory;
    const std::string otherwise =
        command.directory_required
            ? fmt::format("{{ {}; echo {} >&2; exit 126; }}", begin,
                          quote("launch: cannot change to the directory " + command.directory))
            : ":";
    script += fmt::format("cd {} 2>/dev/null || {}\n", quote(path), otherwise);
  }
  const bool searched = !command.argv.empty() && command.argv[0].find('/') == std::string::npos;
  if (searched) {
    script += fmt::format("command -v {} >/dev/null 2>&1 || echo \"$PATH\" >{}/{}.path\n",
                          quote(command.argv[0]), directory, index);
  }
  return script + "umask \"$_launch_umask\"\n" + begin + "\nexec " + quote(command.argv) + "\n";
}

}  // namespace

std::string printf_command(std::string_view bytes) {
  constexpr std::string_view plain = " !\"#$&()*+,-./:;<=>?@[]^_`{|}~";
  std::string format;
  for (const char c : bytes) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || plain.find(c) != std::string_view::npos) {
      format += c;
    } else {
      format += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    }
  }
  // A format that starts with "-" would be taken for an option by some; octal never is.
  if (!format.empty() && format.front() == '-') format.replace(0, 1, "\\055");
  return "printf '" + format + "'";
}

namespace {

std::string functions(const GuardOptions& options) {
  const auto tick = options.silence.count() == 0 ? 0 : std::max<long long>(1, options.silence.count() / 6);
  const auto grace = std::min(options.grace, kGraceAlone).count();
  return fmt::format("key={}; id={}; grace={}; tick={}\n", options.key, options.id, grace, tick) +
         std::string(kFunctions);
}

}  // namespace

std::string guard_prelude(const GuardOptions& options) {
  std::string script = functions(options);
  script += kDirectory;
  if (options.want_busy_ports) script += kBusyPorts;
  if (options.want_route_source) script += kRouteSource;
  return script + "say hello \"$dir\"\n";
}

Result<std::string> guard_setup(const std::string& directory, const std::string& key,
                                const std::vector<Command>& commands) {
  std::string script = fmt::format("count={}\n", commands.size());
  const auto add_file = [&](const std::string& name, std::string_view bytes) {
    script += fmt::format("{} >{}/{} || {{ say failed; exit 1; }}\n", printf_command(bytes), directory, name);
  };
  std::set<std::string> written;
  for (std::size_t index = 0; index < commands.size(); ++index) {
    for (const File& file : commands[index].files) {
      if (written.insert(file.name).second) add_file(file.name, file.bytes);
    }
    auto process = process_script(directory, key, index, commands[index]);
    if (!process) return fail(process.error());
    add_file(fmt::format("{}.sh", index), *process);
    add_file(fmt::format("{}.umask", index), "");
  }
  return script + "guard\n";
}

std::string guard_rescue(const GuardOptions& options, const std::string& directory, std::size_t processes) {
  return functions(options) +
         fmt::format("dir={}; count={}\nfinish\nexec rm -rf \"$dir\"\n", directory, processes);
}

Error guard_ended(const std::string& node, ExitStatus status) {
  return {ErrorCode::lost, node,
          fmt::format("the guard of the job's processes was ended by {} {}",
                      status.signalled ? "signal" : "code", status.number),
          "Somebody ended it, or the machine was out of memory; nothing of the job is left there. Start it "
          "again."};
}

std::vector<std::string> process_words(const std::string& directory, std::size_t index) {
  return {"/bin/sh", fmt::format("{}/{}.sh", directory, index)};
}

void read_fact(std::string_view line, NodeFacts& facts) {
  const std::size_t source = line.find("src ");
  if (line.starts_with("source ") && source != std::string_view::npos) {
    const std::string_view rest = line.substr(source + 4);
    facts.route_source = rest.substr(0, rest.find(' '));
  } else if (line.starts_with("connection ") && facts.route_source.empty()) {
    facts.route_source = server_address(line.substr(line.find(' ') + 1));
  }
}

std::string server_address(std::string_view connection) {
  std::istringstream fields{std::string(connection)};
  std::string client, client_port, server, port;
  return fields >> client >> client_port >> server >> port ? server : "";
}

void read_listener(std::string_view line, NodeFacts& facts) {
  std::istringstream fields{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; fields >> word;) words.push_back(word);
  // hex 0100007F:1F90 · LISTEN 0 128 [::]:22 [::]:* (ss) · tcp4 0 0 *.22 *.* LISTEN (netstat)
  std::string_view address;
  int base = 10;
  if (words.size() == 2 && words[0] == "hex") {
    address = words[1];
    base = 16;
  } else if (words.size() >= 4 && (words[0] == "LISTEN" || words.back() == "LISTEN")) {
    address = words[3];
  }
  const std::string_view digits = address.substr(address.find_last_of(".:") + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port, base);
  if (error == std::errc{} && end == digits.data() + digits.size()) facts.busy_ports.push_back(port);
}

}  // namespace jackal::remote
