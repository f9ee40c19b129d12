#include "drawing_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lines.hpp"

namespace jackal::tbdiscovery {

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width) {
  const auto used = width_of(text);
  return used < width ? text + std::string(width - used, ' ') : text;
}

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  if (width == 0) return text;
  std::string out;
  for (const auto line : lines_of(text)) {
    if (width_of(std::string(line)) <= width) {
      out += std::string(line) + "\n";
      continue;
    }
    const std::string margin(std::min(indent_of(line) + indent, width / 2), ' ');
    std::string current(line.substr(0, indent_of(line)));
    bool first = true;
    for (const auto word : words_of(line)) {
      const bool fits = first || width_of(current) + 1 + width_of(std::string(word)) <= width;
      if (!fits) {
        out += current + "\n";
        current = margin;
      }
      current += (first || !fits ? "" : " ") + std::string(word);
      first = false;
    }
    out += current + "\n";
  }
  return out;
}

std::string speed_text(const Port& port) {
  if (port.gbps == 0) return "";
  return port.linked ? fmt::format("{:g} Gb/s", port.gbps) : fmt::format("up to {:g} Gb/s", port.gbps);
}

std::string rdma_text(const Port& port) {
  if (port.rdma_listed == false) return "no device";
  if (port.rdma_listed != true) return "";
  switch (port.rdma_state) {
    case PortState::active:
      return port.rdma_device + " active";
    case PortState::down:
      return port.rdma_device + " down";
    case PortState::other:
    case PortState::unknown:
      break;
  }
  return port.rdma_device;
}

std::string rdma_text(const Node& node) {
  switch (node.rdma) {
    case Rdma::unsupported:
      return "impossible";
    case Rdma::old_system:
      return "needs macOS 26.2";
    case Rdma::disabled:
      return "disabled";
    case Rdma::no_device:
      return "needs a restart";
    case Rdma::enabled:
      return "enabled";
    case Rdma::unknown:
      break;
  }
  return "not known";
}

std::string occupant(const ClusterMap& map, const End& end) {
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  for (const auto& cable : map.cables) {
    if (cable.a != end && cable.b != end) continue;
    auto hubs = cable.through;
    if (cable.b == end) std::reverse(hubs.begin(), hubs.end());
    add(describe(map, cable.a == end ? cable.b : cable.a) +
        (hubs.empty() ? "" : fmt::format(" through {}", fmt::join(hubs, ", "))));
  }
  for (const auto& stranger : map.strangers) {
    if (stranger.port == end)
      add(fmt::format("a {} that is not listed", stranger.name.empty() ? "computer" : stranger.name));
  }
  if (!text.empty()) return text;
  for (const auto& attachment : map.attachments) {
    if (attachment.port == end) add(attachment.name);
  }
  return text.empty() && map.port(end).connected ? "something" : text;
}

std::string cable_text(const ClusterMap& map, const Cable& cable) {
  auto text = cable.gbps > 0 ? fmt::format("{:g} Gb/s, ", cable.gbps) : std::string();
  const auto why = rdma_obstacle(map, cable);
  return text + (why.empty() ? "RDMA" : "TCP only: " + why);
}

bool same_advice(const Problem& left, const Problem& right) {
  return left.code == right.code && left.next == right.next && left.why == right.why &&
         left.blocks == right.blocks;
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string printable_lines(const std::string& text) {
  std::string out;
  for (const auto line : lines_of(text)) out += printable(std::string(line)) + "\n";
  return out;
}

}  // namespace jackal::tbdiscovery
