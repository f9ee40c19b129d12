// The one place where words become text that a shell reads. Pure; any thread.
//
// The text is exact for every byte but NUL (an argv cannot hold one) in POSIX sh: dash with its internal
// bytes 0x81-0x88, bash, busybox, zsh, mksh, in any locale. It never holds a backslash, quote or `!` inside
// single quotes, so that the same text also means the same to fish and tcsh when a person pastes it there;
// the one exception is a newline, which tcsh cannot take in any form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackal::remote {

/// `word` as one word of sh, in any position: `a.out`, `'two words'`, `it\'s`, `''`. Plain words stay as they
/// are; what a shell would take for an assignment or a reserved word does not. REQUIRES: no NUL in `word`.
std::string quote(std::string_view word);

/// The words quoted, with a space between them.
std::string quote(const std::vector<std::string>& argv);

}  // namespace jackal::remote
