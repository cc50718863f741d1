# Every third-party library, found once. Why each is here: docs/decisions/dependencies.md.
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Protobuf REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo cairo-svg)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(pugixml REQUIRED)
find_package(simdjson REQUIRED)
find_package(SQLiteCpp REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(MPI REQUIRED COMPONENTS C)
if(HEADRACE_GRPC)
  # Debian's CMake files for gRPC ask for targets that its other packages do not make. Its pkg-config file names every
  # library of Abseil: --as-needed leaves those out that nothing uses.
  pkg_check_modules(grpcpp REQUIRED IMPORTED_TARGET grpc++)
  find_program(HEADRACE_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
  add_library(headrace_grpc INTERFACE)
  target_link_libraries(headrace_grpc INTERFACE PkgConfig::grpcpp)
  target_link_options(headrace_grpc INTERFACE -Wl,--as-needed)
endif()

add_library(headrace_hdf5 INTERFACE)
target_include_directories(headrace_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(headrace_hdf5 INTERFACE ${HDF5_C_LIBRARIES})

# The C interface alone: mpi.h must not bring in the C++ bindings that MPI has given up.
add_library(headrace_mpi INTERFACE)
target_link_libraries(headrace_mpi INTERFACE MPI::MPI_C)
find_path(HEADRACE_MPI_INCLUDE mpi.h HINTS ${MPI_C_INCLUDE_DIRS} REQUIRED)
target_compile_definitions(headrace_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

# Debian's own dnnl package file asks for OpenCL, which the library it describes does not use.
find_library(HEADRACE_DNNL_LIBRARY dnnl REQUIRED)
add_library(headrace_dnnl INTERFACE)
target_link_libraries(headrace_dnnl INTERFACE ${HEADRACE_DNNL_LIBRARY})

# Asio without its deprecated parts and with its code compiled once, in src/http/asio.cc.
add_library(headrace_boost INTERFACE)
target_link_libraries(headrace_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(headrace_boost INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED)
if(HEADRACE_SANITIZE MATCHES thread)
  # ThreadSanitizer knows no fences, and GCC warns of each. Asio's only add to locks that order the same memory.
  target_compile_definitions(headrace_boost INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
# GCC 12 takes the matching operator new and delete of Asio's coroutine frames for a mismatch once it has inlined one.
target_compile_options(headrace_boost INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
if(HEADRACE_SANITIZE)
  # Instrumented frames look uninitialised to GCC 12 where a variant is moved (GCC bug 105562 and its kin).
  target_compile_options(headrace_boost INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

add_library(headrace_sqlite INTERFACE)
target_link_libraries(headrace_sqlite INTERFACE SQLiteCpp sqlite3)

add_library(headrace_re2 INTERFACE)
target_link_libraries(headrace_re2 INTERFACE PkgConfig::re2)

# tl::expected is one header on the system include path.
add_library(headrace_expected INTERFACE)

if(HEADRACE_TESTS)
  find_package(GTest REQUIRED)
endif()
if(HEADRACE_BENCH)
  find_package(benchmark REQUIRED)
endif()

# Flags for everything that is ours.
add_library(headrace_flags INTERFACE)
# A file's own name (__FILE__) as it stands below the tree: with it, a compiler cache serves every clone (see CMakePresets.json).
target_compile_options(headrace_flags INTERFACE "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")
target_compile_options(headrace_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers
  $<$<BOOL:${HEADRACE_WERROR}>:-Werror>)
if(HEADRACE_SANITIZE)
  add_compile_options(-fsanitize=${HEADRACE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HEADRACE_SANITIZE})
  # What Clang 14 puts in front of functions for this check does not survive the splitting of coroutines.
  add_compile_options($<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  if(HEADRACE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)  # fuzzers are led by what they reach in every module
  endif()
endif()
