#!/bin/sh
# Installs the library below a fresh prefix and builds and runs the example against it, as a user would: once
# through pkg-config, once through find_package.
# usage: install_test.sh CMAKE BUILD_DIR EXAMPLE_SOURCE CXX LIBDIR
set -eu
cmake=$1 build=$2 example=$3 cxx=$4 libdir=$5

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
"$cmake" --install "$build" --component collectives --prefix "$prefix" >"$work/log" || { cat "$work/log"; exit 1; }
test -f "$prefix/include/jackal/collectives.h"
unset JACKAL_RANK JACKAL_SIZE MLX_RANK

expect_sum() {
  got=$("$1")
  case $got in
    "rank 0 of 1 on "*": sum = [1, 1, 1, 1]") ;;
    *) echo "$1 printed: $got" >&2; exit 1 ;;
  esac
}

PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046  # pkg-config's words are meant to be split
"$cxx" -std=c++20 -Wall -Wextra -Werror "$example" -o "$work/by-pkg-config" $(pkg-config --cflags --libs jackal) \
  "-Wl,-rpath,$prefix/$libdir"
expect_sum "$work/by-pkg-config"

mkdir "$work/project"
cat >"$work/project/CMakeLists.txt" <<PROJECT
cmake_minimum_required(VERSION 3.22)
project(Example LANGUAGES CXX)
find_package(Jackal 0.1 REQUIRED)
add_executable(example $example)
target_link_libraries(example PRIVATE Jackal::collectives)
PROJECT
{
  "$cmake" -S "$work/project" -B "$work/project/build" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$prefix" &&
    "$cmake" --build "$work/project/build"
} >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
expect_sum "$work/project/build/example"
