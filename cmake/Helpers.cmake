# SPDX-License-Identifier: GPL-2.0-or-later
# dmasim_floor(name DEPS lib... [DIRS folder...]): a floor of the house (docs/architecture.md): a static library of all
# C files of the current folder and of the folders below it that are named. A floor sees its own headers and those of the
# floors below, by their path from the top: "sim/fibre.h".
function(dmasim_floor name)
  cmake_parse_arguments(F "" "" "DEPS;DIRS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.c)
  foreach(dir ${F_DIRS})
    file(GLOB more CONFIGURE_DEPENDS ${dir}/*.c)
    list(APPEND sources ${more})
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC PkgConfig::GLIB ${F_DEPS} m)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  dmasim_after_training(${name})
  # The link probe: this floor whole and what it needs of the floors below, no undefined symbol allowed. An upward call,
  # which a static archive would let pass, does not link.
  if(NOT DMASIM_SANITIZE AND NOT DMASIM_LTO AND (BUILD_TESTING OR NOT DEFINED BUILD_TESTING))
    add_library(${name}_probe MODULE ${PROJECT_SOURCE_DIR}/cmake/probe.c)
    target_link_libraries(${name}_probe PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,${name}>)
    target_link_options(${name}_probe PRIVATE LINKER:--no-undefined)
    set_target_properties(${name}_probe PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
  endif()
endfunction()
