#include "bench/table.hpp"

#include <nlohmann/json.hpp>

#include "bench/fixture.hpp"
#include "support/catch.hpp"

namespace jackal::bench {

TEST_CASE("a line has four digits that mean something, whatever the size") {
  CHECK(table_line(measured(8, 0.0931)) ==
        "           8            2   float32                 auto       0.09       0.05       0.19     "
        "0.086     0.129       0\n");
  CHECK(table_line(measured(4 << 20, 240.61)) ==
        "     4194304      1048576   float32                 auto      240.6      120.3      481.2    "
        "17.432    26.148       0\n");
}

TEST_CASE("what nobody looked at and what has no bandwidth is a dash") {
  Row row = measured(8, 12.5);
  row.wrong = std::nullopt;
  row.algbw = row.busbw = 0;
  CHECK(table_line(row).ends_with("         -         -       -\n"));
}

TEST_CASE("the columns' names stand over their values") {
  const std::string head = table_head();
  CHECK(head.find("size") + 4 == 12);
  CHECK(head.find('\n') + 1 == table_line(measured(8, 1)).size());
}

TEST_CASE("JSON has one object a row, a row a line") {
  Row unchecked = measured(16, 3);
  unchecked.wrong = std::nullopt;
  const std::string text = json_text({measured(8, 2), unchecked});
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  const auto rows = nlohmann::json::parse(text);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == nlohmann::json{{"op", "all_reduce"},
                                  {"dtype", "float32"},
                                  {"ranks", 4},
                                  {"transport", "shm"},
                                  {"bytes", 8},
                                  {"algorithm", "auto"},
                                  {"iterations", 100},
                                  {"median_us", 2.0},
                                  {"p10_us", 1.0},
                                  {"p99_us", 4.0},
                                  {"algbw", 0.004},
                                  {"busbw", 0.006},
                                  {"wrong", 0}});
  CHECK(rows[1]["wrong"].is_null());
  CHECK(nlohmann::json::parse(json_text({})).empty());
}

}  // namespace jackal::bench
