// Words that the drawings share.
#pragma once

#include <string>
#include <vector>

#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/problems.hpp"

namespace jackal::tbdiscovery {

/// Columns that a terminal needs for UTF-8 text (one a code point).
std::size_t width_of(const std::string& text);
std::string padded(const std::string& text, std::size_t width);

/// Lines longer than `width` are cut between words and go on `indent` columns deeper than they began; 0: no
/// line is too long.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);

/// "80 Gb/s" for a link, "up to 120 Gb/s" for a free port, "" when it is not known.
std::string speed_text(const Port& port);
/// "rdma_en5 active", "no device", "" when nothing is known.
std::string rdma_text(const Port& port);
/// "enabled", "disabled", "impossible", …
std::string rdma_text(const Node& node);
/// What is on a port: "m2 port 1", "m2 port 1 through Hub", "TS5 Plus", "a Mac mini that is not listed".
std::string occupant(const ClusterMap& map, const End& end);
/// "80 Gb/s, RDMA" or "40 Gb/s, TCP only: WHY".
std::string cable_text(const ClusterMap& map, const Cable& cable);

/// Whether two problems are of one kind and call for the same step.
bool same_advice(const Problem& left, const Problem& right);

/// Printable text whose lines stay lines.
std::string printable_lines(const std::string& text);
/// Printable text between the tags and in the attributes of XML and HTML.
std::string xml_text(const std::string& text);

}  // namespace jackal::tbdiscovery
