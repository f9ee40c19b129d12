// route. As on macOS it ends with 0 also when the kernel refuses; only its words say so.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "jackal/base/text.hpp"
#include "simmac/commands.hpp"
#include "simmac/node_state.hpp"

namespace jackal::simmac {
namespace {

using namespace tbdiscovery;

constexpr int kUsage = 64;
constexpr int kNoPermission = 77;

struct Request {
  std::string verb;  // add, change, delete, get
  bool host = true;
  Network to;
  std::string interface;
  std::string gateway;
};

std::optional<Network> network_from(const std::string& text, bool host) {
  if (text == "default") return Network{{0}, 0};
  const auto slash = text.find('/');
  const auto ip = parse_ipv4(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const int whole = host ? 32 : 24;
  return network_of(
      *ip, slash == std::string::npos ? whole : parse_integer<int>(text.substr(slash + 1)).value_or(32));
}

std::optional<Request> request_of(const Words& words) {
  Request request;
  bool has_target = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "-n" || word == "-q" || word == "-inet") continue;
    if (request.verb.empty()) {
      request.verb = word;
    } else if (word == "-host") {
      request.host = true;
    } else if (word == "-net") {
      request.host = false;
    } else if (word == "-interface" && i + 1 < words.size()) {
      request.interface = words[++i];
    } else if (!has_target) {
      const auto to = network_from(word, request.host && word.find('/') == std::string::npos);
      if (!to) return std::nullopt;
      request.to = *to;
      request.host = to->prefix == 32;
      has_target = true;
    } else {
      request.gateway = word;
    }
  }
  const bool known =
      request.verb == "add" || request.verb == "change" || request.verb == "delete" || request.verb == "get";
  if (!known || !has_target) return std::nullopt;
  return request;
}

void report(const Request& request, const std::string& refusal) {
  const auto& by = request.interface.empty() ? request.gateway : request.interface;
  if (!refusal.empty()) std::fprintf(stderr, "route: writing to routing socket: %s\n", refusal.c_str());
  std::printf("%s %s %s%s%s%s\n", request.verb.c_str(), request.host ? "host" : "net",
              request.host ? to_string(request.to.address).c_str() : to_string(request.to).c_str(),
              by.empty() ? "" : (": gateway " + by).c_str(), refusal.empty() ? "" : ": ", refusal.c_str());
}

int get(const Request& request, const NodeState& state) {
  const auto* found = state.route_to(request.to.address);
  for (const auto& [name, interface] : state.interfaces) {
    for (const auto& own : interface.addresses) {
      if (request.to.prefix != 32 || parse_ipv4(own.ip) != request.to.address) continue;
      std::printf("   route to: %s\ndestination: %s\n  interface: lo0\n      flags: <UP,HOST,DONE,LOCAL>\n",
                  own.ip.c_str(), own.ip.c_str());
      return 0;
    }
  }
  if (found == nullptr) {
    std::fprintf(stderr, "route: writing to routing socket: not in table\n");
    return 0;
  }
  const std::string asked = request.to.prefix == 0 ? "default" : to_string(request.to.address);
  const bool all = found->to.prefix == 0;
  std::printf("   route to: %s\ndestination: %s\n", asked.c_str(),
              all ? "default" : to_string(found->to.address).c_str());
  if (found->to.prefix != 32)
    std::printf("       mask: %s\n", all ? "default" : netmask_text(found->to.prefix).c_str());
  if (found->gateway) std::printf("    gateway: %s\n", to_string(*found->gateway).c_str());
  std::printf("  interface: %s\n      flags: <UP,%sDONE,STATIC>\n", found->interface.c_str(),
              found->gateway           ? "GATEWAY,"
              : found->to.prefix == 32 ? "HOST,"
                                       : "");
  std::printf(
      " recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire\n"
      "       0         0         0         0         0         0      1500         0 \n");
  return 0;
}

}  // namespace

int route(const Mac&, const Words& words) {
  const auto request = request_of(words);
  if (!request) {
    std::fprintf(stderr, "usage: route [-dnqtv] command [[modifiers] args]\n");
    return kUsage;
  }
  const auto state = read_node_state();
  if (request->verb == "get") return get(*request, state);
  if (::geteuid() != 0) {
    std::fprintf(stderr, "route: must be root to alter routing table\n");
    return kNoPermission;
  }
  const bool there = std::any_of(state.routes.begin(), state.routes.end(),
                                 [&](const KernelRoute& route) { return route.to == request->to; });
  std::string refusal;
  if (request->verb == "add" && there) refusal = "File exists";
  if (request->verb != "add" && !there) refusal = "not in table";
  if (refusal.empty()) {
    std::string line = request->verb == "delete" ? "route del " : "route replace ";
    line += to_string(request->to);
    if (!request->gateway.empty()) line += " via " + request->gateway;
    if (!request->interface.empty()) line += " dev " + request->interface;
    if (run_ip({line}) != 0) refusal = "Network is unreachable";
  }
  report(*request, refusal);
  return 0;
}

}  // namespace jackal::simmac
