# install(): the programs, the public headers, libheadrace and what find_package(Headrace) and pkg-config read.
include(CMakePackageConfigHelpers)

# All that is installed, as one target: scripts/demo builds it, and `cmake --install` says so where it is not built.
add_custom_target(installation)
add_dependencies(installation headrace headrace-supervise headrace-job-init headrace_runtime headrace_horovod_runtime headrace_sagemaker_runtime headrace_hvd headrace_pipe)
install(CODE "
  foreach(file \"$<TARGET_FILE:headrace>\" \"$<TARGET_FILE:headrace-supervise>\" \"$<TARGET_FILE:headrace-job-init>\" \"$<TARGET_FILE:headrace_runtime>\" \"$<TARGET_FILE:headrace_horovod_runtime>\" \"$<TARGET_FILE:headrace_sagemaker_runtime>\" \"$<TARGET_FILE:headrace_hvd>\" \"$<TARGET_FILE:headrace_pipe>\")
    if(NOT EXISTS \"\${file}\")
      message(FATAL_ERROR \"Not built yet: \${file}. Build what is installed first: cmake --build ${CMAKE_BINARY_DIR} --target installation\")
    endif()
  endforeach()" ALL_COMPONENTS)

install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/headrace DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/data/cifar10-sample DESTINATION ${CMAKE_INSTALL_DATADIR}/headrace)
# Where the three shells look for completions of what is installed.
install(FILES ${CMAKE_SOURCE_DIR}/packaging/completion/headrace.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME headrace)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/completion/headrace.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _headrace)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/completion/headrace.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(TARGETS headrace RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS headrace-supervise headrace-job-init RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR})

# The targets that users name. `horovod` and `sagemaker` are libraries of their own; the others are libheadrace, and a name of
# its own lets each be told apart later.
set(HEADRACE_PUBLIC data keras savedmodel horovod sagemaker)
target_include_directories(headrace_runtime INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(headrace_runtime INTERFACE cxx_std_20)
set_target_properties(headrace_runtime PROPERTIES EXPORT_NAME headrace)
set(exported headrace_runtime)
foreach(name data keras savedmodel)
  add_library(headrace_public_${name} INTERFACE)
  target_link_libraries(headrace_public_${name} INTERFACE headrace_runtime)
  set_target_properties(headrace_public_${name} PROPERTIES EXPORT_NAME ${name})
  list(APPEND exported headrace_public_${name})
endforeach()
set_target_properties(headrace_horovod_runtime PROPERTIES EXPORT_NAME horovod)
target_include_directories(headrace_sagemaker_runtime INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(headrace_sagemaker_runtime INTERFACE cxx_std_20)
set_target_properties(headrace_sagemaker_runtime PROPERTIES EXPORT_NAME sagemaker)
list(APPEND exported headrace_horovod_runtime headrace_sagemaker_runtime)
install(TARGETS ${exported} EXPORT HeadraceTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT HeadraceTargets NAMESPACE headrace:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Headrace)
# The build tree is a package, too: CMake projects as jobs find Headrace whether or not it is installed.
export(EXPORT HeadraceTargets NAMESPACE headrace:: FILE ${CMAKE_BINARY_DIR}/HeadraceTargets.cmake)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/HeadraceConfig.cmake.in ${CMAKE_BINARY_DIR}/HeadraceConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Headrace NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/HeadraceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/HeadraceConfig.cmake ${CMAKE_BINARY_DIR}/HeadraceConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Headrace)
file(RELATIVE_PATH HEADRACE_PREFIX_FROM_PKGCONFIG /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" HEADRACE_PREFIX_FROM_PKGCONFIG "${HEADRACE_PREFIX_FROM_PKGCONFIG}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/headrace.pc.in ${CMAKE_BINARY_DIR}/headrace.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/headrace.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_file(${CMAKE_SOURCE_DIR}/cmake/headrace-horovod.pc.in ${CMAKE_BINARY_DIR}/headrace-horovod.pc @ONLY)
configure_file(${CMAKE_SOURCE_DIR}/cmake/headrace-sagemaker.pc.in ${CMAKE_BINARY_DIR}/headrace-sagemaker.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/headrace-horovod.pc ${CMAKE_BINARY_DIR}/headrace-sagemaker.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
