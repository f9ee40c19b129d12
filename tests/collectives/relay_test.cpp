// Ranks in a chain of cables: what two of them without a link exchange goes by way of the others.
#include <numeric>

#include "collectives/ranks.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Dtype;
using jackal::Group;
using jackal::Handle;
using jackal::Op;

namespace {

constexpr int kRanks = 4;

void require(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

std::string address(int rank) { return "127.2.0." + std::to_string(rank + 1); }

// A host each, and one cable between neighbours.
std::string chain() {
  std::string json = R"({"hosts": [)";
  for (int rank = 0; rank < kRanks; ++rank) {
    json += std::string(rank == 0 ? "" : ", ") + R"({"ssh": "h)" + std::to_string(rank) + R"(", "links": [)";
    for (int peer = 0; peer < kRanks; ++peer) {
      const bool cable = peer == rank + 1 || peer == rank - 1;
      json += peer == 0 ? "" : ", ";
      json +=
          cable ? R"([{"ip": ")" + address(rank) + R"(", "peer_ip": ")" + address(peer) + R"("}])" : "null";
    }
    json += "]}";
  }
  return json + "]}";
}

class Chain {
public:
  Chain()
      : job_(kRanks, {{"JACKAL_HOSTFILE", directory_.write("hosts", chain())}, {"JACKAL_TRANSPORT", "tcp"}}) {
  }
  const ranks::Job& job() const { return job_; }

private:
  ranks::Directory directory_;
  ranks::Job job_;
};

std::vector<int> sequence(std::size_t count, int first) {
  std::vector<int> made(count);
  std::iota(made.begin(), made.end(), first);
  return made;
}

}  // namespace

TEST_CASE("messages of every size pass through the ranks between, all at once and in order") {
  ranks::run(Chain().job(), [](Group& group) {
    for (const std::size_t count : {0U, 1U, 16384U, 400001U}) {
      std::vector<std::vector<int>> out;
      std::vector<std::vector<int>> in(kRanks, std::vector<int>(count));
      std::vector<Handle> handles;
      for (int peer = 0; peer < kRanks; ++peer) out.push_back(sequence(count, 100 * group.rank() + peer));
      for (int peer = 0; peer < kRanks; ++peer) {
        const auto at = static_cast<std::size_t>(peer);
        handles.push_back(group.recv_async(in[at].data(), count, Dtype::int32, peer, 1));
        handles.push_back(group.send_async(out[at].data(), count, Dtype::int32, peer, 1));
      }
      Handle::wait_all(handles);
      for (int peer = 0; peer < kRanks; ++peer)
        require(in[static_cast<std::size_t>(peer)] == sequence(count, 100 * peer + group.rank()),
                "wrong bytes");
    }
    group.barrier();  // whoever passes messages on stays until they are through
  });
}

TEST_CASE("the ranks between pass on while they do not call the library") {
  ranks::run(Chain().job(), [](Group& group) {
    const std::vector<int> data = sequence(300000, 7);
    std::vector<int> got(300000);
    for (int round = 0; round < 3; ++round) {
      if (group.rank() == 0) group.send(data, 3, round);
      if (group.rank() == 3) group.recv(got, 0, round);
      require(group.rank() != 3 || got == data, "wrong bytes");
    }
    group.barrier();
  });
}

TEST_CASE("collective operations are right on a chain, for any root") {
  ranks::run(Chain().job(), [](Group& group) {
    for (const std::size_t count : {1U, 100000U}) {
      std::vector<int> data = sequence(count, group.rank());
      group.all_reduce(data, data, Op::sum);
      require(data.front() == 6 && data.back() == 4 * static_cast<int>(count - 1) + 6, "sum");
      for (int root = 0; root < kRanks; ++root) {
        std::vector<int> word(count, group.rank());
        group.broadcast(word, root);
        require(word == std::vector<int>(count, root), "broadcast");
      }
      std::vector<int> in(count * kRanks, group.rank());
      std::vector<int> out(count * kRanks);
      group.all_to_all(in, out);
      require(out.front() == 0 && out.back() == kRanks - 1, "all_to_all");
    }
    group.barrier();
  });
}

TEST_CASE("a part whose ranks have no cables between them is a group all the same") {
  ranks::run(Chain().job(), [](Group& group) {
    Group part = group.split(group.rank() % 2, 0);
    int word = 1;
    part.all_reduce(&word, &word, 1, Dtype::int32, Op::sum);
    require(part.size() == 2 && word == 2, "sum");
    group.barrier();
  });
}

TEST_CASE("a message for a rank beyond one that has left is lost") {
  const auto errors = ranks::errors(Chain().job(), [](Group& group) {
    group.barrier();
    if (group.rank() == 1) return;
    int word = 0;
    if (group.rank() == 0) group.recv(&word, 1, Dtype::int32, 3);
  });
  REQUIRE(errors[0]);
  CHECK(errors[0]->code() == Code::peer_lost);
}
