# What every target of ours shares: warnings, sanitizers, and the tests' naming.

add_library(jackal_options INTERFACE)
target_compile_options(jackal_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>)
if(JACKAL_WERROR)
  target_compile_options(jackal_options INTERFACE -Werror)
endif()
if(JACKAL_SANITIZE)
  add_compile_options(-fsanitize=${JACKAL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${JACKAL_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND JACKAL_SANITIZE MATCHES undefined)
    # It asks the kernel through a pipe, and takes having no descriptor left for a wrong type.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()

if(JACKAL_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)  # the fuzzer is guided by coverage of the code under test
endif()

# jackal_library(NAME SOURCES a.cpp … [PUBLIC libs…] [PRIVATE libs…]): one room of lib/, as a static library
# Jackal::NAME with its public headers below include/.
function(jackal_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(jackal_${NAME} STATIC ${ARG_SOURCES})
  add_library(Jackal::${NAME} ALIAS jackal_${NAME})
  target_include_directories(jackal_${NAME}
    PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(jackal_${NAME} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} $<BUILD_INTERFACE:jackal_options>)
endfunction()

# jackal_test(NAME SOURCES a.cpp … [LINK libs…]): one Catch2 binary NAME_tests, known to ctest.
function(jackal_test NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${NAME}_tests ${ARG_SOURCES})
  target_include_directories(${NAME}_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${NAME}_tests PRIVATE jackal_test_main ${ARG_LINK} jackal_options)
  set_target_properties(${NAME}_tests PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${NAME} COMMAND ${NAME}_tests)
endfunction()

# jackal_fuzzer(NAME SOURCES a.cpp … [LINK libs…]): NAME_fuzz under libFuzzer, where JACKAL_FUZZERS asks for it.
function(jackal_fuzzer NAME)
  if(NOT JACKAL_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${NAME}_fuzz ${ARG_SOURCES})
  target_link_libraries(${NAME}_fuzz PRIVATE ${ARG_LINK} jackal_options)
  target_link_options(${NAME}_fuzz PRIVATE -fsanitize=fuzzer)
  set_target_properties(${NAME}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
endfunction()
