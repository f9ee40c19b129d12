// A node on the other side of connections that run only fixed, harmless words: the guard's protocol on top of
// them.
#pragma once

#include <functional>
#include <memory>

#include "channel.hpp"
#include "jackal/remote/node.hpp"

namespace jackal::remote {

/// Opens one more connection to the node; called as often as its processes need.
using ConnectFunction = std::function<std::unique_ptr<Connection>(Connection::Events events)>;

std::unique_ptr<Node> make_remote_node(Loop& loop, NodeOptions options, Node::Events events,
                                       ConnectFunction connect);

}  // namespace jackal::remote
