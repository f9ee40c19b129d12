#include "ssh_plugin.hpp"

#include <dlfcn.h>

#include <string>

#include "own_path.hpp"

namespace jackal::remote {
namespace {

/// Stands for a connection that could not even be tried.
class FailedConnection : public Connection {
public:
  FailedConnection(Loop& loop, Events events, Error error)
      : events_(std::move(events)), error_(std::move(error)) {
    soon_ = loop.after(Clock::duration::zero(), [this] { events_.on_failed(error_); });
  }
  std::unique_ptr<Channel> open(ChannelEvents&) override { return nullptr; }

private:
  Events events_;
  Error error_;
  Loop::Timer soon_;
};

Result<SshPluginEntry> load() {
  std::string tried;
  for (const char* below : {"/../lib/jackal/", "/../" JACKAL_INSTALL_LIBDIR "/jackal/"}) {
    const std::string path = own_directory() + below + JACKAL_SSH_PLUGIN_NAME;
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* entry = library == nullptr ? nullptr : ::dlsym(library, kSshPluginEntry);
    if (entry != nullptr) return reinterpret_cast<SshPluginEntry>(entry);
    const char* problem = ::dlerror();
    if (problem != nullptr && tried.find(problem) == std::string::npos)
      tried += std::string("\n  ") + problem;
  }
  return fail({ErrorCode::unreachable, "", "cannot load Jackal's SSH library:" + tried,
               "Install Jackal again, or use the installed ssh program with --ssh=system."});
}

}  // namespace

std::unique_ptr<Connection> connect_libssh(Loop& loop, const NodeOptions& options,
                                           Connection::Events events) {
  static const Result<SshPluginEntry> entry = load();
  if (!entry) return std::make_unique<FailedConnection>(loop, std::move(events), entry.error());
  return std::unique_ptr<Connection>((*entry)(loop, options, &events));
}

}  // namespace jackal::remote
