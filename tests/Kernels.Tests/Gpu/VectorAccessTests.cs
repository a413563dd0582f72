using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// Kernels that only walk over memory do so in accesses of 16 bytes a thread, in every form of storage.
/// </summary>
internal sealed class VectorAccessTests
{
    private static readonly (Type Owner, string[] Kernels)[] Walks =
    [
        (typeof(RmsNormGpu), [nameof(RmsNormGpu.ForwardKernel), nameof(RmsNormGpu.BackwardKernel)]),
        (typeof(RopeGpu), [nameof(RopeGpu.RotateKernel)]),
        (typeof(SwiGluGpu), [nameof(SwiGluGpu.ForwardKernel), nameof(SwiGluGpu.BackwardKernel)]),
        (typeof(CrossEntropyGpu), [nameof(CrossEntropyGpu.ForwardKernel), nameof(CrossEntropyGpu.BackwardKernel)]),
        (typeof(EmbeddingGpu), [nameof(EmbeddingGpu.ForwardKernel)]),
        (typeof(LoraGpu), [nameof(LoraGpu.RoundKernel), nameof(LoraGpu.KeepKernel)]),
        (typeof(SplitAttention), [nameof(SplitAttention.PartKernel), nameof(SplitAttention.MergeKernel)]),
        (typeof(AdamWGpu), [nameof(AdamWGpu.UpdateKernel)]),
        (typeof(ElementwiseGpu),
        [
            nameof(ElementwiseGpu.GatherRowsKernel), nameof(ElementwiseGpu.ScatterRowsKernel),
            nameof(ElementwiseGpu.SumPartsKernel),
        ]),
    ];

    [Test]
    public void Kernels_that_walk_over_memory_read_16_bytes_at_a_time_and_call_nothing()
    {
        using var compiler = new PtxCompiler(CudaArchitecture.SM_90);
        foreach (var kernel in GpuKernelList.Closed)
        {
            if (!Walks.Any(w => w.Owner == kernel.DeclaringType && w.Kernels.Contains(kernel.Name)))
            {
                continue;
            }

            var ptx = compiler.Compile(kernel);

            // Eight weights of a block take eight bytes or fewer, and their scale is read beside them.
            if (!kernel.GetGenericArguments().Any(IsBlocks))
            {
                Assert.That(
                    ptx, Does.Contain("ld.global.v4.b32").Or.Contain("ld.global.v4.f32"), GpuKernelList.NameOf(kernel));
            }

            Assert.That(ptx, Does.Not.Contain("call"), GpuKernelList.NameOf(kernel));
            Assert.That(ptx, Does.Not.Contain(".local"), GpuKernelList.NameOf(kernel));
            if (kernel.Name != nameof(CrossEntropyGpu.ForwardKernel)
                && kernel.Name != nameof(ElementwiseGpu.SumPartsKernel)
                || kernel.DeclaringType == typeof(RmsNormGpu))
            {
                Assert.That(ptx, Does.Contain("st.global.v4"), GpuKernelList.NameOf(kernel));
            }
        }
    }

    private static bool IsBlocks(Type stored) => stored.GetInterfaces()
        .Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IGpuBlocks<>));
}
