#include "launch/command_line.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <sstream>

#include "launch/nearest.hpp"

namespace jackal::launch {
namespace {

// CLI11 keeps the table and reads the flags; the words before it are put into one form here, because CLI11
// would take unknown flags for words of the command.
class Table {
public:
  Table() : app_("", "launch") {
    app_.set_help_flag();
    group("Where to run");
    value("--hosts", "LIST",
          "hosts in rank order: a,b or mac[1-4]; 127.0.0.1 and localhost are this machine, without SSH "
          "(default 127.0.0.1)");
    value("--hostfile", "FILE", "hosts, addresses and devices from a JSON host file");
    value("--exclude", "LIST", "leave these hosts out; may be repeated");
    value("-n,--repeat-hosts", "N", "ranks on every host, in the order a a b b (default 1)");
    value("--ssh-config", "FILE", "read this instead of ~/.ssh/config, as ssh -F");
    value("--ssh", "WHICH", "libssh (default), or system: the installed ssh program");
    group("What to run");
    value("--env", "NAME=VALUE", "set a variable for every rank; may be repeated, beats the host file's");
    value("--cwd", "DIR",
          "run in this directory of every node, which must exist (default: the current one where it exists)");
    value("--python", "EXE", "run the command with this interpreter");
    flag("--print-python", "print the interpreter that a script gets, and end");
    value("--stdin", "WHO", "who gets standard input: all (default) or none");
    flag("--pty", "give rank 0 a terminal");
    group("How ranks find each other");
    value("--backend", "NAME",
          "ring, mpi, nccl, jaccl, jaccl-ring or jackal (default: the host file's, else ring)");
    value("-p,--starting-port", "PORT",
          "first port of ring, or the coordinator's of jaccl (default 32323, or one near it when taken)");
    value("--connections-per-ip", "N", "connections for every address, with ring (default 1)");
    value("--nccl-port", "PORT", "rank 0's port, with nccl (default 12345, or one near it when taken)");
    value("--mpi-arg", "WORDS", "more words for mpirun, split as a shell would; may be repeated");
    group("How it ends");
    value("--grace", "SECONDS", "between TERM and KILL when ranks are stopped (default 5)");
    value("--timeout", "SECONDS", "stop the job after this long and exit with 124");
    group("What is shown");
    flag("--dry-run", "print each rank's host, environment, files and command; connect to nobody");
    flag("--json", "with --dry-run: for programs");
    flag("--verbose", "say what happens; make the backend say it too");
    flag("--version", "print the version and end");
    flag("-h,--help", "print this and end");
  }

  CLI::App& app() { return app_; }

  std::vector<const CLI::Option*> options() const { return app_.get_options(); }

  static std::string name(const CLI::Option& option) { return "--" + option.get_lnames().front(); }
  static bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

  const CLI::Option* by_short(char letter) const {
    for (const CLI::Option* option : options()) {
      if (!option->get_snames().empty() && option->get_snames().front()[0] == letter) return option;
    }
    return nullptr;
  }

private:
  void group(std::string name) { group_ = std::move(name); }
  void value(const std::string& names, const std::string& type, const std::string& description) {
    values_.push_back(std::make_unique<std::vector<std::string>>());
    app_.add_option(names, *values_.back(), description)
        ->type_name(type)
        ->group(group_)
        ->allow_extra_args(false)
        ->take_all();
  }
  void flag(const std::string& names, const std::string& description) {
    app_.add_flag(names, description)->group(group_);
  }

  CLI::App app_;
  std::string group_;
  std::vector<std::unique_ptr<std::vector<std::string>>> values_;  // CLI11 keeps their addresses
};

tl::unexpected<Error> usage(std::string where, std::string what, std::string hint) {
  return fail({ErrorCode::usage, std::move(where), std::move(what), std::move(hint)});
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

// Turns what a person typed into "--flag value" pairs and finds where the command begins.
class Reader {
public:
  Reader(const Table& table, const std::vector<std::string>& args) : table_(table), args_(args) {}

  Result<void> run() {
    while (next_ < args_.size()) {
      const std::string& word = args_[next_];
      if (word == "--") {
        ++next_;
        break;
      }
      if (word.size() < 2 || word[0] != '-') break;
      ++next_;
      const Result<void> read = word[1] == '-' ? long_flag(word) : short_flag(word);
      if (!read) return read;
    }
    return {};
  }

  std::vector<std::string> flags;
  std::vector<std::string> command() const {
    return {args_.begin() + static_cast<std::ptrdiff_t>(next_), args_.end()};
  }

private:
  Result<void> long_flag(const std::string& word) {
    const std::size_t equals = word.find('=');
    const Result<const CLI::Option*> option = find(word.substr(0, equals));
    if (!option) return fail(option.error());
    if (equals == std::string::npos) return add(**option, std::nullopt);
    return add(**option, word.substr(equals + 1));
  }

  Result<void> short_flag(const std::string& word) {
    const CLI::Option* option = table_.by_short(word[1]);
    if (option == nullptr) {
      return usage(word, "no such flag",
                   "launch --help lists the flags; those of the command go after its name");
    }
    if (word.size() == 2) return add(*option, std::nullopt);
    return add(*option, word.substr(2));
  }

  Result<const CLI::Option*> find(const std::string& typed) const {
    std::vector<const CLI::Option*> starting;
    std::vector<std::string> names;
    for (const CLI::Option* option : table_.options()) {
      const std::string name = Table::name(*option);
      if (name == typed) return option;
      if (name.compare(0, typed.size(), typed) == 0) starting.push_back(option);
      names.push_back(name);
    }
    if (starting.size() == 1) return starting.front();
    if (starting.size() > 1) {
      std::vector<std::string> meant;
      for (const CLI::Option* option : starting) meant.push_back(Table::name(*option));
      return usage(typed, "could be " + joined(meant, " or "), "write it out");
    }
    const std::optional<std::string> near = nearest(typed, names);
    return usage(typed, "no such flag",
                 near ? "did you mean " + *near + "?"
                      : "launch --help lists the flags; those of the command go after its name");
  }

  Result<void> add(const CLI::Option& option, std::optional<std::string> value) {
    const std::string name = Table::name(option);
    if (!Table::takes_value(option)) {
      if (value) return usage(name, "takes no value, but was given '" + *value + "'", "leave the value out");
      flags.push_back(name);
      return {};
    }
    if (!value) {
      // "--hostfile --backend ring" lacks a file; only mpirun's own words may look like flags of ours.
      const bool missing =
          next_ == args_.size() || args_[next_] == "--" || (name != "--mpi-arg" && is_flag(args_[next_]));
      if (missing) {
        return usage(name, "needs a value",
                     "write " + name + " " + option.get_type_name() + ": " + option.get_description());
      }
      value = args_[next_++];
    }
    flags.push_back(name);
    flags.push_back(*value);
    return {};
  }

  bool is_flag(const std::string& word) const {
    const std::string name = word.substr(0, word.find('='));
    for (const CLI::Option* option : table_.options()) {
      if (Table::name(*option) == name) return true;
      if (!option->get_snames().empty() && "-" + option->get_snames().front() == word) return true;
    }
    return false;
  }

  const Table& table_;
  const std::vector<std::string>& args_;
  std::size_t next_ = 0;
};

// Appends `text` in lines of at most 80 columns, all but the first of them indented.
void append_wrapped(std::string& out, const std::string& text, std::size_t indent) {
  constexpr std::size_t kWidth = 80;
  std::istringstream words(text);
  std::size_t column = indent;
  for (std::string word; words >> word;) {
    if (column > indent && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  out += '\n';
}

}  // namespace

Result<CommandLine> split_command_line(const std::vector<std::string>& args) {
  Table table;
  Reader reader(table, args);
  if (const Result<void> read = reader.run(); !read) return fail(read.error());
  std::vector<std::string> reversed(reader.flags.rbegin(), reader.flags.rend());  // as CLI11 wants them
  try {
    table.app().parse(reversed);
  } catch (const CLI::ParseError& error) {
    return usage("", error.what(), "launch --help lists the flags");
  }
  CommandLine line;
  for (const CLI::Option* option : table.options()) {
    if (option->count() == 0) continue;
    line.flags[Table::name(*option)] =
        Table::takes_value(*option) ? option->results() : std::vector<std::string>{""};
  }
  line.command = reader.command();
  return line;
}

std::string flags_text() {
  constexpr std::size_t kDescriptionColumn = 29;
  const Table table;
  std::string text;
  std::string group;
  for (const CLI::Option* option : table.options()) {
    if (option->get_group() != group) {
      group = option->get_group();
      text += "\n" + group + ":\n";
    }
    std::string left = option->get_snames().empty() ? "      " : "  -" + option->get_snames().front() + ", ";
    left += Table::name(*option);
    if (Table::takes_value(*option)) left += " " + option->get_type_name();
    if (left.size() + 2 > kDescriptionColumn) {
      text += left + "\n";
      left.clear();
    }
    left.resize(kDescriptionColumn, ' ');
    text += left;
    append_wrapped(text, option->get_description(), kDescriptionColumn);
  }
  return text;
}

}  // namespace jackal::launch
