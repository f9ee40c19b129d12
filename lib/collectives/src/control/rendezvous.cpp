#include "control/rendezvous.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "control/meeting.hpp"
#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

using std::chrono::milliseconds;

std::string place(const HostPort& where) {
  const bool v6 = where.host.find(':') != std::string::npos;
  return (v6 ? "[" + where.host + "]" : where.host) + ":" + std::to_string(where.port);
}

// How `launch`, which chose the port, learns that it may try another.
void mark_coordinator_busy(const Job& job) {
  if (job.hostfile.empty()) return;
  const auto path = std::filesystem::path(job.hostfile).parent_path() / "coordinator-busy";
  const UniqueFd created(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

UniqueFd listen_at_coordinator(const Job& job, Meeting& meeting) {
  const std::string where = place(job.coordinator);
  const Resolved resolved = resolve(job.coordinator, meeting.deadline());
  if (resolved.addresses.empty())
    throw meeting.error(Code::io, "cannot find the coordinator's address " + where + ": " + resolved.problem,
                        0, where);
  int failed = 0;
  for (const SocketAddress& address : resolved.addresses) {
    Opened opened = listen_on(address);
    if (opened.fd) return std::move(opened.fd);
    failed = opened.error;
  }
  std::string why = system_text(failed);
  if (failed == EADDRINUSE) {
    mark_coordinator_busy(job);
    why += "; another program uses that port, choose another one";
  }
  if (failed == EADDRNOTAVAIL) why += "; it must be an address of the host that rank 0 runs on";
  throw meeting.error(Code::io, "rank 0 cannot listen at the coordinator's address " + where + ": " + why, 0,
                      where);
}

Error too_few(const Job& job, Meeting& meeting, const std::string& within) {
  int come = 1;
  int first_missing = -1;
  std::string missing;
  for (int rank = 1; rank < job.size; ++rank) {
    if (meeting.mesh().peer(rank).control) {
      ++come;
      continue;
    }
    if (first_missing < 0) first_missing = rank;
    missing += (missing.empty() ? "" : ", ") + meeting.mesh().name(rank);
  }
  std::string what = "only " + std::to_string(come) + " of " + std::to_string(job.size) + " ranks came to " +
                     place(job.coordinator) + " within " + within + "; missing: " + missing;
  if (!meeting.refused().empty()) what += "; " + meeting.refused();
  return meeting.error(Code::timeout, what, first_missing);
}

Error not_connected(Meeting& meeting, const std::string& within) {
  const Mesh& mesh = meeting.mesh();
  std::string missing;
  int first = -1;
  for (int rank = 0; rank < mesh.size(); ++rank) {
    if (rank == mesh.rank() || mesh.peer(rank).control) continue;
    if (first < 0) first = rank;
    missing += (missing.empty() ? ": no connection with " : ", ") + mesh.name(rank);
  }
  return meeting.error(
      Code::timeout, "all ranks came, but not all of them connected to each other within " + within + missing,
      first);
}

bool knows_all(const Mesh& mesh) {
  for (int rank = 0; rank < mesh.size(); ++rank)
    if (rank != mesh.rank() && !mesh.peer(rank).control) return false;
  return true;
}

void host_meeting(const Job& job, Meeting& meeting, const std::string& within, UniqueFd listener) {
  Mesh& mesh = meeting.mesh();
  if (!listener) listener = listen_at_coordinator(job, meeting);
  const Endpoint here = SocketAddress::local_of(listener.get()).endpoint();
  meeting.listen(std::move(listener));
  meeting.run_until([&mesh] { return knows_all(mesh); }, [&] { return too_few(job, meeting, within); });
  std::vector<Member> table;
  for (int rank = 0; rank < job.size; ++rank)
    table.push_back({mesh.peer(rank).host, meeting.listens()[static_cast<std::size_t>(rank)]});
  table[0].listens = here;
  meeting.send_to_all(FrameType::table, encode_table(table));
  meeting.run_until([&] { return meeting.ready_count() == job.size - 1; },
                    [&] { return not_connected(meeting, within); });
  // Closed before the word is out: a rank that is told to go may call init() again at once.
  meeting.stop_listening();
  meeting.send_to_all(FrameType::go);
}

// One attempt to reach rank 0. True when it has answered; otherwise `why` says what came instead.
bool try_to_join(const Job& job, Meeting& meeting, std::string& why) {
  const Resolved resolved = resolve(job.coordinator, meeting.deadline());
  if (resolved.addresses.empty()) why = resolved.problem;
  for (const SocketAddress& address : resolved.addresses) {
    Opened opened =
        connect_to(address, std::min(meeting.deadline(), Clock::now() + std::chrono::seconds(10)));
    if (!opened.fd && out_of_descriptors(opened.error))  // trying again brings none
      throw meeting.error(Code::io, "cannot connect to the coordinator: " + system_text(opened.error));
    if (!opened.fd) {
      why = system_text(opened.error);
      continue;
    }
    // Where rank 0 is reached from, the others can be met, too.
    SocketAddress here = SocketAddress::local_of(opened.fd.get());
    here.set_port(0);
    Opened listener = listen_on(here);
    if (!listener.fd)
      throw meeting.error(Code::io, "cannot listen at " + here.text() + ": " + system_text(listener.error));
    const Endpoint listens = SocketAddress::local_of(listener.fd.get()).endpoint();
    meeting.listen(std::move(listener.fd));
    meeting.greet(0, std::move(opened.fd), listens);
    meeting.run_until([&] { return !meeting.greeting(); },
                      [&] {
                        return meeting.error(Code::timeout, "whoever listens at " + place(job.coordinator) +
                                                                " did not answer as rank 0 would" +
                                                                (why.empty() ? "" : ": " + why));
                      });
    if (meeting.mesh().peer(0).control) return true;
    why = meeting.unanswered();
  }
  return false;
}

void join(const Job& job, Meeting& meeting, const std::string& within) {
  std::string why;
  // Ranks come up in any order, so rank 0 may not be there yet.
  for (milliseconds pause(10); !try_to_join(job, meeting, why);
       pause = std::min(2 * pause, milliseconds(200))) {
    if (Clock::now() >= meeting.deadline())
      throw meeting.error(Code::timeout,
                          rank_name(job.rank, meeting.mesh().peer(job.rank).host) +
                              " did not reach rank 0 at " + place(job.coordinator) + " within " + within +
                              ": " + why,
                          0, place(job.coordinator));
    meeting.pause(pause);
  }
}

void connect_downwards(Meeting& meeting, int to) {
  Mesh& mesh = meeting.mesh();
  const SocketAddress near = SocketAddress::local_of(mesh.peer(0).control.get());
  const SocketAddress there = SocketAddress::of(meeting.table()[static_cast<std::size_t>(to)].listens, near);
  // It is known to listen, so this is quick or hopeless; half the time is left for telling the others.
  Opened opened = connect_to(there, Clock::now() + (meeting.deadline() - Clock::now()) / 2);
  if (!opened.fd)
    throw meeting.error(Code::link_down,
                        mesh.name(mesh.rank()) + " cannot connect to " + mesh.name(to) + " at " +
                            there.text() + ": " + system_text(opened.error),
                        to, there.text());
  meeting.greet(to, std::move(opened.fd), {});
}

void attend_meeting(const Job& job, Meeting& meeting, const std::string& within) {
  Mesh& mesh = meeting.mesh();
  join(job, meeting, within);
  meeting.allow_for_verdict();
  meeting.run_until([&] { return !meeting.table().empty(); },
                    [&] {
                      return meeting.error(Code::timeout, "rank 0 was reached at " + place(job.coordinator) +
                                                              ", but not all ranks came within " + within);
                    });
  for (int rank = 1; rank < job.rank; ++rank) connect_downwards(meeting, rank);
  meeting.run_until([&mesh] { return knows_all(mesh); }, [&] { return not_connected(meeting, within); });
  meeting.stop_listening();
  meeting.send(0, FrameType::ready);
  meeting.run_until([&] { return meeting.go(); }, [&] { return not_connected(meeting, within); });
}

}  // namespace

Mesh meet(const Job& job, milliseconds timeout, const Log& log, UniqueFd listener, Watch* around) {
  Meeting meeting(job, timeout, log, around);
  const std::string within = seconds_text(timeout);
  try {
    if (job.rank == 0) {
      host_meeting(job, meeting, within, std::move(listener));
    } else {
      attend_meeting(job, meeting, within);
    }
  } catch (const Error& error) {
    meeting.mesh().announce(error);
    throw;
  }
  return std::move(meeting.mesh());
}

}  // namespace jackal::collectives
