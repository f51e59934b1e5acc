# SPDX-License-Identifier: GPL-2.0-or-later
# dmasim_floor(name DEPS lib...): a static library of all C files of the current folder (not below).
function(dmasim_floor name)
  cmake_parse_arguments(F "" "" "DEPS;DIRS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.c)
  foreach(dir ${F_DIRS})
    file(GLOB more CONFIGURE_DEPENDS ${dir}/*.c)
    list(APPEND sources ${more})
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC PkgConfig::GLIB ${F_DEPS} m)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()
