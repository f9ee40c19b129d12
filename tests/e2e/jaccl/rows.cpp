// A program for JACCL that configures its group itself: rows of a matrix are dealt, scaled, and collected.
//   rows COORDINATOR         the ranks meet at ADDRESS:PORT of rank 0
//   rows --files DIRECTORY   the ranks meet by files in DIRECTORY
#include <jaccl/jaccl.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

namespace {

// Everybody's bytes, once everybody's file of this step is there.
jaccl::AllGatherFn gather_by_files(const std::filesystem::path& directory, int rank, int size) {
  return [=, step = 0](const char* src, char* dst, size_t n_bytes) mutable {
    const auto path = [&](int whose) {
      return directory / (std::to_string(step) + "." + std::to_string(whose));
    };
    const std::string unfinished = path(rank).string() + ".part";
    std::ofstream(unfinished, std::ios::binary).write(src, static_cast<std::streamsize>(n_bytes));
    std::filesystem::rename(unfinished, path(rank));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (int whose = 0; whose < size; ++whose) {
      while (!std::filesystem::exists(path(whose))) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("a rank did not come");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      std::ifstream file(path(whose), std::ios::binary);
      file.read(dst + static_cast<size_t>(whose) * n_bytes, static_cast<std::streamsize>(n_bytes));
    }
    ++step;
  };
}

std::shared_ptr<jaccl::Group> make_group(int argc, char** argv) {
  auto config = jaccl::Config()
                    .set_rank(std::getenv("MLX_RANK"))
                    .set_devices({{{}, {"rdma_en1"}, {"rdma_en2"}, {"rdma_en3"}},
                                  {{"rdma_en1"}, {}, {"rdma_en2"}, {"rdma_en3"}},
                                  {{"rdma_en1"}, {"rdma_en2"}, {}, {"rdma_en3"}},
                                  {{"rdma_en1"}, {"rdma_en2"}, {"rdma_en3"}, {}}});
  if (argc == 3 && std::strcmp(argv[1], "--files") == 0) {
    const std::filesystem::path directory = argv[2];
    config.set_all_gather_factory(
        [directory](int rank, int size) { return gather_by_files(directory, rank, size); });
  } else if (argc == 2) {
    config.set_coordinator(argv[1]).prefer_ring();
  }
  return jaccl::init(config, /* strict= */ true);
}

}  // namespace

int main(int argc, char** argv) try {
  auto group = make_group(argc, argv);
  const int rank = group->rank();
  const int size = group->size();
  constexpr size_t kRow = 5000;

  // Rank 0 deals row r to rank r.
  std::vector<int> row(kRow, 1);
  if (rank == 0)
    for (int to = 1; to < size; ++to) {
      const std::vector<int> dealt(kRow, to + 1);
      group->send(dealt.data(), kRow * sizeof(int), to);
    }
  else
    group->recv(row.data(), kRow * sizeof(int), 0);

  std::vector<int> all(kRow * static_cast<size_t>(size));
  group->all_gather(row.data(), all.data(), kRow * sizeof(int));
  // Everybody has all rows, so the sum of row `rank` over the ranks is `size` times it.
  group->sum_scatter(all.data(), row.data(), kRow * sizeof(int), jaccl::Int32);
  group->barrier();

  long total = 0;
  for (const int one : row) total += one;
  std::cout << "rank " + std::to_string(rank) + ": " + std::to_string(total) + "\n";
} catch (const std::exception& error) {
  std::cerr << "rows: " << error.what() << "\n";
  return 4;
}
