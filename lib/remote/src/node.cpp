#include "jackal/remote/node.hpp"

#include "channel.hpp"
#include "local_node.hpp"
#include "remote_node.hpp"

namespace jackal::remote {

bool is_this_machine(std::string_view name) {
  return name == "127.0.0.1" || name == "::1" || name == "[::1]" || name == "localhost";
}

std::unique_ptr<Node> Node::connect(Loop& loop, NodeOptions options, Events events) {
  if (is_this_machine(options.name)) return make_local_node(loop, std::move(options), std::move(events));
  const auto way = options.transport == Transport::system_ssh ? connect_system_ssh : connect_libssh;
  ConnectFunction connect = [&loop, options, way](Connection::Events connection) {
    return way(loop, options, std::move(connection));
  };
  return make_remote_node(loop, std::move(options), std::move(events), std::move(connect));
}

}  // namespace jackal::remote
