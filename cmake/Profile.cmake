# SPDX-License-Identifier: GPL-2.0-or-later
# Profile-guided optimisation in one build: the sources are built once with counters, a training run writes the profile
# into the build folder, and the real build uses it. The training load is generated, so that two builds on one machine and
# compiler give the same program; no profile is kept in the tree.
option(DMASIM_PGO "optimise with the profile of a training run that is part of the build (gcc)" OFF)
set(DMASIM_PGO_TRAIN "" CACHE INTERNAL "set by the outer build in the one with counters: where the profile goes")

if(DMASIM_PGO_TRAIN)
  add_compile_options(-fprofile-generate=${DMASIM_PGO_TRAIN} -fprofile-prefix-path=${PROJECT_BINARY_DIR}
    -fprofile-update=atomic)
  add_link_options(-fprofile-generate)
elseif(DMASIM_PGO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(dmasim_profile ${PROJECT_BINARY_DIR}/profile)
  set(training ${PROJECT_BINARY_DIR}/training)
  file(GLOB_RECURSE trained CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sim/*.[ch] ${PROJECT_SOURCE_DIR}/models/*.[ch]
    ${PROJECT_SOURCE_DIR}/machine/*.[ch] ${PROJECT_SOURCE_DIR}/trace/*.[ch] ${PROJECT_SOURCE_DIR}/workloads/*.[ch]
    ${PROJECT_SOURCE_DIR}/experiment/*.[ch] ${PROJECT_SOURCE_DIR}/include/*.h)
  # The same flags as the real build has: what is inlined before the counters are placed must be the same.
  add_custom_command(OUTPUT ${training}/trained
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${dmasim_profile}
    COMMAND ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${training} -G ${CMAKE_GENERATOR} -DBUILD_TESTING=OFF
      -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE} -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_C_FLAGS=${CMAKE_C_FLAGS}
      -DDMASIM_PGO_TRAIN=${dmasim_profile}
    COMMAND ${CMAKE_COMMAND} --build ${training} --target dmasim bench_replay
    COMMAND ${PROJECT_SOURCE_DIR}/cmake/train ${training} ${PROJECT_SOURCE_DIR}
    COMMAND ${CMAKE_COMMAND} -E touch ${training}/trained
    DEPENDS ${trained} ${PROJECT_SOURCE_DIR}/cmake/train VERBATIM COMMENT "Training build and run (profile)")
  add_custom_target(dmasim_training DEPENDS ${training}/trained)
  add_compile_options(-fprofile-use=${dmasim_profile} -fprofile-prefix-path=${PROJECT_BINARY_DIR}
    -fprofile-partial-training -Wno-missing-profile -Wno-coverage-mismatch)
endif()

# Objects of target are compiled after the training run.
function(dmasim_after_training target)
  if(TARGET dmasim_training)
    add_dependencies(${target} dmasim_training)
  endif()
endfunction()
