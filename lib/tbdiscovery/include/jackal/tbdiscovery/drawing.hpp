// The map for people: a table of ports, a picture for the terminal, Graphviz, SVG. Pure text; nothing is
// printed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/problems.hpp"

namespace jackal::tbdiscovery {

/// One line a port, columns aligned: what it is, what is on it, what it can do; free ports of one kind share
/// a line. `width` here and below: of the terminal; longer lines are wrapped, columns that do not fit are
/// left out. 0: whatever it takes.
std::string draw_table(const ClusterMap& map, std::size_t width = 0);

/// Every machine a line, every cabled pair a bracket between two lines, and below it the cables by number:
///
///         1  2  3
///     m1 ─┬──┐
///     m2 ─┴──┼──┐
///     m3 ────┴──┘
///
/// Double lines are pairs with several cables.
std::string draw_picture(const ClusterMap& map, std::size_t width = 0);

/// The problems, worst first; those of one kind that call for the same step are told once.
std::string draw_problems(const std::vector<Problem>& problems, std::size_t width = 0);

/// The plan: ranks, reason, addresses of each cable, notes.
std::string draw_plan(const ClusterMap& map, const Plan& plan, std::size_t width = 0);

/// Why there is none, and what would make one.
std::string draw_no_plan(const Error& error, std::size_t width = 0);

/// A valid Graphviz graph, with ports at the ends of each cable.
std::string draw_dot(const ClusterMap& map);

/// A self-contained SVG document: machines around a circle, a line a cable, ports at its ends.
std::string draw_svg(const ClusterMap& map);

}  // namespace jackal::tbdiscovery
