using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>The products on a device; a LoRA term and a gate join them on tensor cores.</summary>
public sealed class LinearGpu : Linear, IDisposable
{
    private readonly GpuGemm _gemm;
    private readonly GpuKernel _backwardBias;
    private readonly int _groupSize;

    internal LinearGpu(GpuDevice device, GpuGemm gemm, SwiGlu swiGlu)
        : base(swiGlu)
    {
        (_gemm, Lora, Int8) = (gemm, new LoraGpu(device, gemm), new Int8Gpu(device, gemm));
        _backwardBias = new(device, typeof(LinearGpu), nameof(BackwardBiasKernel));
        _groupSize = device.GroupSize;
    }

    internal LoraGpu Lora { get; }

    internal Int8Gpu Int8 { get; }

    public void Dispose()
    {
        Lora.Dispose();
        Int8.Dispose();
    }

    protected override bool CanFuseLora(Tensor x, Tensor weight, in LoraTerm lora, in Epilogue end, Tensor y) =>
        !QuantizesActivations(weight) && Lora.CanFuse(x, lora.U) && _gemm.CanAppend(x, weight, y, ProductForm.NT);

    protected override bool CanFuseGate(Tensor x, Tensor weight, Tensor y) =>
        !QuantizesActivations(weight) && _gemm.CanGate(x, weight, y);

    protected override bool CanFuseLoraBackward(Tensor dy, Tensor weight, in LoraTerm lora, Tensor du, Tensor dx) =>
        Lora.CanFuse(dy, du) && _gemm.CanAppend(dy, weight, dx, ProductForm.NN);

    protected override void ForwardCore(Tensor x, Tensor weight, in LoraTerm? lora, in Epilogue end, Tensor y)
    {
        if (weight.Format is Int8Format { Threshold: not null } quantized)
        {
            Int8.Forward(x, weight, quantized, end, y);
        }
        else if (lora is { } term)
        {
            Lora.DownProject(x, term);
            var (u, b) = Lora.ForwardOperands(term);
            _gemm.LaunchWith(x, weight, u, b, y, ProductForm.NT, end);
        }
        else
        {
            _gemm.Launch(x, weight, y, ProductForm.NT, end);
        }
    }

    protected override void AddLoraCore(Tensor x, in LoraTerm lora, Tensor y)
    {
        Lora.DownProject(x, lora);
        Lora.UpProject(lora, y);
    }

    protected override void BackwardInputCore(
        Tensor dy, Tensor weight, in LoraTerm? lora, Tensor? du, Tensor dx, in InputGradient into)
    {
        var form = into.Accumulate ? ProductForm.NN.Added : ProductForm.NN;
        if (lora is { } term)
        {
            var (narrow, a) = Lora.BackwardOperands(term, du!);
            _gemm.LaunchWith(dy, weight, narrow, a, dx, form);
        }
        else
        {
            _gemm.Launch(dy, weight, dx, form);
        }
    }

    protected override void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias)
    {
        _gemm.Launch(dy, x, dweight, ProductForm.TN.Added);
        if (dbias is not null)
        {
            _backwardBias.Launch(new(((dy.Columns - 1) / _groupSize) + 1, 1), dy, dy.Rows, dy.Columns, dbias);
        }
    }

    protected override void BackwardLoraCore(
        Tensor dy, Tensor x, in LoraTerm lora, in LoraGradients into, Tensor? dx) =>
        Lora.Backward(dy, x, lora, into, dx);

    private static bool QuantizesActivations(Tensor weight) => weight.Format is Int8Format { Threshold: not null };

    /// <summary>One thread per column, which adds up its rows from first to last.</summary>
    internal static void BackwardBiasKernel<TY>(GpuMatrix<TY> dy, int rows, int columns, GpuFloats dbias)
        where TY : unmanaged, IGpuActivation<TY>
    {
        var o = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (o >= columns)
        {
            return;
        }

        var sum = 0f;
        for (var n = 0; n < rows; n++)
        {
            sum += dy[n, o];
        }

        dbias[o] += sum;
    }
}
