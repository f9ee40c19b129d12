#include "transports/verbs/library.hpp"

#include <dlfcn.h>

#include <map>
#include <mutex>

namespace jackal::collectives {
namespace {

template <class Function>
void take(void* handle, const char* name, Function*& to, std::string& missing) {
  to = reinterpret_cast<Function*>(::dlsym(handle, name));
  if (to == nullptr) missing += (missing.empty() ? "" : ", ") + std::string(name);
}

std::string take_all(void* handle, VerbsLibrary& library) {
  std::string missing;
  take(handle, "ibv_get_device_list", library.get_device_list, missing);
  take(handle, "ibv_free_device_list", library.free_device_list, missing);
  take(handle, "ibv_get_device_name", library.get_device_name, missing);
  take(handle, "ibv_open_device", library.open_device, missing);
  take(handle, "ibv_close_device", library.close_device, missing);
  take(handle, "ibv_query_device", library.query_device, missing);
  take(handle, "ibv_query_port", library.query_port, missing);
  take(handle, "ibv_query_gid", library.query_gid, missing);
  take(handle, "ibv_alloc_pd", library.alloc_pd, missing);
  take(handle, "ibv_dealloc_pd", library.dealloc_pd, missing);
  take(handle, "ibv_reg_mr", library.reg_mr, missing);
  take(handle, "ibv_dereg_mr", library.dereg_mr, missing);
  take(handle, "ibv_create_cq", library.create_cq, missing);
  take(handle, "ibv_destroy_cq", library.destroy_cq, missing);
  take(handle, "ibv_create_qp", library.create_qp, missing);
  take(handle, "ibv_modify_qp", library.modify_qp, missing);
  take(handle, "ibv_query_qp", library.query_qp, missing);
  take(handle, "ibv_destroy_qp", library.destroy_qp, missing);
  return missing;
}

struct Attempt {
  VerbsLibrary library;
  std::string problem;
};

Attempt load(const std::vector<std::string>& names) {
  Attempt attempt;
  for (const std::string& name : names) {
    // Never unloaded: providers leave threads and handlers behind.
    void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      attempt.problem = "no verbs library: " + std::string(::dlerror()) + "; " + platform_verbs_remedy();
      continue;
    }
    const std::string missing = take_all(handle, attempt.library);
    attempt.problem = missing.empty() ? "" : "the verbs library " + name + " lacks " + missing;
    if (missing.empty()) break;
  }
  return attempt;
}

}  // namespace

LoadedVerbs load_verbs(const std::string& path) {
  static std::mutex guard;
  static std::map<std::string, Attempt> loaded;  // of `guard`
  const std::lock_guard lock(guard);
  auto found = loaded.find(path);
  if (found == loaded.end())
    found = loaded.emplace(path, load(path.empty() ? platform_verbs_libraries() : std::vector{path})).first;
  const Attempt& attempt = found->second;
  return {attempt.problem.empty() ? &attempt.library : nullptr, attempt.problem};
}

}  // namespace jackal::collectives
