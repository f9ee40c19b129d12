#include "launch/words.hpp"

#include <optional>

namespace jackal::launch {
namespace {

constexpr std::string_view kBlanks = " \t\n";

class Splitter {
public:
  Splitter(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  Result<std::vector<std::string>> run() {
    while (next_ < text_.size()) {
      const char byte = text_[next_++];
      if (byte == '\'') {
        if (!single_quoted()) return open_quote('\'');
      } else if (byte == '"') {
        if (!double_quoted()) return open_quote('"');
      } else if (byte == '\\') {
        if (next_ == text_.size()) return error("it ends in a backslash that quotes nothing");
        escaped();
      } else if (kBlanks.find(byte) != std::string_view::npos) {
        end_word();
      } else {
        word().push_back(byte);
      }
    }
    end_word();
    return std::move(words_);
  }

private:
  // A word starts with its first byte or its first quote: '' is an empty word.
  std::string& word() {
    if (!word_) word_.emplace();
    return *word_;
  }

  void end_word() {
    if (word_) words_.push_back(std::move(*word_));
    word_.reset();
  }

  bool single_quoted() {
    const std::size_t close = text_.find('\'', next_);
    if (close == std::string_view::npos) return false;
    word().append(text_.substr(next_, close - next_));
    next_ = close + 1;
    return true;
  }

  bool double_quoted() {
    word();
    while (next_ < text_.size()) {
      char byte = text_[next_++];
      if (byte == '"') return true;
      if (byte == '\\' && next_ < text_.size()) {
        const char quoted = text_[next_];
        if (quoted == '\n') {
          ++next_;
          continue;
        }
        if (std::string_view("$`\"\\").find(quoted) != std::string_view::npos) byte = text_[next_++];
      }
      word().push_back(byte);
    }
    return false;
  }

  void escaped() {
    const char quoted = text_[next_++];
    if (quoted != '\n') word().push_back(quoted);
  }

  tl::unexpected<Error> error(std::string what) const {
    return fail({ErrorCode::usage, std::string(where_), std::string(text_) + ": " + std::move(what),
                 "the text is split into words as a shell would split it"});
  }
  tl::unexpected<Error> open_quote(char quote) const {
    return error(std::string("a ") + quote + " is never closed");
  }

  std::string_view text_;
  std::string_view where_;
  std::size_t next_ = 0;
  std::optional<std::string> word_;
  std::vector<std::string> words_;
};

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view text, std::string_view where) {
  return Splitter(text, where).run();
}

}  // namespace jackal::launch
