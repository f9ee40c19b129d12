#include "transports/verbs/library.hpp"

namespace jackal::collectives {

const std::vector<std::string>& platform_verbs_libraries() {
  static const std::vector<std::string> names = {"libibverbs.so.1"};
  return names;
}

std::string platform_verbs_remedy() {
  return "install libibverbs1 and the provider of your device (ibverbs-providers)";
}

}  // namespace jackal::collectives
