# What belongs to no single target: the manual, the licence and the notes. Each program and library installs itself
# from its own CMakeLists.txt.

install(FILES LICENSE README.md CHANGELOG.md docs/benchmarks.md docs/troubleshooting.md DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/jackal)

foreach(section 1 3 5 7)
  file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/man/*.${section})
  if(pages)
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endif()
endforeach()
