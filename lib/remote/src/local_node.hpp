// This machine as a node: fork and exec instead of SSH, and a guard that is a fork of ours instead of a
// shell.
#pragma once

#include <memory>

#include "jackal/remote/node.hpp"

namespace jackal::remote {

std::unique_ptr<Node> make_local_node(Loop& loop, NodeOptions options, Node::Events events);

}  // namespace jackal::remote
