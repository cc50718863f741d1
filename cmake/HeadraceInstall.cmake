# install(): the public headers, the libraries and what find_package(Headrace) and pkg-config read.
include(CMakePackageConfigHelpers)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/headrace DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/data/cifar10-sample DESTINATION ${CMAKE_INSTALL_DATADIR}/headrace)
install(TARGETS headrace_base headrace_tensor headrace_data headrace_keras headrace_savedmodel headrace_flags headrace_hdf5 headrace_expected headrace_dnnl
  EXPORT HeadraceTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT HeadraceTargets NAMESPACE headrace:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Headrace)
# The build tree is a package, too: CMake projects as jobs find Headrace whether or not it is installed.
export(EXPORT HeadraceTargets NAMESPACE headrace:: FILE ${CMAKE_BINARY_DIR}/HeadraceTargets.cmake)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/HeadraceConfig.cmake.in ${CMAKE_BINARY_DIR}/HeadraceConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Headrace)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/HeadraceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/HeadraceConfig.cmake ${CMAKE_BINARY_DIR}/HeadraceConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Headrace)
configure_file(${CMAKE_SOURCE_DIR}/cmake/headrace.pc.in ${CMAKE_BINARY_DIR}/headrace.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/headrace.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
