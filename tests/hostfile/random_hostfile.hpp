// Host files that nobody would write by hand, all of them valid: the writer's round trip must hold for each.
#pragma once

#include <array>
#include <random>
#include <string>

#include "jackal/hostfile/hostfile.hpp"

inline std::size_t below(std::mt19937& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

/// A string without spaces and control characters, never empty, with what JSON and pointers escape.
inline std::string random_word(std::mt19937& random) {
  constexpr std::array<const char*, 14> kPieces{"a",  "rdma_en5",   "\"", "\\", "/", "~", "é",
                                                "日", "\U0001F98A", ",",  "]",  "}", ":", "\\u0041"};
  std::string word = "m";
  for (std::size_t n = below(random, 6); n > 0; --n) word += kPieces[below(random, kPieces.size())];
  return word;
}

inline std::string random_text(std::mt19937& random) {
  constexpr std::array<const char*, 6> kPieces{" ", "\n", "\t", "\x01", "\x7F", "="};
  std::string text = random_word(random);
  for (std::size_t n = below(random, 4); n > 0; --n) {
    text += kPieces[below(random, kPieces.size())] + random_word(random);
  }
  return text;
}

inline jackal::hostfile::Extras random_extras(std::mt19937& random) {
  constexpr std::array<const char*, 7> kValues{
      "null", "1.50e+3", "[]", "{\"a\":[1,{\"b\":\"] }\"}]}", "\"\\u00e9 \\\"\"", "-0", "true"};
  jackal::hostfile::Extras extras;
  for (std::size_t n = below(random, 3); n > 0; --n) {
    extras.emplace_back("x" + std::to_string(n) + random_text(random),
                        kValues[below(random, kValues.size())]);
  }
  return extras;
}

/// Cables between each pair, the same number from both ends, with matching devices and addresses.
inline void random_cabling(std::mt19937& random, jackal::hostfile::Hostfile& file) {
  const std::size_t n = file.hosts.size();
  const bool matrix = below(random, 2) == 0, links = below(random, 2) == 0;
  for (auto& host : file.hosts) {
    if (matrix) host.rdma.resize(n);
    if (links) host.links.resize(n);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const std::size_t cables = i < j ? below(random, 3)
                                       : (matrix  ? file.hosts[j].rdma[i].size()
                                          : links ? file.hosts[j].links[i].size()
                                                  : 0);
      for (std::size_t k = 0; k < cables; ++k) {
        const std::string device = random_word(random);
        const std::string ip = "10." + std::to_string(i) + "." + std::to_string(j) + "." + std::to_string(k);
        const std::string peer =
            "10." + std::to_string(j) + "." + std::to_string(i) + "." + std::to_string(k);
        if (matrix) file.hosts[i].rdma[j].push_back(device);
        if (!links) continue;
        file.hosts[i].links[j].push_back({ip, peer, random_word(random), device, below(random, 2) ? "2" : "",
                                          random_word(random), random_extras(random)});
      }
    }
  }
}

inline jackal::hostfile::Hostfile random_hostfile(std::mt19937& random) {
  using jackal::hostfile::Backend;
  constexpr std::array<Backend, 4> kBackends{Backend::ring, Backend::mpi, Backend::nccl, Backend::jackal};
  jackal::hostfile::Hostfile file;
  if (below(random, 3) != 0) file.backend = kBackends[below(random, kBackends.size())];
  for (std::size_t n = below(random, 3); n > 0; --n) file.envs.push_back("A_1=" + random_text(random));
  for (std::size_t n = 1 + below(random, 5); n > 0; --n) {
    jackal::hostfile::Host host;
    host.ssh = random_word(random);
    for (std::size_t ips = below(random, 3); ips > 0; --ips) {
      host.ips.push_back(below(random, 2) ? "10.0.0." + std::to_string(ips) : "fe80::1%en0");
    }
    host.extras = random_extras(random);
    file.hosts.push_back(host);
  }
  random_cabling(random, file);
  file.extras = random_extras(random);
  return file;
}
