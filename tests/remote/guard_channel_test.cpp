// What the guard's channel makes of a login shell's noise, and of an end whose reason comes late.
#include "guard_channel.hpp"

#include <vector>

#include "guard_script.hpp"
#include "support/catch.hpp"

using namespace jackal::remote;

namespace {

struct Owner : GuardChannel::Owner {
  void guard_refused() override { refused = true; }
  void start_failed(const jackal::Error& error) override { failures.push_back(error.what); }
  void node_heard() override { heard = true; }
  void guard_says(std::string_view message) override { messages.emplace_back(message); }
  void guard_lists(std::string_view listener) override { listeners.emplace_back(listener); }
  void guard_exited(ExitStatus status) override { exits.push_back(status.number); }
  bool begun() const override { return has_begun; }

  bool has_begun = false;
  bool refused = false;
  bool heard = false;
  std::vector<std::string> messages, listeners, failures;
  std::vector<int> exits;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("only lines with the key are the guard's messages, wherever the noise left off") {
  Owner owner;
  GuardChannel guard(owner, "jk1");
  guard.on_output(Stream::out, "Welcome\nprompt> jk1 hel");
  guard.on_output(Stream::out, "lo /tmp/x\njk1 listeners\nLISTEN 0\njk1 thats all\nbye\n");
  CHECK(owner.messages == Texts{"hello /tmp/x", "listeners", "thats all"});
  CHECK(owner.listeners == Texts{"LISTEN 0"});
  CHECK(guard.complaints() == "Welcome\nbye");
}

TEST_CASE("before the job has begun, an end waits for its reason") {
  Owner owner;
  GuardChannel guard(owner, "jk1");
  guard.on_exit({false, 1});
  CHECK(owner.exits.empty());
  guard.on_output(Stream::err, "not today\n");
  guard.on_streams_ended();
  CHECK(owner.exits == std::vector{1});
  CHECK(guard.complaints() == "not today");
}

TEST_CASE("once the job has begun, an end is told at once, and only once") {
  Owner owner;
  owner.has_begun = true;
  GuardChannel guard(owner, "jk1");
  guard.on_exit({true, 9});
  guard.on_streams_ended();
  CHECK(owner.exits == std::vector{9});
}

TEST_CASE("the address that sshd was reached at is the third word of SSH_CONNECTION") {
  CHECK(server_address(" 10.0.0.9 51234 10.0.0.1 22\r") == "10.0.0.1");
  CHECK(server_address("fd00::9 51234 fd00::1 22") == "fd00::1");
  CHECK(server_address("").empty());
  CHECK(server_address("10.0.0.9 51234 10.0.0.1").empty());
}

TEST_CASE("a default route's address comes before the one that sshd was reached at") {
  NodeFacts facts;
  read_fact("source 192.0.2.1 via 10.0.0.1 dev lan src 10.0.0.7 uid 0", facts);
  read_fact("connection 10.0.0.9 51234 10.0.0.1 22", facts);
  CHECK(facts.route_source == "10.0.0.7");
  NodeFacts without_route;
  read_fact("source ", without_route);
  read_fact("connection 10.0.0.9 51234 10.0.0.1 22", without_route);
  CHECK(without_route.route_source == "10.0.0.1");
}
