#include "matrix.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace jackal::hostfile {
namespace {

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}
std::string devices_text(std::size_t count) { return counted(count, "device", "devices"); }
std::string links_text(std::size_t count) { return counted(count, "link", "links"); }
std::string entries_text(std::size_t count) { return counted(count, "entry", "entries"); }

/// One entry a host, and none for the host itself; common to both tables.
template <class Entry>
std::optional<Error> check_row(const Document& document, const std::vector<std::vector<Entry>>& row,
                               Index place, std::size_t rank, std::size_t hosts) {
  if (row.size() != hosts) {
    return document.error(place, entries_text(row.size()), fmt::format("{}, one for each host", hosts), "");
  }
  if (row[rank].empty()) return std::nullopt;
  const Index own = document.entry(place, rank);
  return document.error(own, document.describe(own), "null: this is the host's entry for itself",
                        "does the order of the entries match the order of the hosts?");
}

class MatrixCheck {
public:
  MatrixCheck(const Document& document, const Decoded& decoded, Backend backend)
      : document_(document), hosts_(decoded.hostfile.hosts), places_(decoded.places), backend_(backend) {}

  std::optional<Error> run() const {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (auto error = row(i)) return error;
    }
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      for (std::size_t j = 0; j < hosts_.size(); ++j) {
        if (i == j || !is_used(i, j)) continue;
        if (auto error = pair(i, j)) return error;
      }
    }
    return std::nullopt;
  }

private:
  bool is_used(std::size_t i, std::size_t j) const {
    const std::size_t n = hosts_.size();
    return backend_ != Backend::jaccl_ring || (i + 1) % n == j || (j + 1) % n == i;
  }

  std::optional<Error> row(std::size_t i) const {
    if (!hosts_[i].rdma.empty()) {
      return check_row(document_, hosts_[i].rdma, places_[i].rdma, i, hosts_.size());
    }
    return document_.error(places_[i].host, "a host without devices in \"rdma\"",
                           fmt::format("{} entries, one for each host: backend {} uses them", hosts_.size(),
                                       to_string(backend_)),
                           "without RDMA devices, choose --backend ring or jackal");
  }

  std::optional<Error> pair(std::size_t i, std::size_t j) const {
    const std::size_t count = hosts_[i].rdma[j].size(), back = hosts_[j].rdma[i].size();
    if (count == 0 && backend_ != Backend::jackal) return missing(i, j);
    // Complain where there are fewer: that is where one has been forgotten.
    if (count < back) {
      return wrong_count(i, j, fmt::format("{}, as rank {} lists to rank {}", devices_text(back), j, i),
                         "device k of both sides is the two ends of cable k");
    }
    const std::size_t first = hosts_[0].rdma[1].size();
    if (backend_ == Backend::jaccl_ring && count != first) {
      return wrong_count(i, j, fmt::format("{}, as between ranks 0 and 1", devices_text(first)),
                         "jaccl-ring takes the same number of cables between all neighbours");
    }
    return std::nullopt;
  }

  std::optional<Error> missing(std::size_t i, std::size_t j) const {
    const Index at = document_.entry(places_[i].rdma, j);
    const std::string expected = fmt::format("the device that reaches rank {} ({})", j, hosts_[j].ssh);
    if (backend_ == Backend::jaccl) {
      return document_.error(at, document_.describe(at), expected,
                             "backend jaccl needs a device for every pair of hosts; jaccl-ring for "
                             "neighbours only, jackal takes any cabling");
    }
    return document_.error(at, document_.describe(at), expected,
                           "backend jaccl-ring joins each host with the next one in the list, and the last "
                           "with the first: the hosts must be listed in the order of the ring");
  }

  std::optional<Error> wrong_count(std::size_t i, std::size_t j, std::string_view expected,
                                   std::string hint) const {
    return document_.error(document_.entry(places_[i].rdma, j),
                           fmt::format("{} to rank {}", devices_text(hosts_[i].rdma[j].size()), j), expected,
                           std::move(hint));
  }

  const Document& document_;
  const std::vector<Host>& hosts_;
  const std::vector<HostPlace>& places_;
  Backend backend_;
};

class LinksCheck {
public:
  LinksCheck(const Document& document, const Decoded& decoded)
      : document_(document), hosts_(decoded.hostfile.hosts), places_(decoded.places) {}

  std::optional<Error> run() const {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (hosts_[i].links.empty()) continue;
      if (auto error = check_row(document_, hosts_[i].links, places_[i].links, i, hosts_.size()))
        return error;
      if (auto error = devices(i)) return error;
    }
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      for (std::size_t j = 0; j < hosts_[i].links.size(); ++j) {
        if (auto error = pair(i, j)) return error;
      }
    }
    return std::nullopt;
  }

private:
  /// The links of host i name the devices of its `rdma`, in order.
  std::optional<Error> devices(std::size_t i) const {
    const Host& host = hosts_[i];
    if (host.rdma.empty()) return std::nullopt;
    if (host.rdma.size() != hosts_.size()) {
      return document_.error(places_[i].rdma, entries_text(host.rdma.size()),
                             fmt::format("{}, one for each host, as \"links\" has", hosts_.size()));
    }
    for (std::size_t j = 0; j < hosts_.size(); ++j) {
      std::vector<std::string> named;
      for (const Link& link : host.links[j]) {
        if (!link.rdma.empty()) named.push_back(link.rdma);
      }
      if (named != host.rdma[j]) return disagreement(i, j, named);
    }
    return std::nullopt;
  }

  std::optional<Error> disagreement(std::size_t i, std::size_t j,
                                    const std::vector<std::string>& named) const {
    const auto list = [](const std::vector<std::string>& names) {
      std::string text;
      for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
      return text.empty() ? "no devices" : "devices " + text;
    };
    const Index at = document_.entry(places_[i].links, j);
    return document_.error(at, "links with " + list(named),
                           fmt::format("{}, as {} says", list(hosts_[i].rdma[j]),
                                       document_.pointer(document_.entry(places_[i].rdma, j))),
                           "\"links\" and \"rdma\" name the same devices in the same order");
  }

  std::optional<Error> pair(std::size_t i, std::size_t j) const {
    const std::vector<Link>& there = hosts_[i].links[j];
    const std::size_t back = hosts_[j].links.empty() ? 0 : hosts_[j].links[i].size();
    if (there.size() != back) {
      return document_.error(document_.entry(places_[i].links, j),
                             fmt::format("{} to rank {}", links_text(there.size()), j),
                             fmt::format("{}, as rank {} lists to rank {}", links_text(back), j, i),
                             "link k of both sides is the two ends of cable k");
    }
    for (std::size_t k = 0; k < back; ++k) {
      if (auto error = mirrored(i, j, k)) return error;
    }
    return std::nullopt;
  }

  std::optional<Error> mirrored(std::size_t i, std::size_t j, std::size_t k) const {
    const std::string& peer = hosts_[i].links[j][k].peer_ip;
    const std::string& own = hosts_[j].links[i][k].ip;
    if (peer.empty() || own.empty() || peer == own) return std::nullopt;
    const auto link = [&](std::size_t from, std::size_t to) {
      return document_.entry(document_.entry(places_[from].links, to), k);
    };
    const Index at = *document_.member(link(i, j), "peer_ip");
    return document_.error(at, in_quotes(peer),
                           fmt::format("{}, the \"ip\" of {}", in_quotes(own), document_.pointer(link(j, i))),
                           "link k of both sides is the two ends of cable k");
  }

  const Document& document_;
  const std::vector<Host>& hosts_;
  const std::vector<HostPlace>& places_;
};

}  // namespace

std::optional<Error> check_matrix(const Document& document, const Decoded& decoded, Backend backend) {
  const std::vector<Host>& hosts = decoded.hostfile.hosts;
  const bool jaccl = backend == Backend::jaccl || backend == Backend::jaccl_ring;
  if (!jaccl && backend != Backend::jackal) return std::nullopt;
  const bool present = std::any_of(hosts.begin(), hosts.end(), [](const Host& h) { return !h.rdma.empty(); });
  if (!present && (!jaccl || hosts.size() == 1)) return std::nullopt;  // a job of one rank needs no device
  return MatrixCheck(document, decoded, backend).run();
}

std::optional<Error> check_links(const Document& document, const Decoded& decoded) {
  return LinksCheck(document, decoded).run();
}

}  // namespace jackal::hostfile
