// The growing list of problems and the three groups of checks that fill it.
#pragma once

#include <utility>

#include "jackal/tbdiscovery/problems.hpp"

namespace jackal::tbdiscovery {

struct ProblemText {
  std::string what;
  std::string why;
  std::string next;
};

class ProblemList {
public:
  ProblemList(const ClusterMap& of, const Request& asked, bool plan_made)
      : map(of), request(asked), planned(plan_made) {}

  Problem& add(ProblemCode code, Severity severity, ProblemText text);
  Problem& at_node(ProblemCode code, Severity severity, std::size_t node, ProblemText text);
  Problem& at_port(ProblemCode code, Severity severity, const End& end, ProblemText text);
  Problem& at_cable(ProblemCode code, Severity severity, std::size_t cable, const End& end, ProblemText text);

  /// What keeps RDMA from working is an error for those who asked for it and blocks until a plan avoids it.
  Severity rdma_severity() const {
    return request.wants_rdma() && !planned ? Severity::error : Severity::warning;
  }
  bool rdma_blocks() const { return request.wants_rdma() && !planned; }

  std::vector<Problem> take_sorted();

  const ClusterMap& map;
  const Request& request;
  const bool planned;

private:
  std::vector<Problem> problems_;
};

void find_host_problems(ProblemList& list);     // one node at a time: reachable, readable, able
void find_network_problems(ProblemList& list);  // bridges, sharing, managers, the way to the machine itself
void find_cable_problems(ProblemList& list);    // one cable at a time, and what the cabling lacks

}  // namespace jackal::tbdiscovery
