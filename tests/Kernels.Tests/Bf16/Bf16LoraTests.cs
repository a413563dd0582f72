using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>The products of a LoRA term with rows in bf16, its factors in two parts.</summary>
internal sealed class Bf16LoraTests
{
    /// <summary>Rows, inputs, outputs, rank: groups of 8 and of 16, cut ones, several; two blocks of k.</summary>
    private static readonly int[][] Shapes =
    [
        [64, 256, 256, 8], [150, 803, 71, 3], [97, 1000, 900, 16], [130, 70, 130, 20], [70, 64, 96, 64],
        [64, 64, 64, 65], [63, 256, 256, 8],
    ];

    [TestCaseSource(nameof(Shapes))]
    public void Instruction_emulation_and_any_number_of_threads_give_the_same_bytes(
        int rows, int inputs, int outputs, int rank)
    {
        var lanes = Avx512F.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4;
        var expected = Flat(new CpuBackend(1, lanes, DType.BFloat16, emulates: true));
        Assert.That(Flat(new CpuBackend(1, DType.BFloat16)), Is.EqualTo(expected), "as this machine does it");
        Assert.That(Flat(new CpuBackend(3, DType.BFloat16)), Is.EqualTo(expected), "3 threads");
        Assert.That(Flat(new CpuBackend(2, lanes, DType.BFloat16, emulates: true)), Is.EqualTo(expected), "2 threads");

        double[] Flat(IBackend backend) => [.. Compute(backend, rows, inputs, outputs, rank).SelectMany(part => part)];
    }

    /// <summary>
    /// u and du: each product is off by 2⁻¹⁷ of itself at most, and sums are fp32, so 2⁻¹⁵ of the largest is far above
    /// what numbers of random sign reach; a factor rounded to bf16 would be off by 2⁻⁹. dA and dB are fp32 sums over
    /// rows of what is exact but for that.
    /// </summary>
    [Test]
    public void Factors_are_not_rounded_to_bf16(
        [ValueSource(nameof(Shapes))] int[] shape, [Values(16, 8, 4)] int lanes)
    {
        Assume.That(lanes < 16 || Avx512F.IsSupported);
        Assume.That(lanes < 8 || Avx2.IsSupported);
        var expected = Compute(new ReferenceBackend(), shape[0], shape[1], shape[2], shape[3]);
        var found = Compute(new CpuBackend(2, lanes, DType.BFloat16), shape[0], shape[1], shape[2], shape[3]);
        foreach (var (i, name) in new[] { "u", "du", "dA", "dB" }.Index())
        {
            var largest = expected[i].Max(Math.Abs);
            Assert.That(found[i], Is.EqualTo(expected[i]).Within(largest / (1 << 15)), name);
        }
    }

    [Test]
    public void A_gradient_in_fp32_is_rounded_once_for_du_and_dx()
    {
        var (wide, narrow) = (Gradients(DType.Float32), Gradients(DType.BFloat16));
        Assert.That(wide.Du, Is.EqualTo(narrow.Du));
        Assert.That(wide.Dx, Is.EqualTo(narrow.Dx));
        Assert.That(wide.Db, Is.Not.EqualTo(narrow.Db), "dB reads what is not rounded");

        static (double[] Du, double[] Dx, double[] Db) Gradients(DType type)
        {
            using var backend = new CpuBackend(2, DType.BFloat16);
            using var t = new TestTensors(backend);
            var (x, weight) = (t.Input("x", new(100, 256), DType.BFloat16), t.Input("weight", new(96, 256)));
            var dy = t.Output("gradient", new(100, 96), type);
            dy.Write(t.Input("dy", dy.Shape).ReadDoubles());
            var (a, b) = (t.Input("a", new(8, 256)), t.Input("b", new(96, 8)));
            var lora = new LoraTerm(a, b, 2, Dropout.None, t.Input("u", new(100, 8)));
            var into = new LoraGradients(t.Output("du", lora.U.Shape), t.Gradient("da", a.Shape), t.Gradient("db", b.Shape));
            var dx = t.Output("dx", x.Shape);
            backend.Linear.BackwardLora(dy, x, weight, lora, into, dx, accumulate: false);
            return (into.U.ReadDoubles(), dx.ReadDoubles(), into.B.ReadDoubles());
        }
    }

    /// <summary>u, du, dA, dB over x and dy that bf16 holds exactly.</summary>
    private static double[][] Compute(IBackend backend, int rows, int inputs, int outputs, int rank)
    {
        using (backend)
        {
            using var t = new TestTensors(backend);
            Tensor Kept(string name, int columns)
            {
                var tensor = t.Output($"kept {name}", new(rows, columns), backend.Kept);
                tensor.Write(t.Input(name, tensor.Shape, DType.BFloat16).ReadDoubles());
                return tensor;
            }

            var (x, dy, weight) = (Kept("x", inputs), Kept("dy", outputs), t.Input("weight", new(outputs, inputs)));
            var lora = new LoraTerm(
                t.Input("a", new(rank, inputs)), t.Input("b", new(outputs, rank)), 2, Dropout.None,
                t.Output("u", new(rows, rank)));
            backend.Linear.Forward(x, weight, lora, default, t.Output("y", new(rows, outputs)));
            var into = new LoraGradients(
                t.Output("du", lora.U.Shape), t.Gradient("da", lora.A.Shape), t.Gradient("db", lora.B.Shape));
            backend.Linear.BackwardLora(dy, x, weight, lora, into, t.Output("dx", x.Shape), accumulate: false);
            return [.. new[] { lora.U, into.U, into.A, into.B }.Select(tensor => tensor.ReadDoubles())];
        }
    }
}
