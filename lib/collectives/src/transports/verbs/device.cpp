#include "transports/verbs/device.hpp"

#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "transports/verbs/departure.hpp"

namespace jackal::collectives {
namespace {

constexpr std::uint8_t kPort = 1;
// ibv_device::transport_type of RDMA over Thunderbolt.
constexpr int kThunderbolt = 100;
// Regions and slabs begin on pages of the largest size that either system has.
constexpr std::size_t kPage = 16384;

bool ipv4_mapped(const ibv_gid& gid) {
  const std::uint8_t* raw = gid.raw;
  const bool zeros = std::all_of(raw, raw + 10, [](std::uint8_t byte) { return byte == 0; });
  const bool address = std::any_of(raw + 12, raw + 16, [](std::uint8_t byte) { return byte != 0; });
  return zeros && raw[10] == 0xff && raw[11] == 0xff && address;
}

DeviceLimits limits_of(const ibv_device_attr& attributes) {
  DeviceLimits limits;
  limits.queue_pairs = attributes.max_qp;
  limits.regions = attributes.max_mr;
  limits.depth_frames = attributes.max_qp_wr;
  limits.completions = attributes.max_cqe > 0 ? attributes.max_cqe : apple_limits().completions;
  // Some drivers say 0 or everything; what is asked for stays far below in any case.
  limits.region_bytes = static_cast<std::int64_t>(std::min<std::uint64_t>(
      attributes.max_mr_size == 0 ? ~std::uint64_t{0} : attributes.max_mr_size, std::uint64_t{1} << 30));
  return limits;
}

DeviceLimits stricter(const DeviceLimits& a, const DeviceLimits& b) {
  return {std::min(a.queue_pairs, b.queue_pairs), std::min(a.regions, b.regions),
          std::min(a.depth_frames, b.depth_frames), std::min(a.region_bytes, b.region_bytes),
          std::min(a.completions, b.completions)};
}

}  // namespace

std::string verbs_trouble(const std::string& call, int number) {
  std::string text = call + " failed: " + system_text(number);
  switch (number) {
    case EBUSY:
      return text +
             "; all queue pairs of the device are in use, or a job that crashed still holds them: end such "
             "jobs, and restart the machine if none is there";
    case ENOMEM:
      return text + "; the device grants no more memory regions or requests: end other jobs that use it";
    case EOPNOTSUPP:
      return text + "; the device does not do unreliable connections";
    case ETIMEDOUT:
      return text +
             "; the other side cannot be reached over this device: is the cable the one that the host file "
             "names?";
    case EINVAL:
      return text + "; the addresses of the two ends do not fit: check them with distributed-config --check";
#ifdef ENODATA
    case ENODATA:
      return text + "; the device has no address: a port that is a member of a bridge has none";
#endif
    default:
      return text;
  }
}

std::string completion_text(ibv_wc_status status) {
  switch (status) {
    case IBV_WC_SUCCESS:
      return "success";
    case IBV_WC_LOC_LEN_ERR:
      return "local length error: a message and its receive differ in size";
    case IBV_WC_LOC_QP_OP_ERR:
      return "local queue pair operation error";
    case IBV_WC_LOC_PROT_ERR:
      return "local protection error: memory that is not registered";
    case IBV_WC_WR_FLUSH_ERR:
      return "flushed: the queue pair has failed";
    case IBV_WC_RNR_RETRY_EXC_ERR:
      return "the other side had no receive posted";
    case IBV_WC_RETRY_EXC_ERR:
      return "the other side does not answer";
    case IBV_WC_FATAL_ERR:
      return "fatal error of the device";
    default:
      return "completion status " + std::to_string(static_cast<int>(status));
  }
}

int find_ipv4_gid(const std::vector<ibv_gid>& table) {
  const auto found = std::find_if(table.begin(), table.end(), ipv4_mapped);
  return found == table.end() ? -1 : static_cast<int>(found - table.begin());
}

Device::Device(const VerbsLibrary& library, const std::string& name, LimitProfile profile, Deadline deadline)
    : library_(library), name_(name), profile_(profile) {
  try {
    open(deadline);
  } catch (...) {
    close();
    throw;
  }
}

Device::~Device() { close(); }

Error Device::error(Code code, const std::string& what) const {
  return Error(code, "RDMA device " + name_ + ": " + what, -1, "", name_, "init");
}

void Device::open(Deadline deadline) {
  int count = 0;
  ibv_device** list = library_.get_device_list(&count);
  if (list == nullptr) throw error(Code::unavailable, verbs_trouble("ibv_get_device_list", errno));
  std::string others;
  ibv_device* device = nullptr;
  for (int i = 0; i < count; ++i) {
    const std::string found = library_.get_device_name(list[i]);
    if (found == name_) device = list[i];
    others += (others.empty() ? "" : ", ") + found;
  }
  // Read as a number: 100 is none of the type's values.
  int transport = 0;
  if (device != nullptr) std::memcpy(&transport, &device->transport_type, sizeof transport);
  const bool thunderbolt = transport == kThunderbolt;
  if (device != nullptr) context_ = library_.open_device(device);
  const int failed = errno;
  library_.free_device_list(list);
  if (device == nullptr)
    throw error(Code::unavailable, others.empty()
                                       ? "this machine has no RDMA device at all; on a Mac, rdma_ctl enable "
                                         "in Recovery turns RDMA on (Thunderbolt 5 only)"
                                       : "there is no such device; there are: " + others +
                                             ". Names change when ports are set up anew: make the host file "
                                             "again with distributed-config");
  if (context_ == nullptr) throw error(Code::unavailable, verbs_trouble("ibv_open_device", failed));
  ibv_device_attr attributes{};
  if (const int result = library_.query_device(context_, &attributes); result != 0)
    throw error(Code::unavailable, verbs_trouble("ibv_query_device", result));
  const bool apple = profile_ == LimitProfile::apple || (profile_ == LimitProfile::automatic && thunderbolt);
  limits_ = apple ? stricter(apple_limits(), limits_of(attributes)) : limits_of(attributes);
  await_port(deadline);
  await_gid(deadline);
}

void Device::await_a_moment() const {
  if (Departure::due()) throw error(Code::aborted, "this process has been told to end");
  ::poll(nullptr, 0, 20);
}

void Device::await_port(Deadline deadline) {
  for (;;) {
    if (const int result = library_.query_port(context_, kPort, &port_); result != 0)
      throw error(Code::link_down, verbs_trouble("ibv_query_port", result));
    if (port_.state == IBV_PORT_ACTIVE) return;
    if (Clock::now() >= deadline)
      throw error(Code::link_down,
                  "its port is down: the cable is out, the interface is down, or RDMA is off on the "
                  "machine at the other end");
    await_a_moment();
  }
}

void Device::await_gid(Deadline deadline) {
  for (;;) {
    std::vector<ibv_gid> table(static_cast<std::size_t>(std::clamp(port_.gid_tbl_len, 0, 4096)));
    for (std::size_t i = 0; i < table.size(); ++i)
      if (library_.query_gid(context_, kPort, static_cast<int>(i), &table[i]) != 0) table[i] = {};
    gid_index_ = find_ipv4_gid(table);
    if (gid_index_ >= 0) {
      gid_ = table[static_cast<std::size_t>(gid_index_)];
      return;
    }
    if (Clock::now() >= deadline)
      throw error(Code::link_down,
                  "its interface has no IPv4 address, so that it cannot be addressed: give it one with "
                  "distributed-config --auto-setup (members of a bridge have none)");
    await_a_moment();
  }
}

void Device::allocate(int completions) {
  pd_ = library_.alloc_pd(context_);
  if (pd_ == nullptr) throw error(Code::unavailable, verbs_trouble("ibv_alloc_pd", errno));
  cq_ = library_.create_cq(context_, completions, nullptr, nullptr, 0);
  if (cq_ == nullptr) throw error(Code::unavailable, verbs_trouble("ibv_create_cq", errno));
}

std::byte* Device::add_slab(std::size_t bytes) {
  if (static_cast<std::int64_t>(bytes) > limits_.region_bytes)
    throw error(Code::unavailable, "its connections need " + std::to_string(bytes) +
                                       " bytes of registered memory, it "
                                       "takes " +
                                       std::to_string(limits_.region_bytes));
  Slab slab;
  slab.bytes = (bytes + kPage - 1) / kPage * kPage;
  void* memory = ::mmap(nullptr, slab.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (memory == MAP_FAILED) throw error(Code::io, "no memory for its messages: " + system_text(errno));
  slab.memory = static_cast<std::byte*>(memory);
  slabs_.push_back(slab);
  slabs_.back().region = library_.reg_mr(pd_, slab.memory, slab.bytes, IBV_ACCESS_LOCAL_WRITE);
  if (slabs_.back().region == nullptr)
    throw error(Code::unavailable, verbs_trouble("ibv_reg_mr", errno == 0 ? ENOMEM : errno));
  return slab.memory;
}

// Of memory that is in no slab there is none; the device refuses the request.
std::uint32_t Device::key_of(const std::byte* bytes) const {
  const auto slab = std::find_if(slabs_.begin(), slabs_.end(), [bytes](const Slab& one) {
    return bytes >= one.memory && bytes < one.memory + one.bytes;
  });
  return slab == slabs_.end() ? 0 : slab->region->lkey;
}

ibv_qp* Device::create_queue_pair(int sends, int receives, int frames_each) {
  ibv_qp_init_attr init{};
  init.send_cq = cq_;
  init.recv_cq = cq_;
  init.qp_type = IBV_QPT_UC;
  init.sq_sig_all = 1;
  init.cap.max_send_wr = static_cast<std::uint32_t>(sends * frames_each);
  init.cap.max_recv_wr = static_cast<std::uint32_t>(receives * frames_each);
  init.cap.max_send_sge = 1;
  init.cap.max_recv_sge = 1;
  ibv_qp* qp = library_.create_qp(pd_, &init);
  if (qp == nullptr) throw error(Code::unavailable, verbs_trouble("ibv_create_qp", errno));
  queue_pairs_.push_back(qp);
  ibv_qp_attr attributes{};
  attributes.qp_state = IBV_QPS_INIT;
  attributes.pkey_index = 0;
  attributes.port_num = kPort;
  attributes.qp_access_flags = 0;
  if (const int result = library_.modify_qp(
          qp, &attributes, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
      result != 0)
    throw error(Code::unavailable, verbs_trouble("ibv_modify_qp to INIT", result));
  // What was granted may be less than what was asked for.
  ibv_qp_attr granted{};
  ibv_qp_init_attr granted_init{};
  if (const int result = library_.query_qp(qp, &granted, IBV_QP_CAP, &granted_init); result != 0)
    throw error(Code::unavailable, verbs_trouble("ibv_query_qp", result));
  if (granted.cap.max_send_wr < init.cap.max_send_wr || granted.cap.max_recv_wr < init.cap.max_recv_wr)
    throw error(Code::unavailable, "it grants queues of " + std::to_string(granted.cap.max_send_wr) +
                                       " and " + std::to_string(granted.cap.max_recv_wr) + " frames where " +
                                       std::to_string(init.cap.max_send_wr) + " and " +
                                       std::to_string(init.cap.max_recv_wr) + " are needed");
  return qp;
}

void Device::connect(ibv_qp* qp, std::uint32_t psn, const ibv_gid& gid, std::uint16_t lid,
                     std::uint32_t number, std::uint32_t peer_psn, ibv_mtu mtu) {
  ibv_qp_attr attributes{};
  attributes.qp_state = IBV_QPS_RTR;
  attributes.path_mtu = std::min(mtu, port_.active_mtu);
  attributes.dest_qp_num = number;
  attributes.rq_psn = peer_psn;
  attributes.ah_attr.is_global = 1;
  attributes.ah_attr.grh.dgid = gid;
  attributes.ah_attr.grh.sgid_index = static_cast<std::uint8_t>(gid_index_);
  attributes.ah_attr.grh.hop_limit = 1;
  attributes.ah_attr.dlid = lid;
  attributes.ah_attr.port_num = kPort;
  if (const int result = library_.modify_qp(
          qp, &attributes, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN);
      result != 0)
    throw error(Code::link_down, verbs_trouble("ibv_modify_qp to RTR", result));
  attributes = {};
  attributes.qp_state = IBV_QPS_RTS;
  attributes.sq_psn = psn;
  if (const int result = library_.modify_qp(qp, &attributes, IBV_QP_STATE | IBV_QP_SQ_PSN); result != 0)
    throw error(Code::link_down, verbs_trouble("ibv_modify_qp to RTS", result));
}

void Device::post_send(ibv_qp* qp, std::uint64_t id, const std::byte* bytes, std::size_t size) {
  ibv_sge piece{reinterpret_cast<std::uintptr_t>(bytes), static_cast<std::uint32_t>(size), key_of(bytes)};
  ibv_send_wr request{};
  request.wr_id = id;
  request.sg_list = &piece;
  request.num_sge = 1;
  request.opcode = IBV_WR_SEND;
  request.send_flags = IBV_SEND_SIGNALED;
  ibv_send_wr* refused = nullptr;
  if (const int result = ibv_post_send(qp, &request, &refused); result != 0)
    throw error(Code::link_down, verbs_trouble("ibv_post_send", result));
}

void Device::post_receive(ibv_qp* qp, std::uint64_t id, std::byte* bytes, std::size_t size) {
  ibv_sge piece{reinterpret_cast<std::uintptr_t>(bytes), static_cast<std::uint32_t>(size), key_of(bytes)};
  ibv_recv_wr request{};
  request.wr_id = id;
  request.sg_list = &piece;
  request.num_sge = 1;
  ibv_recv_wr* refused = nullptr;
  if (const int result = ibv_post_recv(qp, &request, &refused); result != 0)
    throw error(Code::link_down, verbs_trouble("ibv_post_recv", result));
}

int Device::poll(ibv_wc* completions, int most) {
  const int got = ibv_poll_cq(cq_, most, completions);
  if (got < 0)
    throw error(Code::link_down, "its completion queue cannot be read any more; the device is gone");
  return got;
}

std::string Device::port_trouble() const {
  ibv_port_attr port{};
  if (library_.query_port(context_, kPort, &port) != 0) return "the RDMA device " + name_ + " is gone";
  return port.state == IBV_PORT_ACTIVE ? ""
                                       : "the port of the RDMA device " + name_ +
                                             " went down: the cable is out, or the interface is down";
}

void Device::release() noexcept {
  for (ibv_qp* qp : queue_pairs_) library_.destroy_qp(qp);
  queue_pairs_.clear();
  if (cq_ != nullptr) library_.destroy_cq(cq_);
  for (Slab& slab : slabs_)
    if (slab.region != nullptr) library_.dereg_mr(std::exchange(slab.region, nullptr));
  if (pd_ != nullptr) library_.dealloc_pd(pd_);
  if (context_ != nullptr) library_.close_device(context_);
  cq_ = nullptr;
  pd_ = nullptr;
  context_ = nullptr;
}

void Device::close() noexcept {
  release();
  for (const Slab& slab : slabs_) ::munmap(slab.memory, slab.bytes);
  slabs_.clear();
}

}  // namespace jackal::collectives
