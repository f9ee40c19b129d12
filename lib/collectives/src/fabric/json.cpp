#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <utility>

#include "fabric/fabric.hpp"

namespace jackal::collectives {
namespace {

using Json = nlohmann::ordered_json;

// Far beyond anything real, and small enough for sums and products of the predictions.
constexpr std::int64_t kMostRanks = 1024;
constexpr std::int64_t kMostCores = 4096;
constexpr std::int64_t kMostCables = 64;
constexpr std::int64_t kMostNanoseconds = 10'000'000'000;
constexpr std::int64_t kMostBytesPerMs = 1'000'000'000'000;
constexpr std::size_t kMostText = 256 << 20;
constexpr std::size_t kMostTransport = 32;
constexpr int kMaxDepth = 4;

std::string line_and_column(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(text.size(), byte == 0 ? 0 : byte - 1));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n') + 1;  // 0 when there is none
  return "line " + std::to_string(lines + 1) + ", column " + std::to_string(before.size() - start + 1);
}

// Reads values out of the document. The first problem stays, and everything after it is nothing.
class Reader {
public:
  const std::string& problem() const { return problem_; }
  bool good() const { return problem_.empty(); }
  void fail(std::string problem) {
    if (good()) problem_ = std::move(problem);
  }

  Json parse(std::string_view text) {
    if (text.size() > kMostText) fail("is longer than 256 MiB");
    std::vector<std::set<std::string>> keys(1);
    bool too_deep = false;
    std::string twice;
    const auto look = [&](int depth, Json::parse_event_t event, Json& parsed) {
      too_deep = too_deep || depth > kMaxDepth;
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
        twice = parsed.get<std::string>();
      return depth <= kMaxDepth;
    };
    Json json;
    try {
      if (good()) json = Json::parse(text.begin(), text.end(), look);
    } catch (const Json::parse_error& error) {
      fail("is not valid JSON at " + line_and_column(text, error.byte));
    } catch (const Json::out_of_range&) {
      fail("has a number too large to be read");
    }
    if (too_deep) fail("is nested deeper than " + std::to_string(kMaxDepth) + " levels");
    if (!twice.empty()) fail("has \"" + twice + "\" twice in one object");
    return json;
  }

  /// Nothing but these keys in `object`, which must be one.
  void only(const Json& object, const std::string& where, std::initializer_list<const char*> keys) {
    if (!object.is_object()) return fail(where + " is not an object");
    for (const auto& [key, value] : object.items()) {
      const auto known = [&name = key](const char* one) { return name == one; };
      if (std::none_of(keys.begin(), keys.end(), known)) fail(where + " has an unknown key \"" + key + "\"");
    }
  }

  std::int64_t number(const Json& value, const std::string& where, std::int64_t low, std::int64_t high) {
    const std::string expected = ", expected " + std::to_string(low) + " to " + std::to_string(high);
    if (!value.is_number_integer()) {
      fail(where + " is not a whole number" + expected);
      return low;
    }
    const bool huge = value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX;
    if (huge || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
      fail(where + " is " + value.dump() + expected);
      return low;
    }
    return value.get<std::int64_t>();
  }

  std::int64_t required(const Json& object, const char* key, std::int64_t low, std::int64_t high) {
    const auto found = object.find(key);
    if (found != object.end()) return number(*found, key, low, high);
    fail(std::string("has no \"") + key + "\"");
    return low;
  }

private:
  std::string problem_;
};

class FabricReader {
public:
  explicit FabricReader(std::string_view text) : json_(reader_.parse(text)) {}

  ReadFabric read() {
    if (reader_.good())
      reader_.only(json_, "the fabric",
                   {"about", "ranks", "hosts", "cores", "step_ns", "copy_bytes_per_ms", "reduce_bytes_per_ms",
                    "link", "links"});
    if (reader_.good()) read_sizes();
    if (reader_.good()) read_hosts();
    if (reader_.good()) read_links();
    if (reader_.good()) check_ways();
    if (!reader_.good()) return {std::nullopt, reader_.problem()};
    return {std::move(fabric_), ""};
  }

private:
  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }

  void read_sizes() {
    if (const Json* about = find("about"); about != nullptr && !about->is_string())
      reader_.fail("about is not a string");
    fabric_.ranks = static_cast<int>(reader_.required(json_, "ranks", 1, kMostRanks));
    fabric_.step_ns = reader_.required(json_, "step_ns", 0, kMostNanoseconds);
    fabric_.copy_bytes_per_ms = reader_.required(json_, "copy_bytes_per_ms", 1, kMostBytesPerMs);
    fabric_.reduce_bytes_per_ms = reader_.required(json_, "reduce_bytes_per_ms", 1, kMostBytesPerMs);
    const std::size_t ranks = static_cast<std::size_t>(fabric_.ranks);
    fabric_.paths.resize(ranks * ranks);
    fabric_.host_of.resize(ranks);
    std::iota(fabric_.host_of.begin(), fabric_.host_of.end(), 0);
  }

  void read_hosts() {
    const Json* hosts = find("hosts");
    if (hosts != nullptr && (!hosts->is_array() || hosts->size() != fabric_.host_of.size()))
      return reader_.fail("hosts is not a list with the host of each of the " +
                          std::to_string(fabric_.ranks) + " ranks");
    for (std::size_t rank = 0; hosts != nullptr && rank < hosts->size(); ++rank)
      fabric_.host_of[rank] = static_cast<int>(
          reader_.number((*hosts)[rank], "hosts[" + std::to_string(rank) + "]", 0, fabric_.ranks - 1));
    fabric_.cores_of_host.assign(
        static_cast<std::size_t>(*std::max_element(fabric_.host_of.begin(), fabric_.host_of.end())) + 1, 0);
    // Unless told otherwise, a core for each rank.
    for (const int host : fabric_.host_of) ++fabric_.cores_of_host[static_cast<std::size_t>(host)];
    if (const Json* cores = find("cores")) read_cores(*cores);
  }

  void read_cores(const Json& cores) {
    if (cores.is_array() && cores.size() != fabric_.cores_of_host.size())
      return reader_.fail("cores is neither a number nor a list of one for each of the " +
                          std::to_string(fabric_.cores_of_host.size()) + " hosts");
    for (std::size_t host = 0; host < fabric_.cores_of_host.size(); ++host) {
      const std::string where = cores.is_array() ? "cores[" + std::to_string(host) + "]" : "cores";
      fabric_.cores_of_host[host] =
          static_cast<int>(reader_.number(cores.is_array() ? cores[host] : cores, where, 1, kMostCores));
    }
  }

  // What one entry says of its link, over what holds for all.
  void read_path(const Json& entry, const std::string& where, Path& path) {
    const auto number = [&](const char* key, std::int64_t low, std::int64_t high, std::int64_t& value) {
      const auto found = entry.find(key);
      if (found != entry.end()) value = reader_.number(*found, where + "." + key, low, high);
    };
    std::int64_t cables = path.cables;
    number("cables", 1, kMostCables, cables);
    path.cables = static_cast<int>(cables);
    number("latency_ns", 0, kMostNanoseconds, path.latency_ns);
    number("bytes_per_ms", 1, kMostBytesPerMs, path.bytes_per_ms);
    const auto transport = entry.find("transport");
    if (transport == entry.end()) return;
    if (!transport->is_string() || transport->get_ref<const std::string&>().size() > kMostTransport)
      return reader_.fail(where + ".transport is not a short string");
    path.transport = transport->get<std::string>();
  }

  void read_links() {
    Path common{1, -1, -1, "tcp"};
    if (const Json* link = find("link")) {
      reader_.only(*link, "link", {"cables", "latency_ns", "bytes_per_ms", "transport"});
      if (reader_.good()) read_path(*link, "link", common);
    }
    const Json* links = find("links");
    if (links == nullptr) return reader_.fail("has no \"links\"");
    if (links->is_string()) return read_shape(links->get<std::string>(), common);
    if (!links->is_array()) return reader_.fail("links is neither \"mesh\", \"ring\", \"chain\" nor a list");
    for (std::size_t i = 0; i < links->size() && reader_.good(); ++i)
      read_link((*links)[i], "links[" + std::to_string(i) + "]", common);
  }

  void read_shape(const std::string& shape, const Path& common) {
    if (shape != "mesh" && shape != "ring" && shape != "chain")
      return reader_.fail("links is \"" + shape + "\", expected \"mesh\", \"ring\", \"chain\" or a list");
    const int ranks = fabric_.ranks;
    for (int a = 0; a < ranks; ++a) {
      for (int b = a + 1; b < ranks; ++b) {
        const bool linked = shape == "mesh" || b == a + 1 || (shape == "ring" && a == 0 && b == ranks - 1);
        if (!linked) continue;
        set(a, b, common, "links");
        set(b, a, common, "links");
      }
    }
  }

  void read_link(const Json& entry, const std::string& where, Path path) {
    reader_.only(entry, where,
                 {"between", "from", "to", "cables", "latency_ns", "bytes_per_ms", "transport"});
    if (!reader_.good()) return;
    read_path(entry, where, path);
    if (entry.contains("between") == (entry.contains("from") || entry.contains("to")))
      return reader_.fail(where + " has to have either \"between\", or \"from\" and \"to\"");
    if (entry.contains("between")) {
      const Json& ends = entry["between"];
      if (!ends.is_array() || ends.size() != 2)
        return reader_.fail(where + ".between is not a list of two ranks");
      const int a = end(ends[0], where + ".between[0]");
      const int b = end(ends[1], where + ".between[1]");
      set(a, b, path, where);
      return set(b, a, path, where);
    }
    if (!entry.contains("from") || !entry.contains("to"))
      return reader_.fail(where + " has only one of \"from\" and \"to\"");
    set(end(entry["from"], where + ".from"), end(entry["to"], where + ".to"), path, where);
  }

  int end(const Json& value, const std::string& where) {
    return static_cast<int>(reader_.number(value, where, 0, fabric_.ranks - 1));
  }

  void set(int from, int to, const Path& path, const std::string& where) {
    if (!reader_.good()) return;
    if (from == to) return reader_.fail(where + " links rank " + std::to_string(from) + " with itself");
    Path& place = fabric_.paths[static_cast<std::size_t>(from) * static_cast<std::size_t>(fabric_.ranks) +
                                static_cast<std::size_t>(to)];
    const std::string ends = " from rank " + std::to_string(from) + " to rank " + std::to_string(to);
    if (place.linked()) return reader_.fail(where + " is a second link" + ends);
    if (path.latency_ns < 0) return reader_.fail(where + " has no latency_ns, and link has none for all");
    if (path.bytes_per_ms < 0) return reader_.fail(where + " has no bytes_per_ms, and link has none for all");
    place = path;
  }

  void check_ways() {
    for (int from = 0; from < fabric_.ranks; ++from)
      for (int to = 0; to < from; ++to)
        if (fabric_.path(from, to).linked() != fabric_.path(to, from).linked())
          reader_.fail("links go one way only between ranks " + std::to_string(to) + " and " +
                       std::to_string(from));
  }

  Reader reader_;
  Json json_;
  Fabric fabric_;
};

Json path_entry(const Path& path, const Path& common) {
  Json entry = Json::object();
  if (path.cables != common.cables) entry["cables"] = path.cables;
  if (path.latency_ns != common.latency_ns) entry["latency_ns"] = path.latency_ns;
  if (path.bytes_per_ms != common.bytes_per_ms) entry["bytes_per_ms"] = path.bytes_per_ms;
  if (path.transport != common.transport) entry["transport"] = path.transport;
  return entry;
}

// `ends` before what differs.
Json link_entry(Json ends, const Path& path, const Path& common) {
  ends.update(path_entry(path, common));
  return ends;
}

}  // namespace

ReadFabric parse_fabric(std::string_view json) { return FabricReader(json).read(); }

std::string write_fabric(const Fabric& fabric) {
  const auto linked = [](const Path& path) { return path.linked(); };
  const auto first = std::find_if(fabric.paths.begin(), fabric.paths.end(), linked);
  const Path common = first == fabric.paths.end() ? Path{1, 0, 1, "tcp"} : *first;
  Json links = Json::array();
  for (int a = 0; a < fabric.ranks; ++a) {
    for (int b = a + 1; b < fabric.ranks; ++b) {
      const Path& there = fabric.path(a, b);
      const Path& back = fabric.path(b, a);
      if (!there.linked()) continue;
      if (there == back) {
        links.push_back(link_entry({{"between", {a, b}}}, there, common));
      } else {
        links.push_back(link_entry({{"from", a}, {"to", b}}, there, common));
        links.push_back(link_entry({{"from", b}, {"to", a}}, back, common));
      }
    }
  }
  const Json whole = {{"ranks", fabric.ranks},
                      {"hosts", fabric.host_of},
                      {"cores", fabric.cores_of_host},
                      {"step_ns", fabric.step_ns},
                      {"copy_bytes_per_ms", fabric.copy_bytes_per_ms},
                      {"reduce_bytes_per_ms", fabric.reduce_bytes_per_ms},
                      {"link", path_entry(common, Path{0, -1, -1, ""})},
                      {"links", links}};
  return whole.dump(1) + "\n";
}

}  // namespace jackal::collectives
