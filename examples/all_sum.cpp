// Every rank contributes a vector; every rank gets the sum.  Try:  launch -n 4 -- all_sum
#include <jackal/collectives.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

int main() {
  try {
    jackal::Group group = jackal::init();

    const std::vector<float> mine(4, static_cast<float>(group.rank() + 1));
    std::vector<float> sum(mine.size());
    group.all_sum(mine, sum);

    char host[256] = "";
    gethostname(host, sizeof host - 1);
    std::string line = "rank " + std::to_string(group.rank()) + " of " + std::to_string(group.size()) +
                       " on " + host + ": sum = [";
    for (std::size_t i = 0; i < sum.size(); ++i)
      line += (i == 0 ? "" : ", ") + std::to_string(static_cast<long>(sum[i]));
    std::puts((line + "]").c_str());
    return std::fflush(stdout) == 0 ? 0 : 1;
  } catch (const jackal::Error& error) {
    std::fprintf(stderr, "all_sum: %s\n", error.what());
    return 1;
  }
}
