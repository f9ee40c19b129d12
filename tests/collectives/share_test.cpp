#include <atomic>

#include "collectives/meshes.hpp"
#include "control/messages.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

Deadline soon() { return Clock::now() + std::chrono::seconds(30); }

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every rank gets every rank's bytes, share after share") {
  const int size = GENERATE(2, 5);
  std::atomic<int> wrong = 0;
  const auto thrown = ranks::meet_and_run(ranks::jobs(size), [&](Mesh& mesh, const Job&) {
    for (std::size_t round = 0; round < 50; ++round) {
      const auto all = mesh.share(std::string(round * 97, static_cast<char>('a' + mesh.rank())), soon());
      for (int rank = 0; rank < size; ++rank)
        if (all[static_cast<std::size_t>(rank)] != std::string(round * 97, static_cast<char>('a' + rank)))
          ++wrong;
    }
  });
  for (const std::string& one : thrown) CHECK(one.empty());
  CHECK(wrong == 0);
}

TEST_CASE("as much as may be shared goes, and no more") {
  const std::size_t most = kRankLimit / 3 - 8;
  const auto thrown = ranks::meet_and_run(ranks::jobs(3), [&](Mesh& mesh, const Job&) {
    const auto all = mesh.share(std::string(most, 'x'), soon());
    if (all[2].size() != most) throw std::runtime_error("cut");
    mesh.share(std::string(most + 1, 'x'), soon());
  });
  for (const std::string& one : thrown) CHECK(contains(one, "are too many to share"));
}

TEST_CASE("a group of one shares with itself") {
  Mesh mesh(0, 1, "", Log());
  CHECK(mesh.share("mine", Clock::now()) == std::vector<std::string>{"mine"});
}

TEST_CASE("a rank that leaves before it has shared is named to all") {
  const auto thrown = ranks::meet_and_run(ranks::jobs(3), [](Mesh& mesh, const Job&) {
    if (mesh.rank() != 2) mesh.share("", soon());
  });
  CHECK(contains(thrown[0], "peer_lost 2: init: rank 2"));
  CHECK(contains(thrown[0], "has left the group"));
  CHECK(contains(thrown[1], "peer_lost 2: init: rank 2"));
  CHECK(thrown[2].empty());
}

TEST_CASE("rank 0 that leaves is named, too") {
  const auto thrown = ranks::meet_and_run(ranks::jobs(3), [](Mesh& mesh, const Job&) {
    if (mesh.rank() != 0) mesh.share("", soon());
  });
  CHECK(contains(thrown[1], "peer_lost 0"));
  CHECK(contains(thrown[2], "peer_lost 0"));
}

TEST_CASE("a rank that does not come in time is named to all") {
  std::atomic<int> waiting = 2;
  const auto thrown = ranks::meet_and_run(ranks::jobs(3), [&](Mesh& mesh, const Job&) {
    if (mesh.rank() == 1) {
      while (waiting > 0) std::this_thread::yield();
      return;
    }
    try {
      mesh.share("", Clock::now() + std::chrono::milliseconds(50), "split");
    } catch (const Error& error) {
      mesh.announce(error);
      --waiting;
      throw;
    }
  });
  CHECK(contains(thrown[0], "timeout 1: split: rank 0"));
  CHECK(contains(thrown[0], "waited too long for rank 1"));
  CHECK(contains(thrown[2], "timeout 1: split: rank 0"));
}

TEST_CASE("what another rank announces ends a share") {
  const auto thrown = ranks::meet_and_run(ranks::jobs(3), [](Mesh& mesh, const Job&) {
    if (mesh.rank() == 1) throw Error(Code::aborted, "enough", 1);
    mesh.share("", soon());
  });
  for (const std::string& one : thrown) CHECK(one == "aborted 1: enough");
}

TEST_CASE("a status is heard by all, also by those who are sharing") {
  std::atomic<int> heard = 0;
  const auto thrown = ranks::meet_and_run(ranks::jobs(3), [&](Mesh& mesh, const Job&) {
    if (mesh.rank() == 1) mesh.tell_status("in call 7");
    mesh.share("", soon());
    if (mesh.rank() != 1) {
      std::vector<Frame> frames;
      while (frames.empty() && mesh.peer(1).control) frames = mesh.listen(1).frames;
      if (frames.size() == 1 && frames[0].type == FrameType::status && frames[0].body == "in call 7") ++heard;
    }
    mesh.share("", soon());
  });
  for (const std::string& one : thrown) CHECK(one.empty());
  CHECK(heard == 2);
}

TEST_CASE("statuses for a rank that does not read are missed, and what follows is not damaged") {
  std::atomic<bool> read = false;
  const auto thrown = ranks::meet_and_run(ranks::jobs(2), [&](Mesh& mesh, const Job&) {
    if (mesh.rank() == 0) {
      for (int i = 0; i < 2000; ++i) mesh.tell_status(std::string(10000, 's'));
      read = true;
    }
    while (!read) std::this_thread::yield();
    if (mesh.share(std::string(1, 'x'), soon())[1] != "x") throw std::runtime_error("damaged");
  });
  for (const std::string& one : thrown) CHECK(one.empty());
}
