#include "jackal/remote/shell.hpp"

#include <vector>

#include "jackal/base/random.hpp"
#include "support/catch.hpp"

using namespace jackal;
using namespace jackal::remote;

namespace {

struct Told {
  std::vector<std::string> lines;
  std::optional<Result<Shell::Outcome>> end;
};

/// Scripts one after another on this machine; `act` may do something once the first line has come.
std::vector<Told> tell(
    const std::vector<std::string>& scripts, const std::function<void(Shell&)>& act = [](Shell&) {}) {
  Loop loop;
  NodeOptions options;
  options.name = "127.0.0.1";
  options.id = "test-" + to_hex(random_bytes(8));
  options.grace = std::chrono::seconds(1);
  Shell shell(loop, options, {[](const NodeFacts&) {}, [](const std::string&) {}});
  std::vector<Told> told(scripts.size());
  std::size_t ended = 0;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    shell.run({scripts[i],
               [&, i](std::string_view line) {
                 told[i].lines.emplace_back(line);
                 act(shell);
               },
               [&, i](Result<Shell::Outcome> outcome) {
                 told[i].end = std::move(outcome);
                 if (++ended == scripts.size()) shell.finish([&] { loop.stop(); });
               }});
  }
  const auto deadline = loop.after(std::chrono::seconds(20), [&] { loop.stop(); });
  loop.run();
  return told;
}

}  // namespace

TEST_CASE("a shell is told one script after another and keeps their outputs apart") {
  const auto told = tell({"printf 'a\\n\\nb'; echo one >&2; echo two >&2; exit 3", "cd /; (exit 0)",
                          "read -r x || echo 'no input'; : >\"$JACKAL_PLACE.mine\" && echo made"});
  REQUIRE(told[0].end);
  CHECK(told[0].end->value().code == 3);
  CHECK(told[0].end->value().out == "a\n\nb");
  CHECK(told[0].lines == std::vector<std::string>{"one", "two"});
  CHECK(told[1].end->value().code == 0);
  CHECK(told[1].end->value().out.empty());
  CHECK(told[2].end->value().out == "no input\nmade\n");
}

TEST_CASE("many lines at once are many lines, and one without end is too much") {
  const auto many = tell({"head -c 300000 /dev/zero | tr '\\0' x | fold -w 100 >&2", "echo next"});
  REQUIRE(many[1].end);
  CHECK(many[0].lines.size() == 3000);
  CHECK(many[1].end->value().out == "next\n");
  const auto endless = tell({"head -c 300000 /dev/zero | tr '\\0' x >&2", "echo next"});
  REQUIRE(endless[1].end);
  CHECK(endless[1].end->error().code == ErrorCode::bad_input);
}

TEST_CASE("a script that is ended leaves the shell to the next one") {
  const auto told =
      tell({"echo begun >&2; exec sleep 1000", "echo next"}, [](Shell& shell) { shell.terminate(); });
  CHECK(told[0].end->value().code == 143);
  CHECK(told[1].end->value().out == "next\n");
}

TEST_CASE("a shell that ends says so to every script that waits") {
  const auto told = tell({"echo begun >&2; kill -KILL $$; exec sleep 1000", "echo next"});
  REQUIRE(told[1].end);
  CHECK(told[0].end->error().code == ErrorCode::lost);
  CHECK(told[1].end->error().code == ErrorCode::lost);
}
