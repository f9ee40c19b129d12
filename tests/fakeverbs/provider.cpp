// The ibv_* entry points over a World: unreliable connections with SEND and RECV, and Apple's limits enforced
// to the letter. What a real device would do silently (lose a message that finds no receive) is done and
// counted.
#include <infiniband/verbs.h>

#undef ibv_query_port
#undef ibv_reg_mr

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <vector>

#include "world.hpp"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using namespace fakeverbs;

struct FakeDevice {
  ibv_device device;
  int number;
};
struct FakeContext {
  ibv_context context;
  int number;
};
struct FakeQueue {
  ibv_cq cq;
  int number;
};

World& world() {
  static World& opened =
      open_world(std::getenv("FAKE_VERBS") != nullptr ? std::getenv("FAKE_VERBS") : "", false);
  return opened;
}

Device& device_of(ibv_context* context) {
  return world().devices[reinterpret_cast<FakeContext*>(context)->number];
}

std::int64_t now_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1000000;
}

bool chance(int ppm) {
  std::uint64_t& x = world().random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return static_cast<int>(x % 1000000) < ppm;
}

void fill_gid(int number, int index, ibv_gid& gid) {
  gid = {};
  const Device& device = world().devices[number];
  if (index == device.gid_index) {
    if (device.gid_ms < 0 || now_ms() < device.gid_ms) return;
    gid.raw[10] = gid.raw[11] = 0xff;
    gid.raw[12] = 10;
    gid.raw[14] = static_cast<std::uint8_t>((number + 1) >> 8);
    gid.raw[15] = static_cast<std::uint8_t>(number + 1);
  } else if (index == 0) {
    gid.raw[0] = 0xfe;
    gid.raw[1] = 0x80;
    gid.raw[14] = static_cast<std::uint8_t>((number + 1) >> 8);
    gid.raw[15] = static_cast<std::uint8_t>(number + 1);
  }
}

struct Region {
  ibv_mr mr;
  int device;
};
std::mutex regions_guard;
std::map<std::uint32_t, Region*> regions;  // of regions_guard, by lkey
std::uint32_t next_key = 1;

bool registered(const ibv_sge& piece) {
  const std::lock_guard lock(regions_guard);
  const auto found = regions.find(piece.lkey);
  if (found == regions.end()) return false;
  const auto begin = reinterpret_cast<std::uintptr_t>(found->second->mr.addr);
  return piece.addr >= begin && piece.addr + piece.length <= begin + found->second->mr.length;
}

std::uint32_t frames_of(std::uint32_t bytes) {
  return std::max<std::uint32_t>(1, (bytes + kFrameBytes - 1) / kFrameBytes);
}

int take_frames(World& w, int count) {
  for (int tried = 0, first = w.frame_hint; tried < kFrames; ++tried, ++first) {
    first %= kFrames;
    if (first + count > kFrames) continue;
    const bool free =
        std::none_of(w.frame_used + first, w.frame_used + first + count, [](bool used) { return used; });
    if (!free) continue;
    std::fill_n(w.frame_used + first, count, true);
    w.frame_hint = first + count;
    return first;
  }
  return -1;
}

void deliver(World& w, const QueuePair& from, const ibv_sge& piece) {
  ++w.messages;
  const Device& there = w.devices[from.to_device];
  QueuePair& to = w.queue_pairs[from.to_number % kQueuePairs];
  const bool open =
      to.used && to.device == from.to_device && to.state >= IBV_QPS_RTR && to.state <= IBV_QPS_RTS;
  if (!open || !there.active || there.gone || !w.devices[from.device].active || chance(there.loss_ppm)) {
    ++w.lost;
    return;
  }
  if (to.inbox.count >= to.receives.count) {
    ++w.without_receive;
    return;
  }
  const auto frames = static_cast<int>(frames_of(piece.length));
  const int first = take_frames(w, frames);
  if (first < 0) {
    ++w.lost;
    return;
  }
  std::memcpy(w.frame(first), reinterpret_cast<const void*>(piece.addr), piece.length);
  if (chance(there.damage_ppm)) w.frame(first)[w.random % piece.length] ^= 0x20;
  to.inbox.push({first, frames, piece.length});
}

int post_send(ibv_qp* qp, ibv_send_wr* request, ibv_send_wr** refused) {
  World& w = world();
  const Lock lock(w);
  QueuePair& mine = w.queue_pairs[qp->qp_num];
  for (; request != nullptr; request = request->next) {
    *refused = request;
    if (w.devices[mine.device].gone) return ENODEV;
    if (mine.state != IBV_QPS_RTS || request->opcode != IBV_WR_SEND || request->num_sge != 1) return EINVAL;
    const ibv_sge& piece = request->sg_list[0];
    if (!registered(piece)) {
      ++w.foreign_memory;
      return EINVAL;
    }
    const std::uint32_t frames = frames_of(piece.length);
    if (mine.frames_send + frames > mine.depth_send || !mine.sent.push({request->wr_id})) {
      ++w.over_posts;
      return ENOMEM;
    }
    mine.sent_frames.push(frames);
    mine.frames_send += frames;
    deliver(w, mine, piece);
  }
  return 0;
}

int post_receive(ibv_qp* qp, ibv_recv_wr* request, ibv_recv_wr** refused) {
  World& w = world();
  const Lock lock(w);
  QueuePair& mine = w.queue_pairs[qp->qp_num];
  for (; request != nullptr; request = request->next) {
    *refused = request;
    if (w.devices[mine.device].gone) return ENODEV;
    if (request->num_sge != 1) return EINVAL;
    const ibv_sge& piece = request->sg_list[0];
    if (!registered(piece)) {
      ++w.foreign_memory;
      return EINVAL;
    }
    const std::uint32_t frames = frames_of(piece.length);
    if (mine.frames_receive + frames > mine.depth_receive ||
        !mine.receives.push({request->wr_id, piece.addr, piece.length})) {
      ++w.over_posts;
      return ENOMEM;
    }
    mine.frames_receive += frames;
  }
  return 0;
}

void complete_receive(World& w, QueuePair& mine, ibv_wc& to) {
  const Arrival arrival = mine.inbox.pop();
  const Receive receive = mine.receives.pop();
  to.wr_id = receive.id;
  to.opcode = IBV_WC_RECV;
  to.byte_len = arrival.bytes;
  mine.frames_receive -= frames_of(receive.bytes);
  if (frames_of(receive.bytes) != static_cast<std::uint32_t>(arrival.frames)) {
    ++w.frame_mismatches;
    to.status = IBV_WC_LOC_LEN_ERR;
  } else {
    std::memcpy(reinterpret_cast<void*>(receive.address), w.frame(arrival.first_frame), arrival.bytes);
  }
  std::fill_n(w.frame_used + arrival.first_frame, arrival.frames, false);
}

int poll_queue(ibv_cq* cq, int most, ibv_wc* to) {
  World& w = world();
  const Lock lock(w);
  Device& device = device_of(cq->context);
  if (device.gone) return -1;
  int got = 0;
  for (int number = 0; number < kQueuePairs && got < most; ++number) {
    QueuePair& mine = w.queue_pairs[number];
    if (!mine.used || mine.queue != reinterpret_cast<FakeQueue*>(cq)->number) continue;
    while (got < most && (mine.sent.count > 0 || mine.inbox.count > 0)) {
      ibv_wc& one = to[got++];
      one = {};
      one.qp_num = static_cast<std::uint32_t>(number);
      if (mine.sent.count > 0) {
        one.wr_id = mine.sent.pop().id;
        mine.frames_send -= mine.sent_frames.pop();
        one.opcode = IBV_WC_SEND;
      } else {
        complete_receive(w, mine, one);
      }
      if (device.error_status != 0) one.status = static_cast<ibv_wc_status>(device.error_status);
      device.error_status = 0;
    }
  }
  return got;
}

// The count of an object that a device grants `most` of; errno EBUSY or ENOMEM when there are no more.
bool grant(int& live, int most, int refusal) {
  if (live >= most) {
    errno = refusal;
    return false;
  }
  ++live;
  return true;
}

}  // namespace

EXPORT ibv_device** ibv_get_device_list(int* count) {
  const char* node = std::getenv("FAKE_VERBS_NODE");
  std::vector<ibv_device*> found;
  World& w = world();
  const Lock lock(w);
  for (int number = 0; number < w.devices_used; ++number) {
    const Device& device = w.devices[number];
    if (device.gone || (node != nullptr && device.node != std::atoi(node))) continue;
    auto* made = new FakeDevice{};
    std::memcpy(made->device.name, device.name, sizeof device.name);
    std::memcpy(&made->device.transport_type, &device.transport, sizeof device.transport);
    made->number = number;
    found.push_back(&made->device);
  }
  auto** list = new ibv_device*[found.size() + 1]();
  std::copy(found.begin(), found.end(), list);
  if (count != nullptr) *count = static_cast<int>(found.size());
  return list;
}

EXPORT void ibv_free_device_list(ibv_device** list) {
  for (ibv_device** one = list; *one != nullptr; ++one) delete reinterpret_cast<FakeDevice*>(*one);
  delete[] list;
}

EXPORT const char* ibv_get_device_name(ibv_device* device) { return device->name; }

EXPORT ibv_context* ibv_open_device(ibv_device* device) {
  auto* made = new FakeContext{};
  made->number = reinterpret_cast<FakeDevice*>(device)->number;
  made->context.ops.post_send = post_send;
  made->context.ops.post_recv = post_receive;
  made->context.ops.poll_cq = poll_queue;
  const Lock lock(world());
  ++world().devices[made->number].live.contexts;
  return &made->context;
}

EXPORT int ibv_close_device(ibv_context* context) {
  {
    const Lock lock(world());
    --device_of(context).live.contexts;
  }
  delete reinterpret_cast<FakeContext*>(context);
  return 0;
}

EXPORT int ibv_query_device(ibv_context* context, ibv_device_attr* to) {
  const Lock lock(world());
  const Device& device = device_of(context);
  *to = {};
  to->max_qp = device.max_queue_pairs + 1;  // as macOS says: one more than it grants
  to->max_mr = device.max_regions;
  to->max_qp_wr = device.max_depth;
  to->max_sge = 1;
  to->max_mr_size = std::uint64_t{1} << 34;
  return device.gone ? ENODEV : 0;
}

// The header declares the function of this name with a type that it does not define.
EXPORT int fake_query_port(ibv_context* context, std::uint8_t port,
                           ibv_port_attr* to) __asm__("ibv_query_port");
EXPORT int fake_query_port(ibv_context* context, std::uint8_t, ibv_port_attr* to) {
  const Lock lock(world());
  const Device& device = device_of(context);
  *to = {};
  to->state = device.active ? IBV_PORT_ACTIVE : IBV_PORT_DOWN;
  to->active_mtu = to->max_mtu = IBV_MTU_4096;
  to->gid_tbl_len = kGids;
  to->lid = 1;
  return device.gone ? ENODEV : 0;
}

EXPORT int ibv_query_gid(ibv_context* context, std::uint8_t, int index, ibv_gid* gid) {
  const Lock lock(world());
  fill_gid(reinterpret_cast<FakeContext*>(context)->number, index, *gid);
  return 0;
}

EXPORT ibv_pd* ibv_alloc_pd(ibv_context* context) {
  const Lock lock(world());
  Device& device = device_of(context);
  errno = ENODEV;
  if (device.gone || !device.active || !grant(device.live.domains, 11, ENOMEM)) return nullptr;
  auto* made = new ibv_pd{};
  made->context = context;
  return made;
}

EXPORT int ibv_dealloc_pd(ibv_pd* pd) {
  const Lock lock(world());
  --device_of(pd->context).live.domains;
  delete pd;
  return 0;
}

EXPORT ibv_mr* ibv_reg_mr(ibv_pd* pd, void* address, std::size_t length, int) {
  const Lock lock(world());
  Device& device = device_of(pd->context);
  if (!grant(device.live.regions, device.max_regions, ENOMEM)) return nullptr;
  device.region_bytes += static_cast<std::int64_t>(length);
  const std::lock_guard guard(regions_guard);
  auto* made = new Region{};
  made->mr.context = pd->context;
  made->mr.pd = pd;
  made->mr.addr = address;
  made->mr.length = length;
  made->mr.lkey = next_key++;
  regions[made->mr.lkey] = made;
  return &made->mr;
}

EXPORT int ibv_dereg_mr(ibv_mr* mr) {
  const Lock lock(world());
  --device_of(mr->context).live.regions;
  device_of(mr->context).region_bytes -= static_cast<std::int64_t>(mr->length);
  const std::lock_guard guard(regions_guard);
  regions.erase(mr->lkey);
  delete reinterpret_cast<Region*>(mr);
  return 0;
}

EXPORT ibv_cq* ibv_create_cq(ibv_context* context, int entries, void*, ibv_comp_channel*, int) {
  const Lock lock(world());
  Device& device = device_of(context);
  if (entries > 4096 || !grant(device.live.queues, 11, EBUSY)) return nullptr;
  auto* made = new FakeQueue{};
  made->cq.context = context;
  made->cq.cqe = entries;
  made->number = ++world().next_queue;
  return &made->cq;
}

EXPORT int ibv_destroy_cq(ibv_cq* cq) {
  const Lock lock(world());
  --device_of(cq->context).live.queues;
  delete reinterpret_cast<FakeQueue*>(cq);
  return 0;
}

EXPORT ibv_qp* ibv_create_qp(ibv_pd* pd, ibv_qp_init_attr* init) {
  World& w = world();
  const Lock lock(w);
  Device& device = device_of(pd->context);
  errno = EOPNOTSUPP;
  if (init->qp_type != IBV_QPT_UC) return nullptr;
  errno = EINVAL;
  const auto depth = static_cast<std::uint32_t>(device.max_depth);
  if (init->cap.max_send_wr > depth || init->cap.max_recv_wr > depth || init->cap.max_send_sge > 1 ||
      init->cap.max_recv_sge > 1 || !grant(device.live.queue_pairs, device.max_queue_pairs, EBUSY))
    return nullptr;
  const auto* free = std::find_if(w.queue_pairs, w.queue_pairs + kQueuePairs,
                                  [](const QueuePair& one) { return !one.used; });
  if (free == w.queue_pairs + kQueuePairs) return nullptr;
  QueuePair& mine = w.queue_pairs[free - w.queue_pairs];
  mine = {};
  mine.used = true;
  mine.device = reinterpret_cast<FakeContext*>(pd->context)->number;
  mine.queue = reinterpret_cast<FakeQueue*>(init->send_cq)->number;
  const auto granted = static_cast<std::uint32_t>(device.granted_depth);
  mine.depth_send = granted > 0 ? granted : init->cap.max_send_wr;
  mine.depth_receive = granted > 0 ? granted : init->cap.max_recv_wr;
  auto* made = new ibv_qp{};
  made->context = pd->context;
  made->pd = pd;
  made->qp_num = static_cast<std::uint32_t>(free - w.queue_pairs);
  return made;
}

EXPORT int ibv_modify_qp(ibv_qp* qp, ibv_qp_attr* to, int mask) {
  World& w = world();
  const Lock lock(w);
  QueuePair& mine = w.queue_pairs[qp->qp_num];
  if ((mask & IBV_QP_STATE) == 0 || static_cast<int>(to->qp_state) != mine.state + 1) return EINVAL;
  if (to->qp_state == IBV_QPS_RTR) {
    if (to->ah_attr.is_global != 1) return EINVAL;
    ibv_gid own{};
    fill_gid(mine.device, to->ah_attr.grh.sgid_index, own);
    if (std::all_of(own.raw, own.raw + 16, [](std::uint8_t byte) { return byte == 0; })) return ENODATA;
    int there = -1;
    for (int number = 0; number < w.devices_used && there < 0; ++number)
      for (int index = 0; index < kGids; ++index) {
        ibv_gid gid{};
        fill_gid(number, index, gid);
        if (std::memcmp(gid.raw, to->ah_attr.grh.dgid.raw, 16) == 0) there = number;
      }
    const int peer = w.devices[mine.device].peer;
    if (there < 0 || (peer >= 0 && peer != there)) return ETIMEDOUT;
    mine.to_device = there;
    mine.to_number = to->dest_qp_num;
  }
  mine.state = static_cast<int>(to->qp_state);
  return 0;
}

EXPORT int ibv_query_qp(ibv_qp* qp, ibv_qp_attr* to, int, ibv_qp_init_attr* init) {
  const Lock lock(world());
  const QueuePair& mine = world().queue_pairs[qp->qp_num];
  *to = {};
  to->qp_state = static_cast<ibv_qp_state>(mine.state);
  to->cap.max_send_wr = mine.depth_send;
  to->cap.max_recv_wr = mine.depth_receive;
  *init = {};
  init->cap = to->cap;
  return 0;
}

EXPORT int ibv_destroy_qp(ibv_qp* qp) {
  World& w = world();
  const Lock lock(w);
  QueuePair& mine = w.queue_pairs[qp->qp_num];
  while (mine.inbox.count > 0) {
    const Arrival arrival = mine.inbox.pop();
    std::fill_n(w.frame_used + arrival.first_frame, arrival.frames, false);
  }
  mine.used = false;
  --device_of(qp->context).live.queue_pairs;
  delete qp;
  return 0;
}
