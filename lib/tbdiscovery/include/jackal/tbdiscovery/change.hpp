// What a set-up changes on a node and what was there before. A record of changes is kept on the node itself,
// so that anybody who may log in there can undo them from any machine. Undoing compares the record with how
// the node is now: changes that were never made, or that a restart took back, need nothing. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/report.hpp"

namespace jackal::tbdiscovery {

enum class ChangeKind {
  left_bridge,      // interface was a member of bridge
  removed_address,  // of interface: address/prefix
  raised,           // interface was down
  added_address,    // to interface: address/prefix
  routed,           // address is now reached over interface
  wrote_file,       // path was not there
  enabled_unit,     // path: systemd's name of it
};

struct Change {
  ChangeKind kind = ChangeKind::raised;
  std::string interface;
  std::string bridge;
  Ipv4 address;
  int prefix = 0;
  std::optional<InterfaceAddress> displaced;  // added_address: the one that gave way to it; not in a record
  std::optional<Route> before;                // routed: the way that it had, a route of its own
  std::string path;

  bool operator==(const Change&) const = default;
};

struct ChangeRecord {
  System system = System::unknown;
  std::vector<Change> changes;  // in the order in which they were made

  bool operator==(const ChangeRecord&) const = default;
};

/// As JSON with a version; empty for no changes.
std::string to_text(const ChangeRecord& record);
/// `where` names the file in the error.
Result<ChangeRecord> read_record(std::string_view text, const std::string& where);

/// Whether the change is still to be seen. Files and units are not among what a node reports: always true.
bool in_force(const Change& change, const NodeReport& now);

/// The record after `more` changes: of the old ones only those that are still to be seen.
ChangeRecord extended(const ChangeRecord& old, const std::vector<Change>& more, const NodeReport& now);

/// What has to be undone now, in this order. Where two changes concern the same thing, what was before the
/// first of them counts.
std::vector<Change> changes_to_undo(const ChangeRecord& record, const NodeReport& now);

}  // namespace jackal::tbdiscovery
