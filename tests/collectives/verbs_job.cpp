#include "verbs_job.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace verbs_desk {

ranks::Job job_on(const Desk& desk, ranks::Variables more) {
  more["JACKAL_VERBS_LIBRARY"] = FAKE_VERBS_LIBRARY;
  more["JACKAL_VERBS_LIMITS"] = "apple";
  const int size = static_cast<int>(desk.devices.size());
  nlohmann::json hosts = nlohmann::json::array();
  for (const auto& row : desk.devices)
    hosts.push_back({{"ssh", "mac" + std::to_string(hosts.size())}, {"rdma", row}});
  static const ranks::Directory directory;
  static int files = 0;
  const std::string backend = more.count("BACKEND") != 0 ? more["BACKEND"] : "jaccl";
  more.erase("BACKEND");
  more["JACKAL_HOSTFILE"] = directory.write("hosts" + std::to_string(++files),
                                            nlohmann::json({{"backend", backend}, {"hosts", hosts}}).dump());
  return ranks::Job(size, more);
}

void use(jackal::Group& group, std::size_t count) {
  const int n = group.size();
  const auto expect = [](bool right, const char* what) {
    if (!right) throw std::runtime_error(std::string("wrong result of ") + what);
  };
  std::vector<std::int64_t> mine(count, group.rank() + 1);
  std::vector<std::int64_t> sum(count);
  group.all_sum(mine, sum);
  expect(sum == std::vector<std::int64_t>(count, n * (n + 1) / 2), "all_sum");
  std::vector<std::int64_t> all(count * static_cast<std::size_t>(n));
  group.all_gather(mine, all);
  for (std::size_t i = 0; i < all.size(); ++i)
    expect(all[i] == static_cast<std::int64_t>(i / count) + 1, "all_gather");
  group.broadcast(mine, n - 1);
  expect(mine == std::vector<std::int64_t>(count, n), "broadcast");
  const int to = (group.rank() + n / 2) % n;
  const int from = (group.rank() + n - n / 2) % n;
  std::vector<std::int64_t> got(count);
  const std::vector<std::int64_t> sent(count, group.rank());
  group.sendrecv(sent.data(), count, to, got.data(), count, from, jackal::Dtype::int64);
  expect(got == std::vector<std::int64_t>(count, from), "sendrecv");
  group.barrier();
}

}  // namespace verbs_desk
