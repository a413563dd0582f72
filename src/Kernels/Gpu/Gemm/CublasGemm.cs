using ILGPU.Runtime.Cuda;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>NVIDIA's own matrix products, as a yardstick for ours: <c>--matmul cublas</c>. Never required.</summary>
/// <remarks>
/// Products of operands of one type, bf16 or fp32, sums in fp32; all others stay with our kernels. No GPU has run this.
/// </remarks>
internal sealed class CublasGemm : IDisposable
{
    private const int WorkspaceBytes = 32 << 20;

    private readonly GpuDevice _device;
    private readonly GpuMemory _workspace;
    private readonly Dictionary<CublasProduct, Prepared> _prepared = [];
    private readonly nint _handle;

    /// <exception cref="SafeLlamaException">The library is not installed.</exception>
    public CublasGemm(GpuDevice device)
    {
        RequireInstalled();
        _device = device;
        device.Accelerator.Bind();
        Check(CublasLibrary.Create(out _handle), "cublasLtCreate");
        _workspace = new GpuMemory(device, WorkspaceBytes, "cuBLAS workspace");
    }

    /// <exception cref="SafeLlamaException">The library is not installed.</exception>
    public static void RequireInstalled()
    {
        if (CublasLibrary.Load() == 0)
        {
            throw SafeLlamaException.Usage(
                $"`Matmul` cublas: {string.Join(" or ", CublasLibrary.Files)} was not found; nothing needs it.",
                "install NVIDIA's cuBLAS", "leave `Matmul` out");
        }
    }

    /// <param name="beside">What is added where the form says so; it lies in memory as c does, or is c.</param>
    public static bool Supports(Tensor a, Tensor b, Tensor beside, Tensor c, ProductForm form) =>
        a.Type == b.Type && beside.RowStride == c.RowStride
        && form is { HasBias: 0, Dropped: Dropped.Nothing, End: not ProductEnd.Gate }
        && (a.Type == DType.BFloat16
            ? c.Type is DType.BFloat16 or DType.Float32
            : a.Type == DType.Float32 && c.Type == DType.Float32);

    public void Launch(Tensor a, Tensor b, Tensor beside, Tensor c, ProductForm form)
    {
        _device.Accelerator.Bind();
        var product = CublasProduct.Of(a, b, c, form);
        if (!_prepared.TryGetValue(product, out var p))
        {
            _prepared[product] = p = Prepare(product);
        }

        var status = CublasLibrary.Multiply(
            _handle, p.Product, form.Scale, Address(b), p.First, Address(a), p.Second,
            form.End == ProductEnd.Add ? 1f : 0f, Address(beside), p.Result, Address(c), p.Result, 0,
            (nint)_workspace.Address(0), WorkspaceBytes, ((CudaStream)_device.Stream).StreamPtr);
        Check(status, $"cublasLtMatmul of [{a.Rows}, {a.Columns}] and [{b.Rows}, {b.Columns}]");
    }

    public void Dispose()
    {
        foreach (var (product, first, second, result) in _prepared.Values)
        {
            // A description that cannot be freed goes with the process.
            _ = CublasLibrary.DestroyProduct(product);
            _ = CublasLibrary.DestroyLayout(first);
            _ = CublasLibrary.DestroyLayout(second);
            _ = CublasLibrary.DestroyLayout(result);
        }

        _workspace.Dispose();
        _ = CublasLibrary.Destroy(_handle);
    }

    private static Prepared Prepare(CublasProduct p)
    {
        Check(CublasLibrary.CreateProduct(out var product, CublasLibrary.Compute32, CublasLibrary.Real32), "a product");
        Check(CublasLibrary.Set(product, CublasLibrary.TurnFirst, p.TurnFirst, sizeof(int)), "a transposition");
        Check(CublasLibrary.Set(product, CublasLibrary.TurnSecond, p.TurnSecond, sizeof(int)), "a transposition");
        return new(product, Layout(p.First, p.Operands), Layout(p.Second, p.Operands), Layout(p.Result, p.Results));
    }

    private static nint Layout(CublasLayout m, DType type)
    {
        var stored = type == DType.BFloat16 ? CublasLibrary.Brain16 : CublasLibrary.Real32;
        Check(CublasLibrary.CreateLayout(out var layout, stored, (ulong)m.Rows, (ulong)m.Columns, m.Leading),
            "a layout");
        return layout;
    }

    private static nint Address(Tensor tensor) => (nint)((GpuMemory)tensor.Storage).Address(tensor.ByteOffset);

    private static void Check(int status, string what)
    {
        if (status != 0)
        {
            throw new SafeLlamaException(
                ExitCode.Failure,
                $"cuBLAS refused {what} with status {status}.", null,
                "use our own products: leave `Matmul` out");
        }
    }

    private readonly record struct Prepared(nint Product, nint First, nint Second, nint Result);
}
