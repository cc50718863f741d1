// A version that TensorFlow runs: its session behind our Servable.
#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "savedmodel/import/load.h"
#include "savedmodel/tensor_proto.h"
#include "serving/proto/inference.pb.h"
#include "serving/tensorflow/c_api.h"
#include "serving/tensorflow/library.h"

namespace headrace::serving {
namespace {

using capi::Functions;

constexpr uint64_t kMaxGraphBytes = uint64_t{1} << 31;
constexpr const char* kTag = "serve";

// Operations that reach outside of the model. TensorFlow would run them for whoever wrote the file.
const std::set<std::string>& ForbiddenOperations() {
  static const std::set<std::string> forbidden = {"DebugIdentity",
                                                  "DebugIdentityV2",
                                                  "DebugIdentityV3",
                                                  "EagerPyFunc",
                                                  "FixedLengthRecordReader",
                                                  "FixedLengthRecordReaderV2",
                                                  "MatchingFiles",
                                                  "PrintV2",
                                                  "PyFunc",
                                                  "PyFuncStateless",
                                                  "ReadFile",
                                                  "SaveDataset",
                                                  "SaveDatasetV2",
                                                  "TextLineReader",
                                                  "TextLineReaderV2",
                                                  "TFRecordReader",
                                                  "TFRecordReaderV2",
                                                  "WholeFileReader",
                                                  "WholeFileReaderV2",
                                                  "WriteFile"};
  return forbidden;
}

template <typename Nodes>
Status CheckNodes(const Nodes& nodes) {
  for (const tf::NodeDef& node : nodes)
    if (ForbiddenOperations().count(node.op()) > 0)
      return Fail(ErrorCode::kInvalidArgument, "node '{}' ({}): files, sockets and Python are not for models",
                  node.name(), node.op());
  return {};
}

Status CheckOperations(const tf::GraphDef& graph) {
  HEADRACE_TRY(CheckNodes(graph.node()));
  for (const tf::FunctionDef& function : graph.library().function()) HEADRACE_TRY(CheckNodes(function.node_def()));
  return {};
}

const tf::MetaGraphDef* FindServing(const tf::SavedModel& model) {
  for (const tf::MetaGraphDef& meta : model.meta_graphs())
    if (meta.meta_info_def().tags_size() == 1 && meta.meta_info_def().tags(0) == kTag) return &meta;
  return nullptr;
}

// TensorFlow's types as requests and answers carry them. double comes and goes as float32.
struct Element {
  int type;
  DType dtype;
  bool input;
};
constexpr Element kElements[] = {{tf::DT_FLOAT, DType::kFloat32, true}, {tf::DT_DOUBLE, DType::kFloat32, true},
                                 {tf::DT_INT32, DType::kInt32, true},   {tf::DT_INT64, DType::kInt64, true},
                                 {tf::DT_UINT8, DType::kUInt8, true},   {tf::DT_BOOL, DType::kUInt8, false}};

Result<DType> ElementOf(const std::string& name, int type, bool input) {
  for (const Element& element : kElements)
    if (element.type == type && (element.input || !input)) return element.dtype;
  return Fail(
      ErrorCode::kInvalidArgument, "'{}' is {}, wanted float, double, uint8, int32 or int64", name,
      tf::DataType_IsValid(type) ? tf::DataType_Name(static_cast<tf::DataType>(type)) : "type " + std::to_string(type));
}

// A tensor of the graph.
struct Endpoint {
  std::string node;
  int index = 0;
  int type = 0;
};

Result<Endpoint> ParseEndpoint(const tf::TensorInfo& info) {
  const size_t colon = info.name().rfind(':');
  Endpoint endpoint{info.name().substr(0, colon), 0, info.dtype()};
  if (colon != std::string::npos) endpoint.index = std::atoi(info.name().c_str() + colon + 1);
  if (endpoint.node.empty() || endpoint.index < 0)
    return Fail(ErrorCode::kInvalidArgument, "'{}' names no tensor", info.name());
  return endpoint;
}

struct Runnable {
  Signature signature;
  tf::SignatureDef definition;
  std::vector<Endpoint> inputs, outputs;
};

Result<Runnable> ReadSignature(const std::string& name, const tf::SignatureDef& def) {
  Runnable runnable;
  runnable.signature.name = name;
  runnable.definition = def;
  runnable.signature.method_name = def.method_name();
  const std::map<std::string, tf::TensorInfo> inputs(def.inputs().begin(), def.inputs().end());  // by name
  const std::map<std::string, tf::TensorInfo> outputs(def.outputs().begin(), def.outputs().end());
  if (inputs.empty() || outputs.empty()) return Fail(ErrorCode::kInvalidArgument, "no inputs or no outputs");
  for (const auto& [key, info] : inputs) {
    HEADRACE_ASSIGN(const DType dtype, ElementOf(key, info.dtype(), true));
    HEADRACE_ASSIGN(Shape shape, savedmodel::ShapeFromProto(info.tensor_shape(), "input '" + key + "'"));
    bool known = shape.rank() > 0;
    for (size_t axis = 1; axis < shape.rank(); ++axis) known = known && shape[axis] >= 0;
    if (!known)
      return Fail(ErrorCode::kInvalidArgument, "input '{}' has shape {}, wanted only the batch unknown", key,
                  shape.ToString());
    shape[0] = -1;
    HEADRACE_ASSIGN(Endpoint endpoint, ParseEndpoint(info));
    runnable.signature.inputs.push_back({key, dtype, std::move(shape)});
    runnable.inputs.push_back(std::move(endpoint));
  }
  for (const auto& [key, info] : outputs) {
    HEADRACE_ASSIGN(const DType dtype, ElementOf(key, info.dtype(), false));
    Shape shape;  // () when its rank is unknown
    if (!info.tensor_shape().unknown_rank()) {
      HEADRACE_ASSIGN(shape, savedmodel::ShapeFromProto(info.tensor_shape(), "output '" + key + "'"));
    }
    HEADRACE_ASSIGN(Endpoint endpoint, ParseEndpoint(info));
    runnable.signature.outputs.push_back({key, dtype, std::move(shape)});
    runnable.outputs.push_back(std::move(endpoint));
  }
  return runnable;
}

void CopyDoubles(const float* from, int64_t count, double* to) { std::copy(from, from + count, to); }

class TensorFlowServable final : public Servable {
 public:
  TensorFlowServable(const Functions& f, std::vector<Runnable> runnables)
      : f_(f), graph_(f.TF_NewGraph()), runnables_(std::move(runnables)) {
    for (const Runnable& runnable : runnables_) {
      signatures_.push_back(runnable.signature);
      (*definitions_.mutable_signature_def())[runnable.signature.name] = runnable.definition;
    }
  }
  ~TensorFlowServable() override {
    if (session_ != nullptr) {
      const StatusHandle status(f_);
      f_.TF_CloseSession(session_, status.get());
      f_.TF_DeleteSession(session_, status.get());
    }
    f_.TF_DeleteGraph(graph_);
  }

  Status Load(const std::string& directory, int threads) {
    const StatusHandle status(f_);
    const std::unique_ptr<capi::TF_SessionOptions, void (*)(capi::TF_SessionOptions*)> options(
        f_.TF_NewSessionOptions(), f_.TF_DeleteSessionOptions);
    // ConfigProto: intra_op_parallelism_threads (2) and inter_op_parallelism_threads (5).
    const std::string config = {'\x10', static_cast<char>(std::clamp(threads, 1, 127)), '\x28', '\x01'};
    f_.TF_SetConfig(options.get(), config.data(), config.size(), status.get());
    HEADRACE_TRY(status.Check("TF_SetConfig"));
    session_ = f_.TF_LoadSessionFromSavedModel(options.get(), nullptr, directory.c_str(), &kTag, 1, graph_, nullptr,
                                               status.get());
    HEADRACE_TRY(status.Check("loading"));
    for (const Runnable& runnable : runnables_) {
      HEADRACE_ASSIGN(auto inputs, Resolve(runnable.inputs));
      HEADRACE_ASSIGN(auto outputs, Resolve(runnable.outputs));
      inputs_.push_back(std::move(inputs));
      outputs_.push_back(std::move(outputs));
    }
    return {};
  }

  const std::vector<Signature>& signatures() const override { return signatures_; }
  const ::tensorflow::serving::SignatureDefMap& definitions() const override { return definitions_; }

  Result<std::vector<Tensor>> Run(size_t index, const std::vector<Tensor>& inputs, size_t) override {
    const Runnable& runnable = runnables_[index];
    Tensors given(f_), results(f_);
    for (size_t i = 0; i < inputs.size(); ++i) {
      HEADRACE_ASSIGN(capi::TF_Tensor * tensor, ToTensorFlow(inputs[i], runnable.inputs[i].type));
      given.list.push_back(tensor);
    }
    results.list.resize(runnable.outputs.size());
    const StatusHandle status(f_);
    f_.TF_SessionRun(session_, nullptr, inputs_[index].data(), given.list.data(), static_cast<int>(given.list.size()),
                     outputs_[index].data(), results.list.data(), static_cast<int>(results.list.size()), nullptr, 0,
                     nullptr, status.get());
    HEADRACE_TRY(status.Check("TensorFlow"));
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < results.list.size(); ++i) {
      HEADRACE_ASSIGN(Tensor output, FromTensorFlow(std::exchange(results.list[i], nullptr)));
      const TensorInfo& info = runnable.signature.outputs[i];
      if (output.dtype() != info.dtype) output = output.Cast(info.dtype);
      if (output.shape().rank() == 0 || output.dim(0) != inputs[0].dim(0))
        return Fail(ErrorCode::kInvalidArgument, "Tensor name: {} has shape {}, wanted {} rows", info.name,
                    output.shape().ToString(), inputs[0].dim(0));
      outputs.push_back(std::move(output));
    }
    return outputs;
  }

 private:
  class StatusHandle {
   public:
    explicit StatusHandle(const Functions& f) : f_(f), status_(f.TF_NewStatus()) {}
    ~StatusHandle() { f_.TF_DeleteStatus(status_); }
    StatusHandle(const StatusHandle&) = delete;
    StatusHandle& operator=(const StatusHandle&) = delete;
    capi::TF_Status* get() const { return status_; }
    Status Check(const char* what) const {
      const int code = f_.TF_GetCode(status_);
      if (code == 0) return {};
      const bool argument = code == 3 || code == 9 || code == 11;  // invalid argument, precondition, out of range
      return Fail(argument ? ErrorCode::kInvalidArgument : ErrorCode::kInternal, "{}: {}", what,
                  std::string(f_.TF_Message(status_)).substr(0, 2000));
    }

   private:
    const Functions& f_;
    capi::TF_Status* status_;
  };

  struct Tensors {
    explicit Tensors(const Functions& functions) : f(functions) {}
    ~Tensors() {
      for (capi::TF_Tensor* tensor : list)
        if (tensor != nullptr) f.TF_DeleteTensor(tensor);
    }
    Tensors(const Tensors&) = delete;
    Tensors& operator=(const Tensors&) = delete;
    const Functions& f;
    std::vector<capi::TF_Tensor*> list;
  };

  Result<std::vector<capi::TF_Output>> Resolve(const std::vector<Endpoint>& endpoints) const {
    std::vector<capi::TF_Output> resolved;
    for (const Endpoint& endpoint : endpoints) {
      capi::TF_Operation* operation = f_.TF_GraphOperationByName(graph_, endpoint.node.c_str());
      if (operation == nullptr || endpoint.index >= f_.TF_OperationNumOutputs(operation))
        return Fail(ErrorCode::kInvalidArgument, "the graph has no tensor '{}:{}'", endpoint.node, endpoint.index);
      resolved.push_back({operation, endpoint.index});
    }
    return resolved;
  }

  Result<capi::TF_Tensor*> ToTensorFlow(const Tensor& tensor, int type) const {
    const bool doubles = type == tf::DT_DOUBLE;
    const size_t bytes = doubles ? static_cast<size_t>(tensor.size()) * sizeof(double) : tensor.bytes();
    const auto& dims = tensor.shape().dims();
    capi::TF_Tensor* made = f_.TF_AllocateTensor(type, dims.data(), static_cast<int>(dims.size()), bytes);
    if (made == nullptr || f_.TF_TensorByteSize(made) != bytes) {
      if (made != nullptr) f_.TF_DeleteTensor(made);
      return Fail(ErrorCode::kInternal, "TF_AllocateTensor: no {} bytes", bytes);
    }
    void* data = f_.TF_TensorData(made);
    if (doubles) {
      CopyDoubles(tensor.data<float>(), tensor.size(), static_cast<double*>(data));
    } else if (bytes > 0) {
      std::memcpy(data, tensor.raw(), bytes);
    }
    return made;
  }

  // Takes the tensor, whose bytes the result shares.
  Result<Tensor> FromTensorFlow(capi::TF_Tensor* taken) const {
    const std::shared_ptr<void> owner(
        taken, [f = &f_](void* tensor) { f->TF_DeleteTensor(static_cast<capi::TF_Tensor*>(tensor)); });
    std::vector<int64_t> dims;
    for (int axis = 0; axis < f_.TF_NumDims(taken); ++axis) dims.push_back(f_.TF_Dim(taken, axis));
    const int type = f_.TF_TensorType(taken);
    HEADRACE_ASSIGN(const DType dtype, ElementOf("an output", type, false));
    Shape shape(std::move(dims));
    void* data = f_.TF_TensorData(taken);
    if (type != tf::DT_DOUBLE) return Tensor::View(dtype, std::move(shape), data, owner);
    Tensor converted(DType::kFloat32, std::move(shape));
    std::transform(static_cast<const double*>(data), static_cast<const double*>(data) + converted.size(),
                   converted.data<float>(), [](double value) { return static_cast<float>(value); });
    return converted;
  }

  const Functions& f_;
  capi::TF_Graph* graph_;
  capi::TF_Session* session_ = nullptr;
  std::vector<Runnable> runnables_;
  std::vector<Signature> signatures_;
  ::tensorflow::serving::SignatureDefMap definitions_;
  std::vector<std::vector<capi::TF_Output>> inputs_, outputs_;  // by signature
};

Result<std::vector<Runnable>> ReadSignatures(const std::string& directory) {
  const std::string path = directory + "/saved_model.pb";
  HEADRACE_ASSIGN(const std::string bytes, ReadRegularFile(path, kMaxGraphBytes));
  HEADRACE_ASSIGN(const tf::SavedModel model, savedmodel::ParseSavedModel(bytes, path));
  const tf::MetaGraphDef* meta = FindServing(model);
  if (meta == nullptr) return Fail(ErrorCode::kNotFound, "no graph tagged '{}' alone", kTag);
  HEADRACE_TRY(CheckOperations(meta->graph_def()));
  const std::map<std::string, tf::SignatureDef> defs(meta->signature_def().begin(), meta->signature_def().end());
  std::vector<Runnable> runnables;
  std::string why = "it has no signature";
  for (const auto& [name, def] : defs) {
    if (name.rfind("__saved_model_", 0) == 0) continue;  // initialisers, not for clients
    auto runnable = ReadSignature(name, def);
    if (runnable) {
      runnables.push_back(std::move(*runnable));
      continue;
    }
    why = fmt::format("signature '{}': {}", name, runnable.error().message());
    Log(LogLevel::kWarning, "{}: not served by TensorFlow: {}", directory, why);
  }
  if (runnables.empty()) return Fail(ErrorCode::kInvalidArgument, "{}", why);
  return runnables;
}

}  // namespace

Result<std::shared_ptr<Servable>> LoadTensorFlowServable(TensorFlowLibrary& library, const std::string& directory,
                                                         int threads) {
  HEADRACE_ASSIGN(std::vector<Runnable> runnables, ReadSignatures(directory));
  HEADRACE_ASSIGN(const Functions* functions, library.Open());
  auto servable = std::make_shared<TensorFlowServable>(*functions, std::move(runnables));
  HEADRACE_TRY(servable->Load(directory, threads));
  return std::shared_ptr<Servable>(std::move(servable));
}

}  // namespace headrace::serving
