// Writes a host file in its canonical form: the object, keys in a fixed order, one host a line.
#pragma once

#include <filesystem>
#include <string>

#include "jackal/base/error.hpp"
#include "jackal/hostfile/hostfile.hpp"

namespace jackal::hostfile {

/// Ends with a newline; parse(to_json(h)) is h.
std::string to_json(const Hostfile& hostfile);

/// Replaces the file at once; on failure what was there stays.
Result<void> write(const std::filesystem::path& path, const Hostfile& hostfile);

}  // namespace jackal::hostfile
