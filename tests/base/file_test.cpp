#include "jackal/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>

#include "jackal/base/unique_fd.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using jackal::ErrorCode;
using jackal::read_file;
using jackal::UniqueFd;
using jackal::write_file;

namespace {

class Directory {
public:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "jackal-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }
  auto entries() const { return std::distance(fs::directory_iterator(path_), fs::directory_iterator()); }

private:
  fs::path path_;
};

}  // namespace

TEST_CASE("what was written is read back, and nothing else is left beside it") {
  const Directory directory;
  const std::string bytes("a\0b\n\xff", 5);
  REQUIRE(write_file(directory / "f", bytes));
  CHECK(read_file(directory / "f", 5).value() == bytes);
  CHECK(directory.entries() == 1);
}

TEST_CASE("a failed write keeps the old file") {
  const Directory directory;
  REQUIRE(write_file(directory / "f", "old"));
  CHECK(!write_file(directory / "no" / "such" / "f", "new"));
  CHECK(read_file(directory / "f", 99).value() == "old");
}

TEST_CASE("a write through a symbolic link keeps the link") {
  const Directory directory;
  REQUIRE(write_file(directory / "f", "old"));
  fs::create_symlink(directory / "f", directory / "link");
  REQUIRE(write_file(directory / "link", "new"));
  CHECK(fs::is_symlink(directory / "link"));
  CHECK(read_file(directory / "f", 99).value() == "new");
}

TEST_CASE("what is no regular file is written into and stays what it is") {
  const Directory directory;
  REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
  const UniqueFd reader(::open((directory / "pipe").c_str(), O_RDONLY | O_NONBLOCK));
  fs::create_symlink(directory / "pipe", directory / "link");
  REQUIRE(write_file(directory / "link", "through"));
  std::string got(99, '\0');
  CHECK(::read(reader.get(), got.data(), got.size()) == 7);
  CHECK(got.substr(0, 7) == "through");
  CHECK(fs::is_fifo(directory / "pipe"));
  CHECK(directory.entries() == 2);
}

TEST_CASE("directories, missing and oversized files are told apart") {
  const Directory directory;
  REQUIRE(write_file(directory / "f", "12345"));
  CHECK(read_file(directory / "", 99).error().code == ErrorCode::bad_input);
  CHECK(read_file(directory / "none", 99).error().code == ErrorCode::not_found);
  CHECK(read_file(directory / "f", 4).error().code == ErrorCode::bad_input);
}
