#include "transports/tcp/connect.hpp"

#include <mutex>
#include <set>

#include "collectives/meshes.hpp"
#include "control/messages.hpp"
#include "support/catch.hpp"
#include "transports/tcp/cables.hpp"
#include "transports/tcp/socket.hpp"

using namespace jackal::collectives;

namespace {

using Strings = std::vector<std::string>;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<TcpLanes> connect(Mesh& mesh, const Job& job, const std::vector<bool>& wanted) {
  const Deadline deadline = Clock::now() + std::chrono::seconds(30);
  return connect_lanes(
      mesh, job, wanted, [&](const std::string& mine) { return mesh.share(mine, deadline); }, deadline);
}

std::vector<bool> everybody(const Job& job) {
  return std::vector<bool>(static_cast<std::size_t>(job.size), true);
}

// Sends on every channel which one it is, and checks what comes there.
void talk(Mesh& mesh, std::vector<TcpLanes>& lanes) {
  const auto each = [&](auto visit) {
    for (std::size_t rank = 0; rank < lanes.size(); ++rank) {
      if (lanes[rank].messages) visit(rank, 0, *lanes[rank].messages);
      for (std::size_t cable = 0; cable < lanes[rank].cables.size(); ++cable)
        visit(rank, cable + 1, *lanes[rank].cables[cable]);
    }
  };
  each([&](std::size_t, std::size_t lane, Channel& channel) {
    std::uint8_t word[2] = {static_cast<std::uint8_t>(mesh.rank()), static_cast<std::uint8_t>(lane)};
    const iovec piece = {word, 2};
    if (channel.write({&piece, 1}) != 2) throw std::runtime_error("not written");
  });
  each([&](std::size_t rank, std::size_t lane, Channel& channel) {
    std::uint8_t word[2] = {99, 99};
    for (std::size_t got = 0; got < 2; got += channel.read(word + got, 2 - got))
      wait_for(channel.interest().descriptor, channel.interest().read_events,
               Clock::now() + std::chrono::seconds(10));
    if (word[0] != rank || word[1] != lane) throw std::runtime_error("another channel's bytes");
  });
}

// The ranks connect and talk; "PEER:CABLES" of each, and what any threw.
std::vector<Strings> connections(const std::vector<Job>& jobs, Strings& thrown) {
  std::vector<Strings> made(jobs.size());
  thrown = ranks::meet_and_run(jobs, [&](Mesh& mesh, const Job& job) {
    auto lanes = connect(mesh, job, everybody(job));
    talk(mesh, lanes);
    for (std::size_t rank = 0; rank < lanes.size(); ++rank) {
      if (static_cast<int>(rank) == job.rank) continue;
      const std::size_t cables = lanes[rank].cables.size();
      if ((cables > 0) != static_cast<bool>(lanes[rank].messages)) throw std::runtime_error("half connected");
      made[static_cast<std::size_t>(job.rank)].push_back(std::to_string(rank) + ":" + std::to_string(cables));
    }
    mesh.share("", Clock::now() + std::chrono::seconds(30));  // nobody leaves before all have talked
  });
  return made;
}

// One end of a cable: of rank `from`, to rank `to`.
struct End {
  std::size_t from;
  std::size_t to;
  Link link;
};

auto matrix(std::size_t size, const std::vector<End>& ends) {
  std::vector<std::vector<std::vector<Link>>> links(size, std::vector<std::vector<Link>>(size));
  for (const End& end : ends) links[end.from][end.to].push_back(end.link);
  return links;
}

Link cable(const std::string& ip, const std::string& peer_ip, const std::string& interface = "lo") {
  return {ip, peer_ip, interface};
}

const Strings kNothing3 = {"", "", ""};

}  // namespace

TEST_CASE("without addresses in a host file, every pair has one cable where the ranks have met") {
  const std::string address = GENERATE("127.0.0.1", "::1");
  Strings thrown;
  const auto made = connections(ranks::jobs(3, {}, address), thrown);
  CHECK(thrown == kNothing3);
  CHECK(made == std::vector<Strings>{{"1:1", "2:1"}, {"0:1", "2:1"}, {"0:1", "1:1"}});
}

TEST_CASE("several addresses of a host are several cables, the k-th to the k-th") {
  Strings thrown;
  const auto jobs = ranks::jobs(3, [](Job& job) {
    job.hosts = {"a", "b", "c"};
    job.ips = {{"127.0.0.2", "127.0.1.2"}, {"127.0.0.3", "127.0.1.3"}, {"127.0.0.4"}};
  });
  const auto made = connections(jobs, thrown);
  CHECK(thrown == kNothing3);
  CHECK(made == std::vector<Strings>{{"1:2", "2:1"}, {"0:2", "2:1"}, {"0:1", "1:1"}});
}

TEST_CASE("with links, each cable is a connection between its own addresses, and nothing else is") {
  Strings thrown;
  std::mutex mutex;
  std::set<std::string> names;
  const auto jobs = ranks::jobs(3, [](Job& job) {
    job.hosts = {"a", "b", "c"};
    job.ips = {{"127.0.0.2"}, {"127.0.0.3"}, {"127.0.0.4"}};
    job.links = matrix(3, {{0, 1, cable("127.1.0.1", "127.1.0.2")},
                           {0, 1, cable("127.2.0.1", "")},
                           {1, 0, cable("127.1.0.2", "127.1.0.1", "")},
                           {1, 0, cable("127.2.0.2", "127.2.0.1")},
                           {1, 2, cable("127.3.0.1", "127.3.0.2")},
                           {2, 1, cable("", "", "")}});
  });
  CHECK(connections(jobs, thrown) == std::vector<Strings>{{"1:2", "2:0"}, {"0:2", "2:1"}, {"0:0", "1:1"}});
  CHECK(thrown == kNothing3);
  ranks::meet_and_run(jobs, [&](Mesh& mesh, const Job& job) {
    const auto lanes = connect(mesh, job, everybody(job));
    const std::lock_guard lock(mutex);
    for (const TcpLanes& one : lanes)
      for (const auto& cable : one.cables) {
        const std::string& name = cable->name();
        names.insert(std::to_string(job.rank) + " " + name.substr(0, name.find(':')) +
                     (contains(name, " (lo)") ? " lo" : ""));
      }
  });
  CHECK(names == std::set<std::string>{"0 127.1.0.2 lo", "0 127.2.0.2 lo", "1 127.1.0.1", "1 127.2.0.1 lo",
                                       "1 127.3.0.2 lo", "2 127.3.0.1"});
}

TEST_CASE("ranks of one host meet there, whatever the host file says of its addresses") {
  Strings thrown;
  const auto jobs = ranks::jobs(2, [](Job& job) {
    job.hosts = {"a", "a"};
    job.ips = {{"192.0.2.1"}, {"192.0.2.1"}};
    job.links = matrix(2, {});
  });
  CHECK(connections(jobs, thrown) == std::vector<Strings>{{"1:1"}, {"0:1"}});
}

TEST_CASE("only the wanted pairs are connected") {
  const auto thrown = ranks::meet_and_run(ranks::jobs(3), [](Mesh& mesh, const Job& job) {
    std::vector<bool> wanted(3, job.rank == 2);
    wanted[2] = true;
    auto lanes = connect(mesh, job, wanted);
    talk(mesh, lanes);
    if (job.rank == 0 && (lanes[1].messages || !lanes[2].messages)) throw std::runtime_error("not as wanted");
    mesh.share("", Clock::now() + std::chrono::seconds(30));
  });
  CHECK(thrown == kNothing3);
}

TEST_CASE("a cable whose far end is not there is a link that is down, named on every rank") {
  // Rank 1 connects to rank 0, whose address on that cable is another one than the file says.
  const auto jobs = ranks::jobs(3, [](Job& job) {
    job.hosts = {"a", "b", "c"};
    const std::string far = job.rank == 0 ? "127.1.0.1" : "127.1.0.9";
    job.links = matrix(3, {{0, 1, cable(far, "127.1.0.2", "en1")}, {1, 0, cable("127.1.0.2", far, "en2")}});
  });
  const auto thrown = ranks::meet_and_run(jobs, [](Mesh& mesh, const Job& job) {
    connect(mesh, job, everybody(job));
    mesh.share("", Clock::now() + std::chrono::seconds(30));
  });
  for (const std::string& one : thrown) {
    CHECK(contains(one,
                   "link_down 0: rank 1 (b) cannot connect to rank 0 (a) from 127.1.0.2 (en2) to 127.1.0.9"));
    CHECK(contains(one, "do all ranks have the same host file?"));
  }
}

TEST_CASE("an address that this host does not have is named on every rank") {
  const auto jobs = ranks::jobs(2, [](Job& job) {
    job.hosts = {"a", "b"};
    job.links = matrix(
        2, {{0, 1, cable("192.0.2.1", "192.0.2.2", "en1")}, {1, 0, cable("192.0.2.2", "192.0.2.1", "en2")}});
  });
  const auto thrown =
      ranks::meet_and_run(jobs, [](Mesh& mesh, const Job& job) { connect(mesh, job, everybody(job)); });
  for (const std::string& one : thrown)
    CHECK(contains(one,
                   "link_down 0: rank 0 (a) cannot listen for rank 1 (b) at 192.0.2.1 (en1): "
                   "Cannot assign requested address; the host file"));
}

TEST_CASE("strangers at a data port are dropped") {
  const auto jobs = ranks::jobs(2, [](Job& job) {
    job.hosts = {"a", "b"};
    job.ips = {{"127.0.0.2"}, {"127.0.0.3"}};
  });
  const auto thrown = ranks::meet_and_run(jobs, [](Mesh& mesh, const Job& job) {
    const Deadline deadline = Clock::now() + std::chrono::seconds(30);
    const auto share = [&](const std::string& mine) {
      auto all = mesh.share(mine, deadline);
      if (mesh.rank() == 0) return all;
      // The last two bytes are the port of rank 0's only listener.
      const auto low = static_cast<std::uint8_t>(all[0][all[0].size() - 2]);
      const auto high = static_cast<std::uint8_t>(all[0][all[0].size() - 1]);
      const HostPort there{"127.0.0.2", static_cast<std::uint16_t>(low | high << 8)};
      const auto stranger = [&](const std::string& bytes) {
        const Opened opened = connect_to(resolve(there, deadline).addresses.at(0), deadline);
        send_all(opened.fd.get(), bytes, deadline);
      };
      Hello hello{Purpose::data, 0, "test", 1, 2, std::string(16, 'n'), "b", {}};
      stranger("GET / HTTP/1.1\r\n\r\n");
      stranger(encode_frame(FrameType::hello, hello.encode(), "another secret"));
      hello.lane = 7;
      stranger(encode_frame(FrameType::hello, hello.encode(), job.secret));
      hello.lane = 0;
      hello.job = "theirs";
      stranger(encode_frame(FrameType::hello, hello.encode(), job.secret));
      return all;
    };
    auto lanes = connect_lanes(mesh, job, everybody(job), share, deadline);
    talk(mesh, lanes);
    mesh.share("", deadline);
  });
  CHECK(thrown == Strings{"", ""});
}

TEST_CASE("the ends of a link-local cable are told apart by this side's interface") {
  Job job;
  job.size = 2;
  job.hosts = {"a", "b"};
  job.links = matrix(
      2, {{0, 1, cable("fe80::1%en3", "fe80::2", "en3")}, {1, 0, cable("fe80::2%en5", "fe80::1", "en5")}});
  CHECK(cables_between(job, 0, 1) == std::vector<Cable>{{"fe80::1%en3", "fe80::2%en5", "en3"}});
  CHECK(cables_between(job, 1, 0) == std::vector<Cable>{{"fe80::2%en5", "fe80::1%en3", "en5"}});
}
