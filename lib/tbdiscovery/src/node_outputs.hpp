// Finds what a command has printed among what all nodes have.
#pragma once

#include <string>

#include "jackal/tbdiscovery/verify.hpp"

namespace jackal::tbdiscovery {

/// nullptr where the node did not answer, the command could not be run, or it ended with 0 and printed
/// nothing.
inline const ProbeOutput* find_output(const NodeOutputs& outputs, std::size_t node, const std::string& name) {
  const auto of_node = outputs.find(node);
  if (of_node == outputs.end()) return nullptr;
  const auto file = of_node->second.find(name);
  return file == of_node->second.end() ? nullptr : &file->second;
}

}  // namespace jackal::tbdiscovery
