# configure_file() while building: cmake -DVERSION=… -DSOURCE=… -DRESULT=… -P configure.cmake
configure_file(${SOURCE} ${RESULT} @ONLY)
