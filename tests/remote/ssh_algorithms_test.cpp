#include "ssh_algorithms.hpp"

#include "support/catch.hpp"

using jackal::remote::algorithm_list;
using jackal::remote::algorithms_first;

TEST_CASE("a plain list of algorithms stands for itself, none for none") {
  CHECK(algorithm_list("x,y", "a,b") == "x,y");
  CHECK(algorithm_list("", "a,b").empty());
}

TEST_CASE("a list with + comes after the usual one, without what is there already") {
  CHECK(algorithm_list("+x,b,y", "a,b") == "a,b,x,y");
  CHECK(algorithm_list("+b", "a,b") == "a,b");
}

TEST_CASE("a list with - is taken away from the usual one, patterns too") {
  CHECK(algorithm_list("-b", "a,b,c") == "a,c");
  CHECK(algorithm_list("-ssh-*,x", "ssh-rsa,rsa-sha2-256,ssh-dss") == "rsa-sha2-256");
}

TEST_CASE("a list with ^ comes before the usual one") {
  CHECK(algorithm_list("^c,x", "a,b,c") == "c,x,a,b");
  CHECK(algorithms_first("b", "a,b") == "b,a");
  CHECK(algorithms_first("a,b", "b,a") == "a,b");
}
