#include "jackal/remote/quote.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "jackal/base/unique_fd.hpp"
#include "output_of.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using jackal::UniqueFd;
using jackal::remote::quote;
using jackal::remote::test::is_installed;
using jackal::remote::test::output_of;
using Words = std::vector<std::string>;

namespace {

/// A shell that may be on this machine: how to start it without anybody's start-up files.
struct Shell {
  std::string name;
  Words argv;
  bool takes_newlines = true;
};

const std::vector<Shell> kShells = {
    {"sh", {"sh"}},
    {"dash", {"dash"}},
    {"bash", {"bash", "--norc", "--noprofile"}},
    {"busybox", {"busybox", "sh"}},
    {"zsh", {"zsh", "-f"}},
    {"mksh", {"mksh"}},
    {"fish", {"fish", "--no-config"}},
    {"tcsh", {"tcsh", "-f"}, false},
};

std::string output_in(const std::string& locale, Words argv) {
  argv.insert(argv.begin(), {"env", "LC_ALL=" + locale});
  return output_of(argv).bytes;
}

std::string nul_terminated(const Words& words) {
  std::string bytes;
  for (const std::string& word : words) bytes.append(word).push_back('\0');
  return bytes;
}

class ScriptFile {
public:
  ScriptFile() {
    const UniqueFd fd(::mkstemp(path_.data()));
    REQUIRE(fd);
  }
  ~ScriptFile() { fs::remove(path_); }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
  const std::string& path() const { return path_; }

private:
  std::string path_ = (fs::temp_directory_path() / "jackal-quote-XXXXXX").string();
};

/// Checks that `shell` gives every one of `words` back, through -c and through a script file.
void check_round_trip(const Shell& shell, const Words& words, const std::string& locale) {
  const std::string text = "printf '%s\\0' " + quote(words);
  const std::string expected = nul_terminated(words);
  CAPTURE(shell.name, locale, text);
  Words with_c = shell.argv;
  with_c.insert(with_c.end(), {"-c", text});
  CHECK(output_in(locale, with_c) == expected);
  const ScriptFile script;
  script.write(text + "\n");
  Words with_file = shell.argv;
  with_file.push_back(script.path());
  CHECK(output_in(locale, with_file) == expected);
}

Words every_byte(const Shell& shell) {
  Words words;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '\n' && !shell.takes_newlines) continue;
    const char c = static_cast<char>(byte);
    words.insert(words.end(), {{c}, {'a', c}, {c, 'b'}, {c, c}});
  }
  return words;
}

Words random_words(std::mt19937& random, const Shell& shell) {
  static const std::string kTricky = "a=-~ \t\n'\"\\!$`;*?[]{}#&|<>()^%@,.0\x01\x7f\x80\x81\x88\xc3\xa9\xff";
  std::uniform_int_distribution<std::size_t> length(0, 12);
  std::uniform_int_distribution<std::size_t> index(0, kTricky.size() - 1);
  Words words(40);
  for (std::string& word : words) {
    for (std::size_t left = length(random); left > 0; --left) word += kTricky[index(random)];
    if (!shell.takes_newlines) std::replace(word.begin(), word.end(), '\n', 'n');
  }
  return words;
}

}  // namespace

TEST_CASE("plain words stay readable") {
  CHECK(quote("a.out") == "a.out");
  CHECK(quote("--hosts=n1,n2:22") == "--hosts=n1,n2:22");
  CHECK(quote("/usr/bin/g++-12") == "/usr/bin/g++-12");
  CHECK(quote(Words{"echo", "-n", "user@host"}) == "echo -n user@host");
  CHECK(quote(Words{}).empty());
}

TEST_CASE("what a shell would read as more than a word is quoted") {
  CHECK(quote("") == "''");
  CHECK(quote("two words") == "'two words'");
  CHECK(quote("$HOME;") == "'$HOME;'");
  CHECK(quote("~") == "'~'");
  CHECK(quote("line\nline") == "'line\nline'");
  CHECK(quote("caf\xc3\xa9") == "'caf\xc3\xa9'");
}

TEST_CASE("assignments and reserved words are quoted wherever they stand") {
  CHECK(quote("A=b") == "'A=b'");
  CHECK(quote("=ls") == "'=ls'");
  CHECK(quote("if") == "'if'");
  CHECK(quote("iffy") == "iffy");
}

TEST_CASE("backslash, single quote and ! stand outside quotes, as fish and tcsh need it") {
  CHECK(quote("it's") == "it\\'s");
  CHECK(quote("a b!") == "'a b'\\!");
  CHECK(quote("\\n") == "\\\\n");
  CHECK(quote("$'\\") == "'$'\\'\\\\");
}

TEST_CASE("real shells give back every word, byte for byte") {
  int ran = 0;
  for (const Shell& shell : kShells) {
    if (!is_installed(shell.argv.front())) {
      WARN("not installed, not tested: " << shell.name);
      continue;
    }
    ++ran;
    std::mt19937 random(20260101);
    for (const std::string locale : {"C", "C.UTF-8"}) {
      check_round_trip(shell, every_byte(shell), locale);
      for (int round = 0; round < 5; ++round) check_round_trip(shell, random_words(random, shell), locale);
    }
  }
  CHECK(ran > 0);
}

TEST_CASE("a program whose name is a reserved word or an assignment is still only a program") {
  std::string pattern = (fs::temp_directory_path() / "jackal-quote-XXXXXX").string();
  const fs::path directory = ::mkdtemp(pattern.data());
  for (const std::string name : {"then", "esac", "done", "A=b", "=x", "it's", "a b"}) {
    fs::copy_file("/bin/echo", directory / name);
    for (const Shell& shell : kShells) {
      if (!is_installed(shell.argv.front())) continue;
      Words argv = {"PATH=" + directory.string() + ":" + std::getenv("PATH")};
      argv.insert(argv.end(), shell.argv.begin(), shell.argv.end());
      argv.insert(argv.end(), {"-c", quote(Words{name, "ran"})});
      CAPTURE(shell.name, argv.back());
      CHECK(output_in("C", argv) == "ran\n");
    }
  }
  fs::remove_all(directory);
}
