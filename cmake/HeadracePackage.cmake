# cpack in the build directory makes headrace_VERSION_ARCH.deb: what `cmake --install` has, and a service (packaging/).
# What only a package installs is a component that `cmake --install` leaves out: it lies outside of any prefix.
install(FILES ${CMAKE_SOURCE_DIR}/packaging/headrace.service DESTINATION /lib/systemd/system COMPONENT service EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/headrace.toml DESTINATION /etc/headrace COMPONENT service EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_SOURCE_DIR}/docs/install.md ${CMAKE_SOURCE_DIR}/docs/serve.md ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md
  DESTINATION /usr/share/doc/headrace COMPONENT service EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION /usr/share/doc/headrace RENAME copyright COMPONENT service EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME headrace)
set(CPACK_PACKAGE_VENDOR "The Headrace authors")
set(CPACK_PACKAGE_CONTACT "The Headrace authors <headrace@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "SageMaker's way of training and hosting models, on your own machine")
set(CPACK_PACKAGE_DESCRIPTION "S3, SageMaker, CloudWatch, Logs, STS and IAM in one program, with training jobs in a sandbox, endpoints\n"
  "and batch transform. Keras and tf.data as a C++ library.")
string(CONCAT CPACK_PACKAGE_DESCRIPTION ${CPACK_PACKAGE_DESCRIPTION})
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};Headrace;ALL;/;${CMAKE_BINARY_DIR};Headrace;service;/")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)  # for what lies outside of the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "bubblewrap, adduser, init-system-helpers")
# Training programs in C++ and Python, of several ranks, CMake projects among them; certificates for downloads, a font for pictures.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "g++, python3, python3-pip, openmpi-bin, ca-certificates, fonts-dejavu-core")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake, ninja-build, awscli")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/debian/postinst ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
  ${CMAKE_SOURCE_DIR}/packaging/debian/postrm ${CMAKE_SOURCE_DIR}/packaging/debian/conffiles)
include(CPack)
