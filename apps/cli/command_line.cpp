#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <sstream>

#include "cli/nearest.hpp"

namespace jackal::cli {
namespace {

// CLI11 keeps the table and reads the flags; the words before it are put into one form here, because CLI11
// would take unknown flags for words of the command.
class Parser {
public:
  explicit Parser(const Table& table) : table_(table), app_("", table.program) {
    app_.set_help_flag();
    for (const Group& group : table.groups) {
      for (const Flag& flag : group.flags) add(group, flag);
    }
  }

  const Table& table() const { return table_; }
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
  void add(const Group& group, const Flag& flag) {
    if (flag.type.empty()) {
      app_.add_flag(flag.names, flag.description)->group(group.name);
      return;
    }
    values_.push_back(std::make_unique<std::vector<std::string>>());
    app_.add_option(flag.names, *values_.back(), flag.description)
        ->type_name(flag.type)
        ->group(group.name)
        ->allow_extra_args(false)
        ->take_all();
  }

  const Table& table_;
  CLI::App app_;
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
  Reader(const Parser& parser, const std::vector<std::string>& args) : parser_(parser), args_(args) {}

  Result<void> run() {
    while (next_ < args_.size()) {
      const std::string& word = args_[next_];
      if (word == "--") {
        ++next_;
        break;
      }
      if (word.size() < 2 || word[0] != '-') {
        if (parser_.table().operand.empty()) break;
        operands.push_back(word);
        ++next_;
        continue;
      }
      ++next_;
      const Result<void> read = word[1] == '-' ? long_flag(word) : short_flag(word);
      if (!read) return read;
    }
    return {};
  }

  std::vector<std::string> flags;
  std::vector<std::string> operands;
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
    const CLI::Option* option = parser_.by_short(word[1]);
    if (option == nullptr) {
      return usage(word, "no such flag", advice());
    }
    if (word.size() == 2) return add(*option, std::nullopt);
    return add(*option, word.substr(2));
  }

  Result<const CLI::Option*> find(const std::string& typed) const {
    std::vector<const CLI::Option*> starting;
    std::vector<std::string> names;
    for (const CLI::Option* option : parser_.options()) {
      const std::string name = Parser::name(*option);
      if (name == typed) return option;
      if (name.compare(0, typed.size(), typed) == 0) starting.push_back(option);
      names.push_back(name);
    }
    if (starting.size() == 1) return starting.front();
    if (starting.size() > 1) {
      std::vector<std::string> meant;
      for (const CLI::Option* option : starting) meant.push_back(Parser::name(*option));
      return usage(typed, "could be " + joined(meant, " or "), "write it out");
    }
    const std::optional<std::string> near = nearest(typed, names);
    return usage(typed, "no such flag", near ? "did you mean " + *near + "?" : advice());
  }

  Result<void> add(const CLI::Option& option, std::optional<std::string> value) {
    const std::string name = Parser::name(option);
    if (!Parser::takes_value(option)) {
      if (value) return usage(name, "takes no value, but was given '" + *value + "'", "leave the value out");
      flags.push_back(name);
      return {};
    }
    if (!value) {
      // "--hostfile --backend ring" lacks a file; only words for another program may look like flags of ours.
      const bool missing = next_ == args_.size() || args_[next_] == "--" ||
                           (name != parser_.table().free_form && is_flag(args_[next_]));
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

  std::string advice() const {
    const Table& table = parser_.table();
    return table.program + " --help lists the flags" +
           (table.takes_command ? "; those of the command go after its name" : "");
  }

  bool is_flag(const std::string& word) const {
    const std::string name = word.substr(0, word.find('='));
    for (const CLI::Option* option : parser_.options()) {
      if (Parser::name(*option) == name) return true;
      if (!option->get_snames().empty() && "-" + option->get_snames().front() == word) return true;
    }
    return false;
  }

  const Parser& parser_;
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

Result<CommandLine> split_command_line(const Table& table, const std::vector<std::string>& args) {
  Parser parser(table);
  Reader reader(parser, args);
  if (const Result<void> read = reader.run(); !read) return fail(read.error());
  std::vector<std::string> reversed(reader.flags.rbegin(), reader.flags.rend());  // as CLI11 wants them
  try {
    parser.app().parse(reversed);
  } catch (const CLI::ParseError& error) {
    return usage("", error.what(), table.program + " --help lists the flags");
  }
  CommandLine line;
  for (const CLI::Option* option : parser.options()) {
    if (option->count() == 0) continue;
    line.flags[Parser::name(*option)] =
        Parser::takes_value(*option) ? option->results() : std::vector<std::string>{""};
  }
  line.command = reader.command();
  line.operands = std::move(reader.operands);
  if (!table.takes_command && !line.command.empty()) {
    return usage(line.command.front(), "is no flag", table.program + " takes flags alone; see --help");
  }
  return line;
}

std::string flags_text(const Table& table) {
  constexpr std::size_t kDescriptionColumn = 29;
  const Parser parser(table);
  std::string text;
  std::string group;
  for (const CLI::Option* option : parser.options()) {
    if (option->get_group() != group) {
      group = option->get_group();
      text += "\n" + group + ":\n";
    }
    std::string left = option->get_snames().empty() ? "      " : "  -" + option->get_snames().front() + ", ";
    left += Parser::name(*option);
    if (Parser::takes_value(*option)) left += " " + option->get_type_name();
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

}  // namespace jackal::cli
