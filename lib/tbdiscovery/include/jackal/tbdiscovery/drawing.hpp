// The map for people: a table of ports, a picture for the terminal, Graphviz, SVG. Pure text; nothing is
// printed.
#pragma once

#include <string>
#include <vector>

#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/problems.hpp"

namespace jackal::tbdiscovery {

/// One line a port, columns aligned: what it is, what is on it, what it can do.
std::string draw_table(const ClusterMap& map);

/// Every machine a line, every cabled pair a bracket between two lines, and below it the cables by number:
///
///         1  2  3
///     m1 ─┬──┐
///     m2 ─┴──┼──┐
///     m3 ────┴──┘
std::string draw_picture(const ClusterMap& map);

/// The problems, worst first; those of one kind that call for the same step are told once.
std::string draw_problems(const std::vector<Problem>& problems);

/// The plan: ranks, reason, addresses of each cable, notes.
std::string draw_plan(const ClusterMap& map, const Plan& plan);

/// A valid Graphviz graph, with ports at the ends of each cable.
std::string draw_dot(const ClusterMap& map);

/// A self-contained SVG document: machines around a circle, a line a cable, ports at its ends.
std::string draw_svg(const ClusterMap& map);

}  // namespace jackal::tbdiscovery
