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
  if(DMASIM_PROBES AND NOT DMASIM_SANITIZE AND NOT DMASIM_LTO AND (BUILD_TESTING OR NOT DEFINED BUILD_TESTING))
    add_library(${name}_probe MODULE ${PROJECT_SOURCE_DIR}/cmake/probe.c)
    target_link_libraries(${name}_probe PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,${name}>)
    target_link_options(${name}_probe PRIVATE LINKER:--no-undefined)
    set_target_properties(${name}_probe PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
  endif()
endfunction()

# dmasim_rows(TABLE name TYPE "const struct x" PREFIX p_ HEADER file.h FILES ...): a table of every row
# `const struct x p_NAME = {` of the files, in their order, made into NAME.c of the build folder and added to TARGET.
# A row stands in the file of what it describes and nowhere else.
function(dmasim_rows)
  cmake_parse_arguments(R "" "TARGET;TABLE;TYPE;PREFIX;HEADER" "FILES" ${ARGN})
  set(declarations "")
  set(entries "")
  foreach(file ${R_FILES})
    file(STRINGS ${file} rows REGEX "^${R_TYPE} ${R_PREFIX}[a-zA-Z0-9_]+ = {")
    foreach(row ${rows})
      string(REGEX REPLACE "^${R_TYPE} (${R_PREFIX}[a-zA-Z0-9_]+) .*" "\\1" symbol "${row}")
      string(APPEND declarations "extern ${R_TYPE} ${symbol};\n")
      string(APPEND entries "\t&${symbol},\n")
    endforeach()
    if(rows)
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    endif()
  endforeach()
  set(header ${R_HEADER})
  set(type ${R_TYPE})
  set(table ${R_TABLE})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/rows.c.in ${CMAKE_CURRENT_BINARY_DIR}/${R_TABLE}.c @ONLY)
  target_sources(${R_TARGET} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${R_TABLE}.c)
endfunction()
