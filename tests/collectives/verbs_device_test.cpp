// One device of the fake provider at a time: that it keeps to Apple's limits, and what a Device says of them.
#include "transports/verbs/device.hpp"

#include <infiniband/verbs.h>

#include <cerrno>
#include <functional>
#include <memory>

#include "support/catch.hpp"
#include "verbs_desk.hpp"

namespace {

using namespace jackal::collectives;
using namespace std::chrono_literals;
using jackal::Error;
using verbs_desk::Desk;
using verbs_desk::mesh;
using verbs_desk::world;

const VerbsLibrary& library() {
  world();
  const LoadedVerbs loaded = load_verbs(FAKE_VERBS_LIBRARY);
  REQUIRE(loaded.library != nullptr);
  return *loaded.library;
}

std::unique_ptr<Device> opened(const std::string& name) {
  auto device = std::make_unique<Device>(library(), name, LimitProfile::apple, Clock::now() + 300ms);
  device->allocate(64);
  device->add_slab(1 << 20);
  return device;
}

// What `action` throws; "" for nothing.
std::string refusal(const std::function<void()>& action) {
  try {
    action();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// The two ends of a cable, with one queue pair each, of 4 requests of `frames` frames.
struct Ends {
  Ends(const Desk& desk, int frames) {
    for (std::size_t i = 0; i < 2; ++i) {
      devices[i] = opened(desk.devices[i][1 - i][0]);
      memory[i] = devices[i]->add_slab(1 << 16);
      queue_pairs[i] = devices[i]->create_queue_pair(4, 4, frames);
    }
    for (std::size_t i = 0; i < 2; ++i)
      devices[i]->connect(queue_pairs[i], 1, devices[1 - i]->gid(), 1, queue_pairs[1 - i]->qp_num, 1,
                          IBV_MTU_4096);
  }
  std::unique_ptr<Device> devices[2];
  std::byte* memory[2] = {};
  ibv_qp* queue_pairs[2] = {};
};

}  // namespace

TEST_CASE("an eleventh queue pair on a device is refused") {
  const Desk desk = mesh(2, 1);
  {
    const auto device = opened(desk.devices[0][1][0]);
    for (int i = 0; i < 10; ++i) device->create_queue_pair(1, 1, 1);
    CHECK(refusal([&] {
            device->create_queue_pair(1, 1, 1);
          }).find("all queue pairs of the device are in use") != std::string::npos);
  }
  expect_no_objects(desk);
}

TEST_CASE("a 101st memory region on a device is refused") {
  const Desk desk = mesh(2, 1);
  const std::string name = desk.devices[0][1][0];
  {
    const auto device = opened(name);
    world().devices[desk.numbers[0]].live.regions += 98;  // as another process may hold
    const auto second = opened(name);
    CHECK(refusal([&] { opened(name); }).find("no more memory regions") != std::string::npos);
    CHECK(refusal([&] { second->add_slab(1); }).find("no more memory regions") != std::string::npos);
    world().devices[desk.numbers[0]].live.regions -= 98;
  }
  expect_no_objects(desk);
}

TEST_CASE("a device does unreliable connections only") {
  const Desk desk = mesh(2, 1);
  const VerbsLibrary& verbs = library();
  int count = 0;
  ibv_device** list = verbs.get_device_list(&count);
  ibv_context* context = verbs.open_device(list[count - 1]);
  verbs.free_device_list(list);
  ibv_pd* pd = verbs.alloc_pd(context);
  ibv_cq* cq = verbs.create_cq(context, 16, nullptr, nullptr, 0);
  REQUIRE(cq != nullptr);
  for (const ibv_qp_type type : {IBV_QPT_RC, IBV_QPT_UD}) {
    ibv_qp_init_attr init{};
    init.send_cq = init.recv_cq = cq;
    init.qp_type = type;
    init.cap = {1, 1, 1, 1, 0};
    errno = 0;
    CHECK(verbs.create_qp(pd, &init) == nullptr);
    CHECK(verbs_trouble("ibv_create_qp", errno).find("does not do unreliable connections") !=
          std::string::npos);
  }
  verbs.destroy_cq(cq);
  verbs.dealloc_pd(pd);
  verbs.close_device(context);
  expect_no_objects(desk);
}

TEST_CASE("a message whose frames differ from its receive's fails") {
  const Desk desk = mesh(2, 1);
  {
    const Ends ends(desk, 2);
    Device& from = *ends.devices[0];
    Device& to = *ends.devices[1];
    const int mismatches = world().frame_mismatches;
    to.post_receive(ends.queue_pairs[1], 7, ends.memory[1], 2 * kFrameBytes);
    from.post_send(ends.queue_pairs[0], 8, ends.memory[0], kFrameBytes);
    ibv_wc completion{};
    REQUIRE(to.poll(&completion, 1) == 1);
    CHECK(completion.wr_id == 7);
    CHECK(completion_text(completion.status).find("a message and its receive differ in size") !=
          std::string::npos);
    CHECK(world().frame_mismatches == mismatches + 1);
    world().frame_mismatches = mismatches;
  }
  expect_no_objects(desk);
}

TEST_CASE("more requests than a queue has frames for are refused") {
  const Desk desk = mesh(2, 1);
  {
    const Ends ends(desk, 2);
    Device& device = *ends.devices[0];
    const int over_posts = world().over_posts;
    for (std::uint64_t i = 0; i < 4; ++i) {
      device.post_receive(ends.queue_pairs[0], i, ends.memory[0], 2 * kFrameBytes);
      device.post_send(ends.queue_pairs[0], i, ends.memory[0], 2 * kFrameBytes);
    }
    const std::string words = "grants no more memory regions or requests";
    const auto receive = [&] { device.post_receive(ends.queue_pairs[0], 4, ends.memory[0], 1); };
    const auto send = [&] { device.post_send(ends.queue_pairs[0], 4, ends.memory[0], 1); };
    CHECK(refusal(receive).find(words) != std::string::npos);
    CHECK(refusal(send).find(words) != std::string::npos);
    CHECK(world().over_posts == over_posts + 2);
    world().over_posts = over_posts;
    world().without_receive = 0;
  }
  expect_no_objects(desk);
}

TEST_CASE("memory that is not registered is refused") {
  const Desk desk = mesh(2, 1);
  {
    const Ends ends(desk, 1);
    const std::vector<std::byte> own(kFrameBytes);
    CHECK(refusal([&] { ends.devices[0]->post_send(ends.queue_pairs[0], 1, own.data(), own.size()); }) != "");
    CHECK(world().foreign_memory == 1);
    world().foreign_memory = 0;
  }
  expect_no_objects(desk);
}

TEST_CASE("queues that hold less than was asked for are refused") {
  const Desk desk = mesh(2, 1);
  world().devices[desk.numbers[0]].granted_depth = 3;
  const auto device = opened(desk.devices[0][1][0]);
  CHECK(refusal([&] {
          device->create_queue_pair(4, 4, 1);
        }).find("it grants queues of 3 and 3 frames where 4 and 4") != std::string::npos);
}
