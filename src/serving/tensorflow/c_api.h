// The part of TensorFlow's C API that we call, declared here so that building needs nothing of TensorFlow. Names and
// layouts are those of tensorflow/c/c_api.h, stable since 1.0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace headrace::serving::capi {

struct TF_Status;
struct TF_Tensor;
struct TF_Graph;
struct TF_Operation;
struct TF_Session;
struct TF_SessionOptions;

struct TF_Buffer {
  const void* data;
  size_t length;
  void (*data_deallocator)(void* data, size_t length);
};

struct TF_Output {
  TF_Operation* oper;
  int index;
};

using TF_DataType = int;  // tensorflow.DataType's numbers
using TF_Code = int;      // gRPC's numbers; 0: fine

// The functions, by the names under which the library exports them.
#define HEADRACE_TF_FUNCTIONS(F)                                                                                   \
  F(TF_Version, const char*, ())                                                                                   \
  F(TF_NewStatus, TF_Status*, ())                                                                                  \
  F(TF_DeleteStatus, void, (TF_Status*))                                                                           \
  F(TF_GetCode, TF_Code, (const TF_Status*))                                                                       \
  F(TF_Message, const char*, (const TF_Status*))                                                                   \
  F(TF_AllocateTensor, TF_Tensor*, (TF_DataType, const int64_t* dims, int num_dims, size_t bytes))                 \
  F(TF_DeleteTensor, void, (TF_Tensor*))                                                                           \
  F(TF_TensorType, TF_DataType, (const TF_Tensor*))                                                                \
  F(TF_NumDims, int, (const TF_Tensor*))                                                                           \
  F(TF_Dim, int64_t, (const TF_Tensor*, int axis))                                                                 \
  F(TF_TensorByteSize, size_t, (const TF_Tensor*))                                                                 \
  F(TF_TensorData, void*, (const TF_Tensor*))                                                                      \
  F(TF_NewGraph, TF_Graph*, ())                                                                                    \
  F(TF_DeleteGraph, void, (TF_Graph*))                                                                             \
  F(TF_GraphOperationByName, TF_Operation*, (TF_Graph*, const char* name))                                         \
  F(TF_OperationNumOutputs, int, (TF_Operation*))                                                                  \
  F(TF_NewSessionOptions, TF_SessionOptions*, ())                                                                  \
  F(TF_DeleteSessionOptions, void, (TF_SessionOptions*))                                                           \
  F(TF_SetConfig, void, (TF_SessionOptions*, const void* config_proto, size_t bytes, TF_Status*))                  \
  F(TF_LoadSessionFromSavedModel, TF_Session*,                                                                     \
    (const TF_SessionOptions*, const TF_Buffer* run_options, const char* directory, const char* const* tags,       \
     int num_tags, TF_Graph*, TF_Buffer* meta_graph_def, TF_Status*))                                              \
  F(TF_CloseSession, void, (TF_Session*, TF_Status*))                                                              \
  F(TF_DeleteSession, void, (TF_Session*, TF_Status*))                                                             \
  F(TF_SessionRun, void,                                                                                           \
    (TF_Session*, const TF_Buffer* run_options, const TF_Output* inputs, TF_Tensor* const* values, int num_inputs, \
     const TF_Output* outputs, TF_Tensor** results, int num_outputs, const TF_Operation* const* targets,           \
     int num_targets, TF_Buffer* run_metadata, TF_Status*))

struct Functions {
#define HEADRACE_TF_MEMBER(name, result, arguments) result(*name) arguments = nullptr;
  HEADRACE_TF_FUNCTIONS(HEADRACE_TF_MEMBER)
#undef HEADRACE_TF_MEMBER
};

}  // namespace headrace::serving::capi
