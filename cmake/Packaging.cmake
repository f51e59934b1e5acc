# SPDX-License-Identifier: GPL-2.0-or-later
# What is installed: the program, libdmasim with its headers and pkg-config file, scenarios, figure
# scripts, manual pages and completion (both made by the program itself); and a Debian package of it.

# All floors in one shared library for embedding programs.
set(objects "")
foreach(floor sim memory vtd pcie dma device machine trace workloads verify experiment)
  list(APPEND objects $<TARGET_OBJECTS:dmasim_${floor}>)
endforeach()
add_library(libdmasim SHARED ${objects})
set_target_properties(libdmasim PROPERTIES OUTPUT_NAME dmasim VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_libraries(libdmasim PRIVATE PkgConfig::GLIB PkgConfig::GIO PkgConfig::ARCHIVE PkgConfig::JANSSON PkgConfig::ZSTD
  PkgConfig::LIBPCI PkgConfig::SQLITE PkgConfig::TRACEEVENT PkgConfig::TRACECMD PkgConfig::GCRYPT m)
configure_file(cmake/libdmasim.map ${CMAKE_CURRENT_BINARY_DIR}/libdmasim.map @ONLY)
target_link_options(libdmasim PRIVATE LINKER:--version-script=${CMAKE_CURRENT_BINARY_DIR}/libdmasim.map)
if(NOT DMASIM_SANITIZE)
  target_link_options(libdmasim PRIVATE LINKER:--no-undefined)
endif()

install(TARGETS libdmasim LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/dmasim DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
configure_file(cmake/dmasim.pc.in ${CMAKE_CURRENT_BINARY_DIR}/dmasim.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dmasim.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY scenarios/ DESTINATION ${CMAKE_INSTALL_DATADIR}/dmasim/scenarios)
install(DIRECTORY plots/ DESTINATION ${CMAKE_INSTALL_DATADIR}/dmasim/plots
  FILES_MATCHING PATTERN "*.gp" PATTERN "*.py")
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# A sanitizer build is not installed, and running it during the build would only be slow.
if(NOT DMASIM_SANITIZE)
  set(manual ${CMAKE_CURRENT_BINARY_DIR}/man)
  set(completion ${CMAKE_CURRENT_BINARY_DIR}/completion)
  add_custom_command(OUTPUT ${manual}/man1/dmasim.1 ${completion}/dmasim ${completion}/_dmasim
    ${completion}/dmasim.fish
    COMMAND dmasim manual ${manual}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${completion}
    COMMAND dmasim completion bash > ${completion}/dmasim
    COMMAND dmasim completion zsh > ${completion}/_dmasim
    COMMAND dmasim completion fish > ${completion}/dmasim.fish
    DEPENDS dmasim VERBATIM COMMENT "Manual pages and completion")
  add_custom_target(manual ALL DEPENDS ${manual}/man1/dmasim.1)
  install(DIRECTORY ${manual}/ DESTINATION ${CMAKE_INSTALL_MANDIR})
  install(FILES ${completion}/dmasim DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${completion}/_dmasim DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  install(FILES ${completion}/dmasim.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME dmasim)
set(CPACK_PACKAGE_CONTACT "dmasim maintainers <maintainers@dmasim.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "both Linux DMA APIs side by side on a simulated VT-d machine")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gnuplot-nox, fonts-dejavu-core")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libglib2.0-dev, python3-matplotlib, python3-pandas, slurm-client, parallel")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
