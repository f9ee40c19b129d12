#include "launch/dry_run.hpp"

#include <nlohmann/json.hpp>

#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

Job preview(const Words& args, const Words& command) {
  Words all = args;
  all.insert(all.end(), command.begin(), command.end());
  return must(preview_job(options_of(all), layout_of(args)));
}

}  // namespace

TEST_CASE("a dry run prints all that a rank gets, ready to paste", "[dry_run]") {
  const Job job =
      preview({"--hosts", "n1,n2", "--cwd", "/my data", "--env", "A=b c"}, {"echo", "it's", "$x"});
  const std::string text = dry_run_text(job);
  const std::string rank_1 = text.substr(text.find("\nrank 1"));
  CHECK(text.substr(0, text.find("\n\n")) == "backend ring, 2 ranks, coordinator <address of n1>:<port>");
  CHECK(rank_1.substr(0, rank_1.find("  file jackal_hostfile.json")) ==
        "\nrank 1 on n2\n"
        "  directory '/my data'\n"
        "  environment\n"
        "    PYTHONUNBUFFERED=1\n"
        "    A='b c'\n"
        "    JACKAL_JOB='<job id>'\n"
        "    JACKAL_COORDINATOR='<address of n1>:<port>'\n"
        "    JACKAL_SIZE=2\n"
        "    JACKAL_RANK=1\n"
        "    JACKAL_LOCAL_RANK=0\n"
        "    JACKAL_LOCAL_SIZE=1\n"
        "    MLX_RANK=1\n"
        "  file mlx_hostfile.json, its path in MLX_HOSTFILE\n"
        "    [[\"<address of n1>:32323\"], [\"<address of n2>:32324\"]]\n");
  CHECK(rank_1.substr(rank_1.find("  command\n")) == "  command\n    echo it\\'s '$x'\n");
}

TEST_CASE("the JSON of a dry run is versioned and whole", "[dry_run]") {
  const auto json = nlohmann::json::parse(dry_run_json(preview({"-n", "2"}, {"echo", "a b"})));
  CHECK(json["version"] == 1);
  CHECK(json["backend"] == "ring");
  CHECK(json["size"] == 2);
  CHECK(json["coordinator"] == "127.0.0.1:<port>");
  REQUIRE(json["ranks"].size() == 2);
  const auto& rank = json["ranks"][1];
  CHECK(rank["rank"] == 1);
  CHECK(rank["host"] == "127.0.0.1");
  CHECK(rank["argv"] == nlohmann::json{"echo", "a b"});
  CHECK(rank["environment"]["MLX_RANK"] == "1");
  CHECK(rank["files"][0]["variable"] == "MLX_HOSTFILE");
  CHECK(rank["files"][0]["bytes"] == "[[\"127.0.0.1:32323\"], [\"127.0.0.1:32324\"]]\n");
}

TEST_CASE("no form of a dry run shows a secret", "[dry_run]") {
  const Layout layout = layout_of({});
  const Job job = must(plan_job(options_of({"true"}), layout, facts_for(layout), identity()));
  CHECK(dry_run_text(job).find("ssss") == std::string::npos);
  CHECK(dry_run_json(job).find("ssss") == std::string::npos);
  CHECK(nlohmann::json::parse(dry_run_json(job))["ranks"][0]["files"].back()["secret"] == true);
}

TEST_CASE("bytes that are no UTF-8 do not spoil the JSON", "[dry_run]") {
  const auto json = nlohmann::json::parse(dry_run_json(preview({}, {"\xff"})));
  CHECK(json["ranks"][0]["argv"][0] == "\xef\xbf\xbd");
}

TEST_CASE("a dry run of mpi shows mpirun and says what is not known", "[dry_run]") {
  const Job job = preview({"--backend", "mpi", "--hosts", "a,b"}, {"true"});
  CHECK(dry_run_text(job).find("\nmpirun on 127.0.0.1\n") != std::string::npos);
  const auto json = nlohmann::json::parse(dry_run_json(job));
  CHECK(json["through_mpirun"] == true);
  CHECK(json["coordinator"].is_null());
}

TEST_CASE("notes of the plan are part of a dry run", "[dry_run]") {
  const Job job = preview({"--backend", "jackal", "-p", "5000"}, {"true"});
  CHECK(dry_run_text(job).find("\nnote: --starting-port has no effect with backend jackal\n") !=
        std::string::npos);
}

}  // namespace jackal::launch
