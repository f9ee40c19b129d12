// The manual is checked against the reader: every example in it is read, every backend is in it.
#include <sstream>
#include <string>
#include <vector>

#include "hostfile/refusal.hpp"
#include "jackal/base/file.hpp"
#include "support/catch.hpp"

using namespace jackal::hostfile;

namespace {

std::string page() { return jackal::read_file(JACKAL_MAN_DIR "/jackal-hostfile.5", 1 << 20).value(); }

/// As man prints it: \- is a minus sign.
std::string unescaped(std::string line) {
  for (std::size_t at = 0; (at = line.find("\\-", at)) != std::string::npos; ++at) line.erase(at, 1);
  return line;
}

/// The literal displays that hold JSON.
std::vector<std::string> examples() {
  std::vector<std::string> displays;
  std::istringstream lines(page());
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".Bd -literal")) {
      inside = true;
      displays.emplace_back();
    } else if (line == ".Ed") {
      inside = false;
    } else if (inside) {
      displays.back() += unescaped(line) + "\n";
    }
  }
  std::erase_if(displays, [](const std::string& text) { return !text.starts_with("{\n"); });
  return displays;
}

}  // namespace

TEST_CASE("every host file in the manual is read, without a warning") {
  std::vector<std::pair<std::size_t, std::string>> read;
  for (const std::string& example : examples()) {
    CHECK(refusal(example) == "(accepted)");
    const auto file = parse(example, "man").value();
    CHECK(file.warnings.empty());
    read.emplace_back(file.hostfile.hosts.size(), to_string(file.hostfile.backend.value()));
  }
  CHECK(read == std::vector<std::pair<std::size_t, std::string>>{
                    {1, "ring"}, {2, "jaccl"}, {2, "jackal"}, {4, "jaccl"}, {4, "jaccl-ring"}});
}

TEST_CASE("the manual's diagnostic is what the reader says") {
  std::string broken = examples()[1];
  broken.replace(broken.find("\"rdma_en4\""), 10, "null");
  CHECK(refusal(broken) ==
        "h.json:6:49: (/hosts/1/rdma/0) found null, expected the device that reaches rank 0 (m1)");
  CHECK(page().find("hosts.json:6:49: (/hosts/1/rdma/0) found null, expected the device that\n"
                    "reaches rank 0 (m1)\n") != std::string::npos);
}

TEST_CASE("the manual has every backend") {
  std::istringstream names{std::string(backend_names())};
  const std::string text = unescaped(page());
  std::size_t count = 0;
  for (std::string name; std::getline(names >> std::ws, name, ',');) {
    CHECK(text.find("\n.It Cm " + name + "\n") != std::string::npos);
    ++count;
  }
  CHECK(count == 6);
}
