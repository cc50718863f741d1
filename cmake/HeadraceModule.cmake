# headrace_module(NAME DEPS other modules... EXTERNAL third-party targets... [EXCLUDE regex])
#
# One static library `headrace_NAME` (alias headrace::NAME) from src/NAME/**.cc, and one test program
# NAME_test from the x_test.cc beside them. A source below src/NAME/isa/ is compiled once for every
# instruction set of HEADRACE_ISAS (see src/tensor/README.md). A .proto below src/NAME is compiled with protoc and
# included as "NAME/….pb.h" by this module and its tests; one that declares services also with gRPC's plugin. Sources and
# .protos whose path matches EXCLUDE are left out.
set(HEADRACE_ISAS_DEFAULT portable)
set(HEADRACE_ISA_OPTIMIZATION -O3)
if(HEADRACE_SANITIZE)
  set(HEADRACE_ISA_OPTIMIZATION -O1)  # an instrumented kernel takes half a minute to compile with -O3
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND HEADRACE_ISAS_DEFAULT avx2 avx512)
endif()
set(HEADRACE_ISAS "${HEADRACE_ISAS_DEFAULT}" CACHE STRING "Instruction sets that kernels are compiled for; portable is always one")
set(HEADRACE_ISA_FLAGS_portable "")
set(HEADRACE_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
# GCC 12 takes the "undefined" vectors inside its own AVX-512 intrinsics for uninitialised variables (GCC bug 105593).
set(HEADRACE_ISA_FLAGS_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mprefer-vector-width=512 -Wno-uninitialized $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)

# headrace_unity(TARGET): compiles the sources of each folder as one, where HEADRACE_UNITY says so. Most of a file's time
# goes into headers that the next file reads again. Names local to a file must therefore be its own within the folder.
function(headrace_unity target)
  if(NOT HEADRACE_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(RELATIVE_PATH folder BASE_DIRECTORY ${CMAKE_SOURCE_DIR})  # it is in the object's name: alike in every clone
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP "${folder}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # What is "anonymous" to a file of its own is not, to GCC, when that file is included.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

function(headrace_module name)
  cmake_parse_arguments(arg "" "EXCLUDE" "DEPS;EXTERNAL" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${dir}/*.cc)
  if(arg_EXCLUDE)
    list(FILTER all EXCLUDE REGEX "${arg_EXCLUDE}")
  endif()
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$|/isa/")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(per_isa ${all})
  list(FILTER per_isa INCLUDE REGEX "/isa/")
  list(FILTER per_isa EXCLUDE REGEX "_test\\.cc$")

  if(NOT sources)
    return()
  endif()
  add_library(headrace_${name} STATIC ${sources})
  add_library(headrace::${name} ALIAS headrace_${name})
  headrace_unity(headrace_${name})
  target_include_directories(headrace_${name}
    PUBLIC ${CMAKE_SOURCE_DIR}/include
    PRIVATE ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM arg_DEPS PREPEND headrace_)
  target_link_libraries(headrace_${name} PUBLIC ${arg_DEPS} ${arg_EXTERNAL} PRIVATE headrace_flags)

  file(GLOB_RECURSE protos CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src ${dir}/*.proto)
  if(arg_EXCLUDE)
    list(FILTER protos EXCLUDE REGEX "${arg_EXCLUDE}")
  endif()
  set(proto_dir ${CMAKE_BINARY_DIR}/proto)
  foreach(proto ${protos})
    string(REGEX REPLACE "\\.proto$" ".pb" stem ${proto_dir}/${proto})
    file(MAKE_DIRECTORY ${proto_dir})
    add_custom_command(OUTPUT ${stem}.cc ${stem}.h
      COMMAND protobuf::protoc --cpp_out=${proto_dir} -I ${CMAKE_SOURCE_DIR}/src ${proto}
      DEPENDS ${CMAKE_SOURCE_DIR}/src/${proto} VERBATIM)
    file(STRINGS ${CMAKE_SOURCE_DIR}/src/${proto} services REGEX "^service ")
    if(services)
      string(REGEX REPLACE "\\.pb$" ".grpc.pb" grpc_stem ${stem})
      add_custom_command(OUTPUT ${grpc_stem}.cc ${grpc_stem}.h
        COMMAND protobuf::protoc --grpc_out=${proto_dir} --plugin=protoc-gen-grpc=${HEADRACE_GRPC_PLUGIN}
          -I ${CMAKE_SOURCE_DIR}/src ${proto}
        DEPENDS ${CMAKE_SOURCE_DIR}/src/${proto} VERBATIM)
      target_sources(headrace_${name} PRIVATE ${grpc_stem}.cc ${grpc_stem}.h)
    endif()
    set_source_files_properties(${stem}.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # protoc's names are the same in all
    target_sources(headrace_${name} PRIVATE ${stem}.cc ${stem}.h)
    target_include_directories(headrace_${name} SYSTEM PUBLIC ${proto_dir})
  endforeach()

  if(per_isa)
    foreach(isa ${HEADRACE_ISAS})
      add_library(headrace_${name}_${isa} OBJECT ${per_isa})
      target_include_directories(headrace_${name}_${isa} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
      target_compile_definitions(headrace_${name}_${isa} PRIVATE HEADRACE_ISA=${isa} HEADRACE_ISA_${isa}=1)
      target_compile_options(headrace_${name}_${isa} PRIVATE ${HEADRACE_ISA_FLAGS_${isa}} ${HEADRACE_ISA_OPTIMIZATION} -fno-math-errno -fno-trapping-math
        -Wno-uninitialized $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)  # false alarms inside GCC 12's own avx512 headers
      target_link_libraries(headrace_${name}_${isa} PRIVATE headrace_flags ${arg_DEPS} OpenMP::OpenMP_CXX)
      target_sources(headrace_${name} PRIVATE $<TARGET_OBJECTS:headrace_${name}_${isa}>)
      target_compile_definitions(headrace_${name} PRIVATE HEADRACE_HAS_${isa}=1)
    endforeach()
  endif()

  if(HEADRACE_TESTS AND tests)
    headrace_test(${name}_test SOURCES ${tests} DEPS headrace_${name})
  endif()
endfunction()

# headrace_test(NAME SOURCES ... DEPS ...): a GoogleTest program whose cases ctest lists one by one.
function(headrace_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  include(GoogleTest)
  set(source_directory ${CMAKE_BINARY_DIR}/source_directory.cc)  # see base/testing/source_directory.h
  configure_file(${CMAKE_SOURCE_DIR}/cmake/source_directory.cc.in ${source_directory} @ONLY)
  set_source_files_properties(${source_directory} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_executable(${name} ${arg_SOURCES} ${source_directory})
  if(HEADRACE_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE ${arg_DEPS} headrace_flags GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60)
endfunction()
