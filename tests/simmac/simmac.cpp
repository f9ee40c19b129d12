// Every command of a simulated Mac in one program: under the name of a command it is that command.
//
//   simmac up-words FILE   what `cluster up` needs for this description, a word a line
//   simmac boot FILE          makes this node the Mac that FILE describes
//   simmac restart            restarts it
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "jackal/base/file.hpp"
#include "simmac/commands.hpp"

namespace jackal::simmac {

const std::map<std::string, Command>& commands() {
  static const std::map<std::string, Command> all = {{"uname", uname},
                                                     {"system_profiler", system_profiler},
                                                     {"networksetup", networksetup},
                                                     {"ibv_devices", ibv_devices},
                                                     {"ibv_devinfo", ibv_devinfo},
                                                     {"rdma_ctl", rdma_ctl},
                                                     {"ifconfig", ifconfig},
                                                     {"route", route},
                                                     {"netstat", netstat},
                                                     {"sysctl", sysctl},
                                                     {"sw_vers", sw_vers},
                                                     {"pmset", pmset},
                                                     {"ipconfig", ipconfig},
                                                     {"launchctl", launchctl},
                                                     {"ping", ping},
                                                     {"nc", nc}};
  return all;
}

namespace {

constexpr std::size_t kMostBytes = 8U << 20;

int complain(const std::string& text) {
  std::fprintf(stderr, "simmac: %s\n", text.c_str());
  return 1;
}

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// Does what the description says of this command before it may work; a code when it may not.
std::optional<int> misbehave(const Mac& mac, const std::string& name) {
  const auto& behaviours = mac.description.commands[mac.self];
  auto found = behaviours.find(name);
  if (found == behaviours.end()) found = behaviours.find("*");
  if (found == behaviours.end()) return std::nullopt;
  const Behaviour& behaviour = found->second;
  std::this_thread::sleep_for(std::chrono::duration<double>(behaviour.seconds));
  if (behaviour.hangs) {
    while (true) ::pause();
  }
  if (!behaviour.exit) return std::nullopt;
  std::fputs(behaviour.output.c_str(), stdout);
  std::fputs(behaviour.error.c_str(), stderr);
  return behaviour.exit;
}

/// A command that the description speaks of and nobody plays, or "".
std::string unknown_command(const Description& description) {
  for (const auto& behaviours : description.commands) {
    for (const auto& [name, behaviour] : behaviours) {
      if (name != "*" && name != "sudo" && commands().count(name) == 0) return name;
    }
  }
  return "";
}

int run(const std::string& name, const Words& words) {
  const bool is_command = commands().count(name) != 0 || name == "sudo";
  const std::string verb = words.empty() ? "" : words.front();
  const bool reads_file = words.size() == 2 && (verb == "up-words" || verb == "boot");
  if (!is_command && !reads_file && words != Words{"restart"}) {
    return complain("usage: simmac up-words FILE | boot FILE | restart");
  }
  const std::string file = !is_command && reads_file ? words[1] : kDescriptionFile;
  const auto text = read_file(file, kMostBytes);
  if (!text) return complain(text.error().text());
  const auto description = read_description(*text, file);
  if (!description) return complain(description.error().text());
  if (!is_command && verb == "up-words") {
    if (const auto unknown = unknown_command(*description); !unknown.empty()) {
      return complain(fmt::format("{}: {} is no command of a simulated Mac", file, unknown));
    }
    for (const auto& word : up_words(*description)) std::puts(word.c_str());
    return 0;
  }
  const auto self = description->machine(host_name());
  if (!self) return complain(fmt::format("{} describes no machine {}", file, host_name()));
  const Mac mac{*description, *self};
  if (!is_command && verb == "boot") {
    std::filesystem::create_directories(kHome);
    if (const auto kept = write_file(kDescriptionFile, *text); !kept) return complain(kept.error().text());
    return boot(mac);
  }
  if (!is_command) return restart(mac);
  if (const auto code = misbehave(mac, name)) return *code;
  return name == "sudo" ? sudo(mac, words) : commands().at(name)(mac, words);
}

}  // namespace
}  // namespace jackal::simmac

int main(int argc, char** argv) {
  const std::string name = std::filesystem::path(argv[0]).filename();
  const int code = jackal::simmac::run(name, {argv + 1, argv + argc});
  return std::fflush(stdout) == 0 ? code : 1;
}
