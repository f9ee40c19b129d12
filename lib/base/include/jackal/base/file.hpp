// Whole files, read with a limit and written so that nobody ever sees half of one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "jackal/base/error.hpp"

namespace jackal {

/// The bytes of a regular file or pipe. A directory, a missing file and one of more than `limit_bytes` are
/// errors that name the path.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes);

/// Replaces `path` at once (temporary file beside it, fsync, rename). What was there stays when anything
/// fails, and the temporary file goes. A symbolic link is followed, so the link itself survives. What is no
/// regular file, such as /dev/stdout, is written into.
Result<void> write_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode = 0644);

/// Makes a new file with these bytes; one that is there already is an error. Nothing stays when anything
/// fails.
Result<void> create_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode);

}  // namespace jackal
