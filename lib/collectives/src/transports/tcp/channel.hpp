// A channel over a connected TCP socket. What comes is read into a buffer of its own, so that a header and
// the small message behind it cost one system call; what is large goes straight where it belongs.
#pragma once

#include <memory>
#include <string>

#include "jackal/base/unique_fd.hpp"
#include "transports/channel.hpp"

namespace jackal::collectives {

class TcpChannel final : public Channel {
public:
  /// A connected, non-blocking stream socket; TcpChannel tunes it. `name`: for messages.
  TcpChannel(UniqueFd socket, std::string name);

  std::size_t write(std::span<const iovec> pieces) override;
  std::size_t read(void* to, std::size_t size) override;
  std::span<const std::byte> peek(std::size_t most) override;
  void consume(std::size_t size) override;
  Interest interest() const override;
  const std::string& name() const override { return name_; }

private:
  std::size_t waiting() const { return end_ - begin_; }
  std::size_t receive(void* to, std::size_t size);
  bool fill(std::size_t most);

  UniqueFd socket_;
  std::string name_;
  std::unique_ptr<std::byte[]> buffer_;  // made when first needed
  std::size_t begin_ = 0;                // what has come and not been taken: begin_ … end_
  std::size_t end_ = 0;
  std::string trouble_;  // why nothing more will come
};

}  // namespace jackal::collectives
